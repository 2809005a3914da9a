// Full-text search over an index that is fetched when the field is first focused.

import MiniSearch from "./minisearch.js";

const SHOWN = 12;
const AROUND = 90; // characters of context on each side of the first hit

/** The text around the first of `terms`, with each of them marked; as nodes, so that no page text becomes markup. */
function snippet(text, terms) {
  const pattern = new RegExp(terms.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|") || "$^", "gi");
  const first = Math.max(0, text.search(pattern));
  const start = first > AROUND ? text.indexOf(" ", first - AROUND) + 1 : 0;
  const piece = text.slice(start, first + AROUND * 2);
  const nodes = [start ? "… " : ""];
  let last = 0;
  for (const match of piece.matchAll(pattern)) {
    const mark = document.createElement("mark");
    mark.textContent = match[0];
    nodes.push(piece.slice(last, match.index), mark);
    last = match.index + match[0].length;
  }
  return [...nodes, piece.slice(last), start + piece.length < text.length ? " …" : ""];
}

function hit(result, index, base) {
  const item = document.createElement("li");
  item.id = `hit-${index}`;
  item.setAttribute("role", "option");
  item.dataset.url = new URL(result.url, base).href;
  const title = document.createElement("strong");
  title.textContent = result.section || result.title;
  if (result.section) {
    const where = document.createElement("span");
    where.className = "where";
    where.textContent = ` in ${result.title}`;
    title.append(where);
  }
  const context = document.createElement("span");
  context.append(...snippet(result.text, result.terms));
  item.append(title, context);
  return item;
}

/** Arm the search form; `files` is the folder that holds this module. */
export async function start(form, files) {
  const [input, list, status] = ["input", "#hits", "[role=status]"].map((selector) => form.querySelector(selector));
  const base = new URL("..", files);
  const engine = new MiniSearch({
    fields: ["section", "title", "text"],
    storeFields: ["title", "section", "url", "text"],
    searchOptions: { boost: { section: 4, title: 3 }, prefix: true, fuzzy: (term) => (term.length > 4 ? 0.2 : false), combineWith: "AND" },
  });
  try {
    engine.addAll(await (await fetch(new URL("search.json", base))).json());
  } catch {
    status.textContent = "The search index could not be loaded.";
    return;
  }
  let chosen = -1;
  const choose = (index) => {
    const items = [...list.children].filter((item) => item.dataset.url);
    chosen = items.length ? (index + items.length) % items.length : -1;
    items.forEach((item, place) => item.setAttribute("aria-selected", String(place === chosen)));
    if (chosen < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", items[chosen].id);
    items[chosen].scrollIntoView({ block: "nearest" });
  };
  const open = (shown) => {
    list.hidden = !shown;
    input.setAttribute("aria-expanded", String(shown));
  };
  const go = (item) => item && location.assign(item.dataset.url);
  const update = () => {
    const query = input.value.trim();
    if (query.length < 2) {
      status.textContent = "";
      return open(false);
    }
    const results = engine.search(query).slice(0, SHOWN);
    list.replaceChildren(...results.map((result, index) => hit(result, index, base)));
    status.textContent = results.length ? `${results.length} results` : "Nothing found";
    if (!results.length) {
      const none = document.createElement("li");
      none.setAttribute("role", "option");
      none.setAttribute("aria-disabled", "true");
      none.textContent = `Nothing found for “${query}”.`;
      list.append(none);
    }
    open(true);
    choose(0);
  };
  input.addEventListener("input", update);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (list.hidden) update();
      else choose(chosen + step);
    } else if (event.key === "Enter") {
      event.preventDefault();
      go(list.children[chosen]);
    } else if (event.key === "Escape") {
      open(false);
    }
  });
  list.addEventListener("mousedown", (event) => {
    event.preventDefault(); // keeps the focus in the field
    go(event.target.closest("li[data-url]"));
  });
  input.addEventListener("blur", () => open(false));
  if (input.value) update();
}
