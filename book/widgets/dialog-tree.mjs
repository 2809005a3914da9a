/**
 * A dialog as a tree of alternatives (Lecture 7): what has been said, what a model would say next with its
 * probabilities, and buttons to go down any branch and back.
 *
 * An anywidget module without a kernel, a library or a request: `render({ model, el })` builds the widget in `el` and
 * returns the function that removes it. One file, because the site copies only the module that a page names.
 *
 * Model: `tree`, a node as `course.language.tree.Node.as_model` writes it: { speaker, text, p, children }. `p` is the
 * probability given all before it, from 0 to 1; `children` may be missing or empty, and may leave alternatives out, so
 * that their probabilities add up to 1 or less. A node whose speaker is "" goes on with what its parent says.
 */

// ---------------------------------------------------------------------------------------------------- mathematics

/** The nodes from the root along a path of child numbers. */
export function nodesAlong(tree, path) {
  return path.reduce((nodes, number) => [...nodes, nodes.at(-1).children[number]], [tree]);
}

/** Probability of a path, from the root on. */
export function probability(tree, path) {
  return nodesAlong(tree, path).reduce((product, { p }) => product * p, 1);
}

/** What has been said, one entry a turn: nodes without a speaker go on with the turn before. */
export function turnsAlong(tree, path) {
  const turns = [];
  for (const { speaker, text } of nodesAlong(tree, path)) {
    if (speaker || !turns.length) turns.push({ speaker, text });
    else turns.at(-1).text += text;
  }
  return turns;
}

/** How much probability the alternatives of a node leave to what the tree does not show. */
export function leftOut({ children = [] }) {
  return Math.max(0, 1 - children.reduce((sum, { p }) => sum + p, 0));
}

/** The model; throws a RangeError whose message an author or a reader can act on. */
export function settings(model) {
  const tree = model.get("tree");
  const problem = wrongWith(tree);
  if (problem) throw new RangeError(`Expected “tree” as { speaker, text, p, children }, but ${problem}: try p from 0 to 1.`);
  return { tree };
}

function wrongWith(node) {
  if (typeof node?.text !== "string" || typeof node?.speaker !== "string") return "a node has no speaker or no text";
  if (!(node.p >= 0 && node.p <= 1)) return `“${node.text}” has the probability ${node.p}`;
  const children = node.children ?? [];
  if (!Array.isArray(children)) return `the children of “${node.text}” are no list`;
  if (children.reduce((sum, { p }) => sum + p, 0) > 1.01) return `the alternatives after “${node.text}” add up to more than 1`;
  return children.map(wrongWith).find(Boolean);
}

/** A probability for reading: two digits that count. */
export function percent(p) {
  const value = 100 * p;
  if (value >= 9.95) return `${value.toFixed(0)} %`;
  return value === 0 ? "0 %" : `${Number(value.toPrecision(2)).toLocaleString("en-GB", { maximumFractionDigits: 8 })} %`;
}

// ------------------------------------------------------------------------------------------------------ the widget

const STYLE = `
:host { display: block; }
* { box-sizing: border-box; }
.face { --fg: var(--ink, light-dark(#1f2933, #e6e9ef)); --bg: var(--page, light-dark(#fff, #11151c));
  --quiet: var(--soft, light-dark(#52606d, #a3afbd)); --press: var(--accent, light-dark(#0b6477, #74cfe0));
  --rule: var(--line, light-dark(#d5dbe1, #3a4452)); --bar: light-dark(#1a6fd0, #4d9bf5);
  color: var(--fg); background: var(--bg); font-size: 0.95rem; line-height: 1.45; }
.said { min-height: 7.5rem; margin: 0; padding: 0; list-style: none; }
.said li { width: fit-content; max-width: 88%; margin: 0 0 0.5rem; padding: 0.35rem 0.8rem; border: 1px solid var(--rule);
  border-radius: 10px; }
.said li.agent { margin-left: auto; border-color: var(--press); }
.who { display: block; font-size: 0.8rem; color: var(--quiet); }
.reading { margin: 0.4rem 0; padding: 0.3rem 0.9rem; border-left: 4px solid var(--press); }
.ways { display: grid; gap: 0.4rem; min-height: 11rem; align-content: start; }
button { font: inherit; color: var(--fg); background: var(--bg); border: 1px solid var(--rule); border-radius: 6px;
  cursor: pointer; text-align: left; }
button:hover:not(:disabled) { border-color: var(--press); }
:focus-visible { outline: 3px solid var(--press); outline-offset: 2px; }
.way { display: grid; grid-template-columns: 1fr auto; gap: 0 0.8rem; padding: 0.35rem 0.7rem; }
.way .number { font-variant-numeric: tabular-nums; }
.way .track { grid-column: 1 / -1; height: 0.35rem; }
.way i { display: block; height: 100%; min-width: 1px; background: var(--bar); }
.rest { color: var(--quiet); padding: 0 0.7rem; }
.steps { display: flex; flex-wrap: wrap; gap: 0.6rem; margin-top: 0.6rem; }
.steps button { padding: 0.35rem 0.9rem; border-color: var(--press); }
.steps button:disabled { color: var(--quiet); border-color: var(--rule); cursor: default; }
`;

const BODY = `
<ol class="said" aria-label="Said so far"></ol>
<p class="reading" role="status"></p>
<div class="ways" role="group" aria-label="What may come next"></div>
<div class="steps"><button type="button" id="back">One step back</button>
<button type="button" id="likeliest">Take the likeliest</button>
<button type="button" id="restart">Start again</button></div>
`;

class DialogTreeWidget {
  ended = new AbortController(); // takes all listeners away with it
  path = [];

  constructor(el, { tree }) {
    this.tree = tree;
    this.host = el.appendChild(document.createElement("div"));
    this.root = this.host.attachShadow({ mode: "open" }); // ids and styles stay inside: a page can hold several
    this.root.innerHTML = `<style>${STYLE}</style><div class="face">${BODY}</div>`;
    const listen = (selector, act) => this.part(selector).addEventListener("click", act, { signal: this.ended.signal });
    listen(".ways", (event) => this.choose(event.target.closest("button")));
    listen("#back", () => this.go(this.path.slice(0, -1)));
    listen("#restart", () => this.go([]));
    listen("#likeliest", () => this.go([...this.path, likeliest(this.here())]));
    this.themes = new MutationObserver(() => this.dress());
    this.themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.dress();
    this.show();
  }

  part(selector) {
    return this.root.querySelector(selector);
  }

  /** Takes light or dark from the page's data-theme, else from the system. */
  dress() {
    const { theme } = document.documentElement.dataset;
    this.host.style.colorScheme = theme === "dark" || theme === "light" ? theme : "light dark";
  }

  here() {
    return nodesAlong(this.tree, this.path).at(-1);
  }

  choose(button) {
    if (button) this.go([...this.path, Number(button.dataset.number)]);
  }

  /** Go to a node; the keyboard stays at hand: on the first way on, or on the way back where there is none. */
  go(path) {
    this.path = path;
    this.show();
    (this.part(".way") ?? this.part("#back")).focus({ preventScroll: true });
  }

  show() {
    const { children = [] } = this.here();
    this.part(".said").replaceChildren(...turnsAlong(this.tree, this.path).map(bubble));
    this.part(".reading").textContent = this.reading(children);
    this.part(".ways").replaceChildren(...children.map(way), ...rest(this.here()));
    this.part("#back").disabled = this.part("#restart").disabled = !this.path.length;
    this.part("#likeliest").disabled = !children.length;
  }

  reading(children) {
    const so = this.path.length ? `This way has a probability of ${percent(probability(this.tree, this.path))}.` : "";
    if (!children.length) return `${so} The tree ends here.`.trim();
    return `${so} ${children.length === 1 ? "One way on:" : `${children.length} ways on:`}`.trim();
  }

  remove() {
    this.ended.abort();
    this.themes.disconnect();
    this.host.remove();
  }
}

function likeliest({ children }) {
  return children.reduce((best, { p }, i) => (p > children[best].p ? i : best), 0);
}

function bubble({ speaker, text }) {
  const item = element("li", speaker);
  item.append(element("span", "who", speaker || "somebody"), text.trim());
  return item;
}

function way({ speaker, text, p }, number) {
  const button = element("button", "way");
  button.type = "button";
  button.dataset.number = number;
  button.append(element("span", "", speaker ? text.trim() : `… ${text}`), element("span", "number", percent(p)));
  button.appendChild(element("span", "track")).appendChild(element("i")).style.width = `${100 * p}%`;
  return button;
}

function rest(node) {
  const share = leftOut(node);
  const worth = node.children?.length && share > 0.0005;
  return worth ? [element("span", "rest", `anything else: ${percent(share)}`)] : [];
}

function element(name, className = "", text = "") {
  return Object.assign(document.createElement(name), { className, textContent: text });
}

function render({ model, el }) {
  const widget = new DialogTreeWidget(el, settings(model));
  return () => widget.remove();
}

export default { render };
