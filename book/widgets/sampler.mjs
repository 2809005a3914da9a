/**
 * What may come next, and what the knobs leave of it (Lecture 7): a next-token distribution of a language model with
 * sliders for temperature, top-k, top-p and min-p, and a button that draws from what remains.
 *
 * An anywidget module without a kernel, a library or a request: `render({ model, el })` builds the widget in `el` and
 * returns the function that removes it. One file, because the site copies only the module that a page names.
 *
 * Model: `context`, the text so far; `tokens`, a list of `[text, logit]`, likeliest first; `tail` (optional), the tokens
 * that are not listed, as `[logit, count]`, each entry standing for `count` tokens that share a logit. `temperature`,
 * `topK`, `topP`, `minP` (optional) say where the sliders start. The filters come in this order, each on what the one
 * before it left, as in `course.language.sampling`; of equal tokens at a border of top-k or top-p the first are kept.
 */

const BARS = 12; // tokens that get a bar of their own
const KNOBS = {
  temperature: { label: "Temperature", min: 0.1, max: 3, step: 0.1, start: 1, show: (v) => v.toFixed(1) },
  topK: { label: "Top-k", min: 0, max: 5, step: 0.25, start: 5, show: (v, n) => count(cut(v, n), n) },
  topP: { label: "Top-p", min: 0.05, max: 1, step: 0.05, start: 1, show: (v) => (v >= 1 ? "off" : v.toFixed(2)) },
  minP: { label: "Min-p", min: 0, max: 0.5, step: 0.01, start: 0, show: (v) => (v <= 0 ? "off" : v.toFixed(2)) },
};

// ---------------------------------------------------------------------------------------------------- mathematics

/** The k of a slider that runs over powers of ten; at its right end, all of `total` tokens. */
export function cut(power, total) {
  return power >= KNOBS.topK.max ? total : Math.min(total, Math.round(10 ** power));
}

/** Groups of equally likely tokens, likeliest first: { text, logit, count, p }, with p that of one token. */
export function softened(tokens, tail, temperature) {
  const groups = [...tokens.map(([text, logit]) => ({ text, logit, count: 1 })),
    ...tail.map(([logit, size]) => ({ text: null, logit, count: size }))].sort((a, b) => b.logit - a.logit);
  const most = groups[0].logit;
  const weights = groups.map(({ logit }) => Math.exp((logit - most) / temperature));
  const sum = groups.reduce((total, group, i) => total + group.count * weights[i], 0);
  return groups.map((group, i) => ({ ...group, kept: group.count, p: weights[i] / sum }));
}

/** What is left after top-k, top-p and min-p; `kept` says how many tokens of a group remain. */
export function filtered(groups, { topK, topP, minP }) {
  const afterK = renormalised(keepTopK(groups, topK));
  const afterP = renormalised(topP >= 1 ? afterK : keepTopP(afterK, topP));
  return renormalised(afterP.map((group) => ({ ...group, kept: group.p >= minP * afterP[0].p ? group.kept : 0 })));
}

function keepTopK(groups, k) {
  let room = k;
  return groups.map((group) => {
    const kept = Math.min(group.kept, room);
    room -= kept;
    return { ...group, kept };
  });
}

function keepTopP(groups, p) {
  let before = 0;
  return groups.map((group) => {
    const wanted = group.p > 0 ? Math.ceil((p - before) / group.p - 1e-9) : 0;
    const kept = Math.max(0, Math.min(group.kept, wanted));
    before += group.kept * group.p;
    return { ...group, kept };
  });
}

function renormalised(groups) {
  const sum = groups.reduce((total, { kept, p }) => total + kept * p, 0);
  return groups.map((group) => ({ ...group, p: group.kept ? group.p / sum : 0 }));
}

/** One token drawn, by a number from 0 to 1: its group. */
export function drawn(groups, at) {
  let sum = 0;
  for (const group of groups) {
    sum += group.kept * group.p;
    if (at < sum) return group;
  }
  return groups.findLast(({ kept }) => kept > 0);
}

/** The model with its defaults; throws a RangeError whose message an author or a reader can act on. */
export function settings(model) {
  const tokens = model.get("tokens"), tail = model.get("tail") ?? [], context = model.get("context") ?? "";
  if (!Array.isArray(tokens) || !tokens.length || !tokens.every(isToken)) {
    throw new RangeError('Expected “tokens” as a list of [text, logit]: try [[" card", 1.5], [" phone", 0.2]].');
  }
  if (!Array.isArray(tail) || !tail.every(isShare)) {
    throw new RangeError("Expected “tail” as a list of [logit, count], count of 1 or more: try [[-8, 40000]].");
  }
  const starts = Object.entries(KNOBS).map(([name, { start, min, max }]) => {
    const value = model.get(name) ?? start;
    if (!(value >= min && value <= max)) {
      throw new RangeError(`Expected “${name}” from ${min} to ${max}, got ${value}: try ${start}.`);
    }
    return [name, value];
  });
  return { tokens, tail, context, starts: Object.fromEntries(starts) };
}

const isToken = (entry) => Array.isArray(entry) && typeof entry[0] === "string" && Number.isFinite(entry[1]);
const isShare = (entry) => Array.isArray(entry) && Number.isFinite(entry[0]) && Number.isInteger(entry[1]) && entry[1] > 0;

/** What remains, as a sentence. */
export function reading(groups) {
  const left = groups.reduce((total, { kept }) => total + kept, 0), best = groups[0];
  const rest = others(groups).share, name = shown(best.text);
  const many = left === 1 ? "1 token remains" : `${left.toLocaleString("en-GB")} tokens remain`;
  return `${many}. The likeliest, ${name}, has ${percent(best.p)}; those without a bar have ${percent(rest)} together.`;
}

/** How many tokens without a bar remain, and what they have together. */
export function others(groups) {
  const listed = bars(groups), hidden = groups.filter((group) => !listed.includes(group));
  return { left: hidden.reduce((n, { kept }) => n + kept, 0), share: hidden.reduce((n, { kept, p }) => n + kept * p, 0) };
}

const bars = (groups) => groups.filter(({ text }) => text !== null).slice(0, BARS);
const percent = (share) => (share > 0 && share < 0.001 ? "less than 0.1 %" : `${(100 * share).toFixed(1)} %`);
const shown = (text) => (text === null ? "one of the others" : `“${text.trim() || text.replace("\n", "⏎")}”`);
const count = (k, total) => (k >= total ? "off" : k.toLocaleString("en-GB"));

// ------------------------------------------------------------------------------------------------------ the widget

const STYLE = `
:host { display: block; }
* { box-sizing: border-box; }
.face { --fg: var(--ink, light-dark(#1f2933, #e6e9ef)); --bg: var(--page, light-dark(#fff, #11151c));
  --quiet: var(--soft, light-dark(#52606d, #a3afbd)); --press: var(--accent, light-dark(#0b6477, #74cfe0));
  --rule: var(--line, light-dark(#d5dbe1, #3a4452)); --bar: light-dark(#1a6fd0, #4d9bf5);
  color: var(--fg); background: var(--bg); font-size: 0.95rem; line-height: 1.45; }
.context { margin: 0 0 0.8rem; padding: 0.4rem 0.9rem; border-left: 4px solid var(--rule); }
.context b { color: var(--press); }
.knobs { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 0.5rem 1.5rem; }
.knob { display: grid; grid-template-columns: 1fr auto; }
.knob input { grid-column: 1 / -1; width: 100%; height: 1.5rem; margin: 0; accent-color: var(--press); }
.value { font-variant-numeric: tabular-nums; }
:focus-visible { outline: 3px solid var(--press); outline-offset: 2px; }
.reading { display: grid; align-items: center; min-height: 4.5em; margin: 0.8rem 0; padding: 0.4rem 0.9rem;
  border-left: 4px solid var(--press); }
@media (max-width: 40rem) { .reading { min-height: 12em; } .knob label { min-height: 2lh; } }
.rows { margin: 0 0 0.8rem; }
.row { display: grid; grid-template-columns: 7.5rem 1fr 4rem; align-items: center; gap: 0.6rem; height: 1.5rem; }
.name { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; text-align: right; }
.track { height: 0.9rem; border-bottom: 1px solid var(--rule); }
.track i { display: block; height: 100%; background: var(--bar); }
.gone { color: var(--quiet); text-decoration: line-through; }
.number { font-variant-numeric: tabular-nums; }
.buttons { display: flex; flex-wrap: wrap; gap: 0.6rem; }
button { font: inherit; padding: 0.35rem 0.9rem; color: var(--fg); background: var(--bg); border: 1px solid var(--press);
  border-radius: 6px; cursor: pointer; }
.drawn { min-height: 6em; margin: 0.6rem 0 0; }
`;

const BODY = `
<p class="context"><span></span> <b aria-hidden="true">…</b></p>
<div class="knobs">${Object.entries(KNOBS).map(([name, { label, min, max, step }]) => `
  <div class="knob"><label for="${name}">${label}</label><span class="value" aria-hidden="true"></span>
  <input id="${name}" type="range" min="${min}" max="${max}" step="${step}"></div>`).join("")}
</div>
<p class="reading" role="status"></p>
<div class="rows" role="img"></div>
<div class="buttons"><button type="button" id="draw">Draw ten tokens</button>
<button type="button" id="reset">Reset the sliders</button></div>
<p class="drawn" aria-live="polite"></p>
`;

class SamplerWidget {
  ended = new AbortController(); // takes all listeners away with it

  constructor(el, { tokens, tail, context, starts }) {
    [this.tokens, this.tail, this.starts] = [tokens, tail, starts];
    this.total = tokens.length + tail.reduce((sum, [, size]) => sum + size, 0);
    this.host = el.appendChild(document.createElement("div"));
    this.root = this.host.attachShadow({ mode: "open" }); // ids and styles stay inside: a page can hold several
    this.root.innerHTML = `<style>${STYLE}</style><div class="face">${BODY}</div>`;
    this.root.querySelector(".context span").textContent = context;
    const signal = this.ended.signal;
    for (const name of Object.keys(KNOBS)) this.knob(name).addEventListener("input", () => this.show(), { signal });
    this.root.querySelector("#draw").addEventListener("click", () => this.draw(), { signal });
    this.root.querySelector("#reset").addEventListener("click", () => this.reset(), { signal });
    this.themes = new MutationObserver(() => this.dress());
    this.themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.dress();
    this.reset();
  }

  knob(name) {
    return this.root.querySelector(`#${name}`);
  }

  /** Takes light or dark from the page's data-theme, else from the system. */
  dress() {
    const { theme } = document.documentElement.dataset;
    this.host.style.colorScheme = theme === "dark" || theme === "light" ? theme : "light dark";
  }

  reset() {
    for (const [name, value] of Object.entries(this.starts)) this.knob(name).value = value;
    this.show();
  }

  remaining() {
    const [temperature, power, topP, minP] = Object.keys(KNOBS).map((name) => Number(this.knob(name).value));
    const groups = softened(this.tokens, this.tail, temperature);
    return filtered(groups, { topK: cut(power, this.total), topP, minP });
  }

  show() {
    for (const [name, { show }] of Object.entries(KNOBS)) {
      const value = show(Number(this.knob(name).value), this.total);
      this.knob(name).setAttribute("aria-valuetext", value);
      this.knob(name).parentElement.querySelector(".value").textContent = value;
    }
    const groups = this.remaining(), said = reading(groups), rest = others(groups);
    this.root.querySelector(".reading").textContent = said;
    this.root.querySelector(".drawn").textContent = "";
    const rows = bars(groups).map(({ text, kept, p }) => row(shown(text), p, kept > 0));
    if (this.total > rows.length) {
      const name = `${(this.total - rows.length).toLocaleString("en-GB")} others`;
      rows.push(row(name, rest.share, rest.left > 0));
    }
    const picture = this.root.querySelector(".rows");
    picture.setAttribute("aria-label", `Bars of probability. ${said}`);
    picture.replaceChildren(...rows);
  }

  draw() {
    const groups = this.remaining();
    const found = Array.from({ length: 10 }, () => drawn(groups, Math.random()).text);
    const names = found.map((text) => (text === null ? "(another)" : text.trim() || "⏎"));
    this.root.querySelector(".drawn").textContent = `Drawn: ${names.join(", ")}.`;
  }

  remove() {
    this.ended.abort();
    this.themes.disconnect();
    this.host.remove();
  }
}

function row(name, share, left) {
  const line = element("div", "row");
  line.append(element("span", left ? "name" : "name gone", name));
  const bar = line.appendChild(element("span", "track")).appendChild(element("i"));
  bar.style.width = `${100 * share}%`;
  line.append(element("span", "number", left ? percent(share).replace("less than ", "< ") : "–"));
  return line;
}

function element(name, className = "", text = "") {
  return Object.assign(document.createElement(name), { className, textContent: text });
}

function render({ model, el }) {
  const widget = new SamplerWidget(el, settings(model));
  return () => widget.remove();
}

export default { render };
