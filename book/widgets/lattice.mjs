/**
 * A CTC lattice, by hand (Lecture 5): the reader gives every frame a symbol and sees which text the path collapses to,
 * how many other paths mean the same, and what they add up to; and bends the probabilities until another text wins.
 *
 * An anywidget module without a kernel, a library or a request: `render({ model, el })` builds the widget in `el` and
 * returns the function that removes it. One file, because the site copies only the module that a page names.
 *
 * Model (all optional): `symbols`, a list whose first entry is the blank; `probabilities`, frames × symbols; `path`, one
 * symbol a frame; `start`, the name of a prepared case. A path is an array of symbol numbers, the blank is 0.
 */

const CASES = {
  misled: {
    label: "Three frames, not sure",
    symbols: ["-", "t", "e"],
    probabilities: [[0.55, 0.4, 0.05], [0.55, 0.4, 0.05], [0.9, 0.05, 0.05]],
    path: [0, 0, 0],
  },
  tee: {
    label: "“tee”, spoken clearly",
    symbols: ["-", "t", "e"],
    probabilities: [
      [0.1, 0.85, 0.05], [0.3, 0.6, 0.1], [0.1, 0.05, 0.85], [0.75, 0.05, 0.2], [0.1, 0.05, 0.85], [0.85, 0.05, 0.1],
    ],
    path: [1, 1, 2, 0, 2, 0],
  },
  held: {
    label: "“te”, drawn out",
    symbols: ["-", "t", "e"],
    probabilities: [
      [0.1, 0.85, 0.05], [0.3, 0.6, 0.1], [0.1, 0.05, 0.85], [0.25, 0.05, 0.7], [0.1, 0.05, 0.85], [0.85, 0.05, 0.1],
    ],
    path: [1, 1, 2, 2, 2, 0],
  },
  untrained: {
    label: "A network that knows nothing",
    symbols: ["-", "t", "e"],
    probabilities: Array.from({ length: 6 }, () => [1 / 3, 1 / 3, 1 / 3]),
    path: [0, 1, 0, 2, 2, 0],
  },
};
const LISTED = 5; // texts in the table
const MOST_PATHS = 100000; // that are tried one by one

// ---------------------------------------------------------------------------------------------------- mathematics

/** What a path means: repeats merged, then blanks (0) removed. */
export function collapse(path) {
  return path.filter((symbol, t) => symbol !== 0 && symbol !== path[t - 1]);
}

/** The probability of one path: the product of its symbols' probabilities. */
export function pathProbability(probabilities, path) {
  return path.reduce((product, symbol, t) => product * probabilities[t][symbol], 1);
}

/** Blanks before, between and after the labels of a target. */
export function withBlanks(target) {
  return [0, ...target.flatMap((label) => [label, 0])];
}

/** The states of the lattice from which a path may come to state `s`. */
function sources(states, s) {
  const before = s > 0 ? [s, s - 1] : [s];
  return s > 1 && states[s] !== 0 && states[s] !== states[s - 2] ? [...before, s - 2] : before;
}

/**
 * The summed probability of all ways to each state of the lattice of `target`, (frames, states), and of all ways on.
 * `total` is what all alignments of the target add up to.
 */
export function forwardBackward(probabilities, target) {
  const states = withBlanks(target), last = probabilities.length - 1;
  const table = () => probabilities.map(() => states.map(() => 0));
  const forward = table(), backward = table();
  states.forEach((symbol, s) => { if (s < 2) forward[0][s] = probabilities[0][symbol]; });
  for (let t = 1; t <= last; t++) {
    states.forEach((symbol, s) => {
      const reached = sources(states, s).reduce((sum, source) => sum + forward[t - 1][source], 0);
      forward[t][s] = reached * probabilities[t][symbol];
    });
  }
  states.forEach((_, s) => { if (s >= states.length - 2) backward[last][s] = 1; });
  for (let t = last; t > 0; t--) {
    states.forEach((symbol, s) => {
      for (const source of sources(states, s)) {
        backward[t - 1][source] += backward[t][s] * probabilities[t][symbol];
      }
    });
  }
  const total = forward[last].slice(-2).reduce((sum, value) => sum + value, 0);
  return { states, forward, backward, total };
}

/** Every text that some path means, with how many paths do, their sum, and the best of them; the largest sum first. */
export function texts(probabilities) {
  const found = new Map(), path = probabilities.map(() => 0), symbols = probabilities[0].length;
  const visit = (t) => {
    if (t === path.length) return note();
    for (path[t] = 0; path[t] < symbols; path[t]++) visit(t + 1);
  };
  const note = () => {
    const text = collapse(path), key = text.join(), probability = pathProbability(probabilities, path);
    const entry = found.get(key) ?? { text, count: 0, sum: 0, best: 0 };
    found.set(key, entry);
    entry.count += 1;
    entry.sum += probability;
    entry.best = Math.max(entry.best, probability);
  };
  visit(0);
  return [...found.values()].sort((a, b) => b.sum - a.sum || a.text.length - b.text.length);
}

/** The likeliest symbol of each frame. */
export function bestPath(probabilities) {
  return probabilities.map((frame) => frame.indexOf(Math.max(...frame)));
}

/** The frame with the probability of one symbol set to `value` and the others sharing the rest as they did. */
export function withProbability(frame, symbol, value) {
  const rest = 1 - frame[symbol];
  return frame.map((old, other) => {
    if (other === symbol) return value;
    return rest > 1e-9 ? (old * (1 - value)) / rest : (1 - value) / (frame.length - 1);
  });
}

// -------------------------------------------------------------------------------------------------------- the words

/** A probability as people read it: 0.31, 0.0042, 0. */
export function shown(value) {
  if (value >= 0.9995) return "1";
  if (value < 1e-6) return "0";
  return value >= 0.01 ? value.toFixed(2) : Number(value.toPrecision(2)).toString();
}

/** A text in quotation marks, or “nothing” for the empty one. */
export function quoted(text, symbols) {
  return text.length ? `“${text.map((symbol) => symbols[symbol]).join("")}”` : "nothing";
}

/** What the reader's path means and what that is worth, as sentences. */
export function reading(probabilities, path, symbols) {
  const ranked = texts(probabilities), text = collapse(path), key = text.join();
  const entry = ranked.find((candidate) => candidate.text.join() === key);
  const own = `${path.map((symbol) => symbols[symbol]).join(" ")} means ${quoted(text, symbols)}`;
  const others = entry.count === 2 ? "So does 1 other path" : `So do ${entry.count - 1} other paths`;
  const all = entry.count === 1 ? "No other path does" : `${others}; together they have ${shown(entry.sum)}`;
  const winner = `while ${quoted(ranked[0].text, symbols)} has ${shown(ranked[0].sum)}`;
  const probability = shown(pathProbability(probabilities, path));
  return `${own}, with probability ${probability}. ${all}, ${ranked[0] === entry ? "and no other text has more" : winner}.`;
}

// ------------------------------------------------------------------------------------------------------ the widget

const STYLE = `
:host { display: block; container-type: inline-size; }
* { box-sizing: border-box; }
.face { --fg: var(--ink, light-dark(#1f2933, #e6e9ef)); --bg: var(--page, light-dark(#fff, #11151c));
  --quiet: var(--soft, light-dark(#52606d, #a3afbd)); --press: var(--accent, light-dark(#0b6477, #74cfe0));
  --rule: var(--line, light-dark(#d5dbe1, #3a4452)); color: var(--fg); background: var(--bg);
  font-size: 0.95rem; line-height: 1.45; }
.row { display: flex; flex-wrap: wrap; align-items: center; gap: 0.4rem 0.7rem; margin: 0 0 0.8rem; }
select, button { font: inherit; min-height: 2.5rem; border: 1px solid var(--quiet); border-radius: 6px;
  background: var(--bg); }
select { flex: 1 1 12rem; min-width: 0; padding: 0 0.7rem; color: var(--fg); }
button { flex: 1 1 8rem; padding: 0 0.4rem; color: var(--press); border-color: var(--press); cursor: pointer; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); font-size: 0.88rem; padding-bottom: 0.3rem; }
th { font-weight: 600; padding: 0.2rem; text-align: center; }
.path td { padding: 1px; }
.path label { position: relative; display: grid; place-items: center; min-height: 2.5rem; border-radius: 6px;
  border: 1px solid var(--rule); cursor: pointer; }
.path label::before { content: ""; position: absolute; inset: auto 0 0 0; height: calc(100% * var(--share));
  border-radius: 5px; background: light-dark(#cfe3f7, #1d466f); }
.path span { position: relative; }
.path input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.path label:has(:checked) { border: 3px solid light-dark(#b8500a, #f08a3c); }
.path label:has(:checked) span { font-weight: 700; }
.path label:has(:focus-visible), :focus-visible { outline: 3px solid var(--press); outline-offset: 2px; }
.reading { display: grid; align-items: center; min-height: 6.2em; margin: 0.9rem 0; padding: 0.4rem 0.9rem;
  border-left: 4px solid var(--press); font-size: 1.05em; }
fieldset { margin: 0.9rem 0; padding: 0.4rem 0.9rem 0.7rem; border: 1px solid var(--rule); border-radius: 6px; }
.sliders { display: grid; gap: 0.2rem 1.2rem; }
.sliders div { display: flex; justify-content: space-between; flex-wrap: wrap; }
input[type=range] { width: 100%; height: 1.5rem; margin: 0; accent-color: var(--press); }
.ranking { margin-top: 0.9rem; }
.ranking td, .ranking th { padding: 0.25rem 0.4rem; border-top: 1px solid var(--rule); text-align: right; }
.ranking td:first-child, .ranking th:first-child { text-align: left; }
.ranking tr[data-own] td { font-weight: 700; }
figure { margin: 0.9rem 0 0; }
figcaption, .note { color: var(--quiet); font-size: 0.88rem; }
svg { display: block; width: 100%; height: 230px; font: 12px system-ui, sans-serif; }
svg text { fill: var(--fg); }
.way { stroke: light-dark(#7a8794, #8793a0); stroke-width: 1; }
.own { stroke: light-dark(#b8500a, #f08a3c); stroke-width: 3.5; fill: none; stroke-linejoin: round; }
.dot { fill: light-dark(#1a6fd0, #4d9bf5); }
.ring { fill: var(--bg); stroke: light-dark(#7a8794, #8793a0); }
@container (min-width: 36rem) { .sliders { grid-template-columns: repeat(3, 1fr); } .reading { min-height: 3.8em; } }
`;

const BODY = `
<div class="row"><label for="case">Case</label><select id="case"></select>
  <button id="best" type="button">Take the best path</button></div>
<table class="path"><caption>One symbol for each frame; the blue level is its probability.</caption>
  <thead></thead><tbody></tbody></table>
<p class="reading" role="status"></p>
<figure><figcaption></figcaption><svg role="img" preserveAspectRatio="xMidYMid meet"></svg></figure>
<table class="ranking"><caption>The texts with the largest sums.</caption>
  <thead><tr><th scope="col">text</th><th scope="col">paths</th><th scope="col">best path</th>
  <th scope="col">sum</th></tr></thead><tbody></tbody></table>
<fieldset><legend>Probabilities in <label for="frame">frame</label> <select id="frame"></select></legend>
  <div class="sliders"></div></fieldset>
<p class="note">- is the blank. Moving one slider leaves the others the shares of the rest that they had.</p>
`;

/** The model with its defaults; throws a RangeError whose message an author can act on. */
export function settings(model) {
  const start = model.get("start") ?? "misled";
  if (!(start in CASES)) {
    throw new RangeError(`Expected “start” to be one of ${Object.keys(CASES).join(", ")}, got ${start}: choose one.`);
  }
  const given = model.get("probabilities");
  if (!given) return { cases: CASES, start };
  const symbols = model.get("symbols") ?? CASES.tee.symbols;
  checked(given, symbols);
  const path = model.get("path") ?? bestPath(given);
  return { cases: { page: { label: "From this page", symbols, probabilities: given, path }, ...CASES }, start: "page" };
}

function checked(probabilities, symbols) {
  const good = (frame) => Array.isArray(frame) && frame.length === symbols.length && frame.every((p) => p >= 0)
    && Math.abs(frame.reduce((sum, p) => sum + p, 0) - 1) < 1e-3;
  if (!Array.isArray(probabilities) || !probabilities.length || !probabilities.every(good)) {
    throw new RangeError(`Expected frames of ${symbols.length} probabilities that sum to 1, got `
      + `${JSON.stringify(probabilities)}: give one for each of ${symbols.join(" ")}.`);
  }
  const paths = symbols.length ** probabilities.length;
  if (paths > MOST_PATHS) {
    throw new RangeError(`Expected at most ${MOST_PATHS} paths to try, got ${paths}: use fewer frames or symbols.`);
  }
}

class LatticeWidget {
  ended = new AbortController(); // takes all listeners away with it

  constructor(el, { cases, start }) {
    this.cases = cases;
    this.host = el.appendChild(document.createElement("div"));
    this.root = this.host.attachShadow({ mode: "open" }); // ids and styles stay inside: a page can hold several
    this.root.innerHTML = `<style>${STYLE}</style><div class="face">${BODY}</div>`;
    this.find = (selector) => this.root.querySelector(selector);
    this.find("#case").append(...Object.entries(cases).map(([name, { label }]) => new Option(label, name)));
    this.find("#case").value = start;
    this.listen();
    this.dress();
    this.themes = new MutationObserver(() => this.dress());
    this.themes.observe(document.documentElement, { attributeFilter: ["data-theme", "class", "style"] });
    this.choose(start);
  }

  listen() {
    const on = (target, event, action) => target.addEventListener(event, action, { signal: this.ended.signal });
    on(this.find("#case"), "change", ({ target }) => this.choose(target.value));
    on(this.find("#best"), "click", () => this.take(bestPath(this.probabilities)));
    on(this.find("#frame"), "change", () => this.layOutSliders());
    on(this.find(".path"), "change", ({ target }) => this.pick(target));
    on(this.find(".sliders"), "input", ({ target }) => this.bend(Number(target.dataset.symbol), Number(target.value)));
    on(matchMedia("(prefers-color-scheme: dark)"), "change", () => this.dress());
  }

  /** Takes light or dark from the page's data-theme, else from the system. */
  dress() {
    const { theme } = document.documentElement.dataset;
    const dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
    this.host.style.colorScheme = dark ? "dark" : "light";
  }

  choose(name) {
    const { symbols, probabilities, path } = this.cases[name];
    this.symbols = symbols;
    this.probabilities = probabilities.map((frame) => [...frame]);
    this.path = [...path];
    const frames = probabilities.map((_, t) => t);
    this.find("#frame").replaceChildren(...frames.map((t) => new Option(t + 1, t)));
    this.find(".path thead").innerHTML = `<tr><th scope="col">symbol</th>${
      frames.map((t) => `<th scope="col">${t + 1}</th>`).join("")}</tr>`;
    this.find(".path tbody").innerHTML = symbols.map((symbol, s) => `<tr><th scope="row">${symbol}</th>${
      frames.map((t) => `<td><label><span></span><input type="radio" name="frame-${t}" data-frame="${t}"
        value="${s}"></label></td>`).join("")}</tr>`).join("");
    this.layOutSliders();
    this.show();
  }

  layOutSliders() {
    this.find(".sliders").innerHTML = this.symbols.map((symbol, s) => `<div><label for="slider-${s}">${
      s === 0 ? "blank" : symbol}</label><span aria-hidden="true"></span>
      <input id="slider-${s}" data-symbol="${s}" type="range" min="0" max="1" step="0.01"></div>`).join("");
    this.showSliders();
  }

  take(path) {
    this.path = path;
    this.show();
  }

  pick({ dataset, value }) {
    this.path[dataset.frame] = Number(value);
    if (this.find("#frame").value !== dataset.frame) {
      this.find("#frame").value = dataset.frame;
      this.showSliders();
    }
    this.show();
  }

  bend(symbol, value) {
    const t = this.find("#frame").value;
    this.probabilities[t] = withProbability(this.probabilities[t], symbol, value);
    this.showSliders();
    this.show();
  }

  showSliders() {
    this.root.querySelectorAll(".sliders input").forEach((slider, s) => {
      const value = this.probabilities[this.find("#frame").value][s];
      slider.value = value;
      slider.ariaValueText = shown(value);
      slider.parentElement.querySelector("span").textContent = shown(value);
    });
  }

  show() {
    for (const input of this.root.querySelectorAll(".path input")) {
      const t = Number(input.dataset.frame), s = Number(input.value), value = this.probabilities[t][s];
      input.checked = this.path[t] === s;
      input.ariaLabel = `frame ${t + 1}: ${s ? this.symbols[s] : "blank"}, probability ${shown(value)}`;
      input.parentElement.style.setProperty("--share", value);
      input.parentElement.firstElementChild.textContent = shown(value);
    }
    this.find(".reading").textContent = reading(this.probabilities, this.path, this.symbols);
    this.showRanking();
    this.draw();
  }

  showRanking() {
    const own = collapse(this.path).join(), ranked = texts(this.probabilities);
    const place = ranked.findIndex(({ text }) => text.join() === own);
    const listed = ranked.slice(0, LISTED);
    if (place >= LISTED) listed[LISTED - 1] = ranked[place];
    this.find(".ranking tbody").innerHTML = listed.map(({ text, count, sum, best }) => `
      <tr${text.join() === own ? " data-own" : ""}><td>${quoted(text, this.symbols)}${
  text.join() === own ? " (your path)" : ""}</td><td>${count}</td><td>${shown(best)}</td><td>${shown(sum)}</td></tr>`)
      .join("");
  }

  /** The lattice of the text that the reader's path means: a dot's area is the share of the sum that passes there. */
  draw() {
    const target = collapse(this.path), lattice = forwardBackward(this.probabilities, target);
    const { states, forward, backward, total } = lattice, frames = this.probabilities.length;
    const gap = { x: 310 / frames, y: Math.min(32, 190 / states.length) };
    const at = (t, s) => [42 + gap.x * (t + 0.5), 14 + gap.y * (s + 0.5)];
    const share = (t, s) => (total > 0 ? (forward[t][s] * backward[t][s]) / total : 0);
    const ways = [], dots = [];
    for (let t = 0; t < frames; t++) {
      states.forEach((_, s) => {
        const [x, y] = at(t, s), part = share(t, s);
        for (const source of t ? sources(states, s) : []) {
          const [x1, y1] = at(t - 1, source);
          const flow = total > 0 ? (forward[t - 1][source] * backward[t][s] * this.probabilities[t][states[s]]) / total : 0;
          if (flow > 0) ways.push(`<path class="way" d="M${x1} ${y1}L${x} ${y}" opacity="${0.15 + 0.85 * flow}"/>`);
        }
        dots.push(`<circle class="ring" cx="${x}" cy="${y}" r="2"/>`);
        if (part > 0) dots.push(`<circle class="dot" cx="${x}" cy="${y}" r="${11 * Math.sqrt(part)}"/>`);
      });
    }
    const own = statesOf(this.path, states).map((s, t) => at(t, s).join(" ")).join("L");
    const names = states.map((symbol, s) => `<text x="26" y="${at(0, s)[1] + 4}">${this.symbols[symbol]}</text>`);
    const times = this.probabilities.map((_, t) => `<text x="${at(t, 0)[0]}" y="222" text-anchor="middle">${t + 1}</text>`);
    const picture = this.find("svg");
    picture.setAttribute("viewBox", "0 0 360 230");
    picture.ariaLabel = `Lattice of ${quoted(target, this.symbols)}: ${states.length} states, ${frames} frames; `
      + `all alignments sum to ${shown(total)}, your path has ${shown(pathProbability(this.probabilities, this.path))}.`;
    picture.innerHTML = [...ways, `<path class="own" d="M${own}"/>`, ...dots, ...names, ...times].join("");
    this.find("figcaption").textContent = `All alignments of ${quoted(target, this.symbols)}; the dots share out their `
      + "sum, and the thick line is your path.";
  }

  close() {
    this.themes.disconnect();
    this.ended.abort();
    this.host.remove();
  }
}

/** The states of the lattice that a path of symbols goes through. */
export function statesOf(path, states) {
  let s = path[0] === 0 ? 0 : 1;
  return path.map((symbol, t) => {
    if (t && symbol !== path[t - 1]) s = states[s + 1] === symbol ? s + 1 : s + 2;
    return s;
  });
}

/** Builds the widget in `el`, or says there what the page got wrong; returns the function that removes it. */
function render({ model, el }) {
  try {
    const widget = new LatticeWidget(el, settings(model));
    return () => widget.close();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const notice = el.appendChild(document.createElement("p"));
    notice.role = "alert";
    notice.textContent = error.message;
    return () => notice.remove();
  }
}

export default { render };
