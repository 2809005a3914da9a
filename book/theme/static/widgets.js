// Host for kernel-free anywidget modules: the model is a plain object on the page, and nothing goes to a kernel.

/** The part of anywidget's model that a static page can offer: get, set, on, off, save_changes. */
class Model {
  #values;
  #listeners = new Map();

  constructor(values) {
    this.#values = { ...values };
  }

  get(name) {
    return this.#values[name];
  }

  set(name, value) {
    const old = this.#values[name];
    if (Object.is(old, value)) return;
    this.#values[name] = value;
    this.#tell(`change:${name}`, value, old);
    this.#tell("change");
  }

  on(event, listener) {
    const all = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, all.add(listener));
  }

  off(event, listener) {
    if (event === undefined) this.#listeners.clear();
    else if (listener === undefined) this.#listeners.delete(event);
    else this.#listeners.get(event)?.delete(listener);
  }

  save_changes() {}

  send() {
    throw new Error("This page has no kernel that a message could go to.");
  }

  #tell(event, value, previous) {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener({ name: event.slice(7), new: value, old: previous }, value);
  }
}

function fail(element, error) {
  console.error(error);
  element.classList.add("widget-failed");
  const note = document.createElement("p");
  note.className = "widget-note";
  note.setAttribute("role", "alert");
  note.textContent = `This interactive figure did not start: ${error.message ?? error}. The text around it says what it shows.`;
  element.replaceChildren(note);
}

/** Load the module of one `.widget` element and let it render; clean up when the page is left. */
export async function start(element) {
  try {
    const address = new URL(element.dataset.module, document.baseURI);
    if (element.dataset.css) {
      const style = document.createElement("link");
      style.rel = "stylesheet";
      style.href = new URL(element.dataset.css, document.baseURI);
      document.head.append(style);
    }
    const { default: exported } = await import(address);
    const widget = typeof exported === "function" ? await exported() : exported;
    if (!widget?.render) throw new Error("its module has no render function");
    const model = new Model(JSON.parse(element.dataset.model));
    const cleanups = [await widget.initialize?.({ model })];
    const place = document.createElement("div");
    element.replaceChildren(place);
    cleanups.push(await widget.render({ model, el: place }));
    addEventListener("pagehide", (event) => {
      if (!event.persisted) cleanups.forEach((cleanup) => cleanup?.());
    });
  } catch (error) {
    fail(element, error);
  }
}
