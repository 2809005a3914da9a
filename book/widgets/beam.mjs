/**
 * A beam search, step by step (Lecture 4): eleven frames of a caller who says “to end” with a mumbled vowel, a graph of
 * three answers, and sliders for the beam, the number of tokens and the frame. One sees which tokens live, what is
 * pruned, and where the right answer is lost.
 *
 * An anywidget module without a kernel, a library or a request: `render({ model, el })` builds the widget in `el` and
 * returns the function that removes it.
 *
 * Model (all optional): `beam` (a cost; 0 to 12), `most` (tokens, 1 to 7) and `frame` (1 to 11), where the sliders start.
 */

/** The graph: a row a state. `unit` is the sound that the state fits, `before` the states that lead to it. */
export const STATES = [
  { name: "T", unit: "T", before: [], word: null },
  { name: "EH", unit: "EH", before: [0], word: null },
  { name: "N", unit: "N", before: [1], word: "ten" },
  { name: "UW", unit: "UW", before: [0], word: "two" },
  { name: "EH", unit: "EH", before: [3], word: null },
  { name: "N", unit: "N", before: [4], word: null },
  { name: "D", unit: "D", before: [5], word: "to end" },
];
const STAY = 0.5, LEAVE = 1; // costs of remaining in a state for a frame, and of going on

/** How badly each sound fits each frame, a cost: what the acoustic model says. */
export const COSTS = {
  T: [0.5, 0.6, 4.5, 6, 7, 7, 7, 7, 6, 5, 5],
  UW: [5, 5, 5.1, 5, 4.6, 5, 6, 6, 6, 6, 6],
  EH: [6, 5, 1.2, 1, 0.8, 0.7, 3.5, 5, 5, 5, 5],
  N: [6, 6, 5, 5, 4, 3, 0.8, 0.6, 1.2, 4.5, 5],
  D: [4, 4, 6, 6, 6, 6, 4, 4, 3, 0.6, 0.5],
};
export const FRAMES = COSTS.T.length;

/**
 * Token passing with a beam and a limit on the number of tokens.
 * @param {number} beam a token dies when it costs more than this above the cheapest of its frame
 * @param {number} most of those within the beam, so many of the cheapest live on
 * @returns frames: for each, the cost of a token in every state (Infinity for none) and whether it lives; the words and
 *   the states of the cheapest token that ends in a word, its cost; and how many steps were tried
 */
export function search(beam, most = STATES.length) {
  const frames = [];
  let tried = 0, tokens = [{ state: null, cost: 0, path: [] }];
  for (let t = 0; t < FRAMES; t++) {
    const arrivals = new Map();
    for (const token of tokens) {
      for (const state of next(token.state)) {
        tried += 1;
        const step = token.state === null ? 0 : state === token.state ? STAY : LEAVE;
        const cost = token.cost + step + COSTS[STATES[state].unit][t];
        if (!(arrivals.get(state)?.cost <= cost)) arrivals.set(state, { state, cost, path: [...token.path, state] });
      }
    }
    tokens = prune([...arrivals.values()], beam, most);
    const alive = new Set(tokens.map(({ state }) => state));
    frames.push(STATES.map((_, s) => ({ cost: arrivals.get(s)?.cost ?? Infinity, alive: alive.has(s) })));
  }
  const ended = tokens.filter(({ state }) => STATES[state].word).sort((a, b) => a.cost - b.cost)[0];
  return { frames, tried, words: ended && STATES[ended.state].word, cost: ended?.cost ?? Infinity, path: ended?.path ?? [] };
}

function next(state) {
  if (state === null) return [0];
  return [state, ...STATES.flatMap(({ before }, s) => (before.includes(state) ? [s] : []))];
}

function prune(tokens, beam, most) {
  const least = Math.min(...tokens.map(({ cost }) => cost));
  const within = tokens.filter(({ cost }) => cost - least <= beam);
  return within.sort((a, b) => a.cost - b.cost || a.state - b.state).slice(0, most);
}

const BEST = search(Infinity), RIGHT = BEST.path; // the right answer, and its state in each frame

/** How far the right answer is behind the cheapest token in each frame when nothing is pruned: (FRAMES,). */
export function gaps() {
  return BEST.frames.map((tokens, t) => tokens[RIGHT[t]].cost - Math.min(...tokens.map(({ cost }) => cost)));
}

const shown = (cost) => cost.toFixed(1);

/** What happens in a frame (counted from 0), as a sentence or two. */
export function reading({ frames, tried, words, cost }, frame) {
  const tokens = frames[frame], reached = tokens.filter((token) => token.cost < Infinity);
  const least = Math.min(...tokens.map((token) => token.cost));
  const alive = reached.filter((token) => token.alive).length, right = tokens[RIGHT[frame]];
  const lost = RIGHT.findIndex((state, t) => !frames[t][state].alive);
  const head = `Frame ${frame + 1} of ${FRAMES}: ${alive} of ${reached.length} tokens live on.`;
  const behind = right.cost - least;
  const where = behind ? `${shown(behind)} behind the cheapest` : "the cheapest of all";
  let fate = `“To end” is ${where}.`;
  if (lost === frame) fate = `“To end” is ${where}, and is lost here.`;
  if (lost >= 0 && lost < frame) fate = `“To end” was lost in frame ${lost + 1}.`;
  if (frame < FRAMES - 1) return `${head} ${fate}`;
  const work = `${tried} steps were tried, ${BEST.tried} without pruning.`;
  if (!words) return `${head} No token has reached the end of a word: nothing is recognised. ${work}`;
  const verdict = words === BEST.words ? "as it should be" : `though “${BEST.words}” costs ${shown(BEST.cost)}: a search error`;
  return `${head} Recognised: “${words}” at ${shown(cost)}, ${verdict}. ${work}`;
}

// --------------------------------------------------------------------------------------------------------- picture

const LEFT = 92, TOP = 30, ACROSS = 24, DOWN = 30, WIDTH = LEFT + FRAMES * ACROSS + 46, HEIGHT = TOP + STATES.length * DOWN;
const x = (frame) => LEFT + frame * ACROSS + ACROSS / 2, y = (state) => TOP + state * DOWN + DOWN / 2;
const ROWS = ["T", "EH · ten", "N · ten", "UW · two, to", "EH · end", "N · end", "D · end"];

/** The trellis as SVG markup: states down, frames across, up to the chosen frame. */
function picture(found, frame) {
  const names = ROWS.map((name, s) => `<text x="0" y="${y(s) + 4.5}">${name}</text>`);
  const numbers = Array.from({ length: FRAMES }, (_, t) => `<text class="t" x="${x(t)}" y="18">${t + 1}</text>`);
  const band = `<rect class="now" x="${x(frame) - ACROSS / 2}" y="${TOP - 4}" width="${ACROSS}" height="${HEIGHT - TOP + 4}"/>`;
  const path = (states, name) => {
    const points = states.slice(0, frame + 1).map((state, t) => `${x(t)},${y(state)}`).join(" ");
    return `<polyline class="${name}" points="${points}"/>`;
  };
  const last = frame === FRAMES - 1 ? path(found.path, "found") : "";
  return [band, ...names, ...numbers, last, path(RIGHT, "right"), ...found.frames.flatMap((tokens, t) =>
    tokens.map((token, s) => dot(t <= frame ? token : null, x(t), y(s)))), ...costs(found.frames[frame], frame)].join("");
}

function dot(token, cx, cy) {
  if (!token || token.cost === Infinity) return `<circle class="none" cx="${cx}" cy="${cy}" r="1.6"/>`;
  if (token.alive) return `<circle class="alive" cx="${cx}" cy="${cy}" r="7"/>`;
  return `<path class="dead" d="M${cx - 5} ${cy - 5}l10 10m0-10l-10 10"/>`;
}

/** Beside the tokens of a frame, how much each costs above the cheapest. */
function costs(tokens, frame) {
  const least = Math.min(...tokens.map(({ cost }) => cost));
  return tokens.map(({ cost }, s) => cost === Infinity ? "" :
    `<text class="cost" x="${x(frame) + 13}" y="${y(s) + 4.5}">+${shown(cost - least)}</text>`);
}

// ------------------------------------------------------------------------------------------------------ the widget

const STYLE = `
:host { display: block; container-type: inline-size; }
* { box-sizing: border-box; }
.face { --fg: var(--ink, light-dark(#1f2933, #e6e9ef)); --quiet: var(--soft, light-dark(#52606d, #a3afbd));
  --press: var(--accent, light-dark(#0b6477, #74cfe0)); --token: light-dark(#1a6fd0, #4d9bf5);
  --truth: light-dark(#b8500a, #f08a3c); --rule: light-dark(#e4e9ee, #2a323d);
  color: var(--fg); font-size: 0.95rem; line-height: 1.45; }
.controls { display: grid; gap: 0.8rem 1.5rem; }
.controls > div { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0.2rem 0.6rem; }
input { width: 100%; height: 1.5rem; margin: 0; accent-color: var(--press); }
.value { font-variant-numeric: tabular-nums; }
:focus-visible { outline: 3px solid var(--press); outline-offset: 2px; }
.reading { display: grid; align-items: center; min-height: 9em; margin: 1rem 0 0.7rem; padding: 0.4rem 0.9rem;
  border-left: 4px solid var(--press); font-size: 1.05em; }
svg { display: block; width: 100%; max-width: 34rem; height: auto; }
text { font: 12.5px system-ui, sans-serif; fill: var(--fg); }
.t { text-anchor: middle; fill: var(--quiet); }
.cost { paint-order: stroke; stroke: var(--page, light-dark(#fff, #11151c)); stroke-width: 4px; font-size: 12px; }
.now { fill: var(--rule); }
.none { fill: var(--quiet); }
.alive { fill: var(--token); }
.dead { stroke: var(--quiet); stroke-width: 2.4; fill: none; }
polyline { fill: none; stroke-linejoin: round; }
.right { stroke: var(--truth); stroke-width: 2.4; stroke-dasharray: 6 4; }
.found { stroke: var(--token); stroke-width: 5; opacity: 0.55; }
.key { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; margin: 0.6rem 0 0; padding: 0; list-style: none; font-size: 0.88rem; }
.key svg { display: inline-block; width: 1.8em; height: 1em; margin-right: 0.4em; vertical-align: middle; }
@container (min-width: 36rem) {
  .controls { grid-template-columns: 1fr 1fr 1fr; }
  .reading { min-height: 5.5em; }
}
`;

const slider = (id, name, range) => `
  <div><label for="${id}">${name}</label><span class="value" aria-hidden="true"></span>
    <input id="${id}" type="range" ${range}></div>`;
const sign = (mark, name) => `<li><svg viewBox="0 0 30 16" aria-hidden="true">${mark}</svg>${name}</li>`;

const BODY = `
<div class="controls">
  ${slider("beam", "Beam", 'min="0" max="12" step="0.5"')}
  ${slider("most", "Tokens at most", `min="1" max="${STATES.length}"`)}
  ${slider("frame", "Frame", `min="1" max="${FRAMES}"`)}
</div>
<p class="reading" role="status"></p>
<svg class="trellis" role="img" viewBox="0 0 ${WIDTH} ${HEIGHT}"></svg>
<ul class="key">
  ${sign('<circle class="alive" cx="15" cy="8" r="7"/>', "a token that lives on")}
  ${sign('<path class="dead" d="M10 3l10 10m0-10l-10 10"/>', "pruned")}
  ${sign('<polyline class="right" points="0,8 30,8"/>', "what the caller said: to end")}
  ${sign('<polyline class="found" points="0,8 30,8"/>', "what is recognised")}
</ul>
`;

/** The model with its defaults; throws a RangeError that says what a page may ask for. */
export function settings(model) {
  const limits = { beam: [4, 0, 12], most: [STATES.length, 1, STATES.length], frame: [1, 1, FRAMES] };
  return Object.fromEntries(Object.entries(limits).map(([name, [usual, low, high]]) => {
    const value = model.get(name) ?? usual;
    if (!(value >= low && value <= high)) {
      throw new RangeError(`Expected “${name}” from ${low} to ${high}, got ${JSON.stringify(value)}: try ${usual}.`);
    }
    return [name, value];
  }));
}

class BeamWidget {
  ended = new AbortController(); // takes all listeners away with it

  constructor(el, start) {
    this.host = el.appendChild(document.createElement("div"));
    this.root = this.host.attachShadow({ mode: "open" }); // ids and styles stay inside: a page can hold several
    this.root.innerHTML = `<style>${STYLE}</style><div class="face">${BODY}</div>`;
    this.sliders = [...this.root.querySelectorAll("input")];
    for (const input of this.sliders) {
      input.value = start[input.id];
      input.addEventListener("input", () => this.show(), { signal: this.ended.signal });
    }
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", () => this.dress(), { signal: this.ended.signal });
    this.themes = new MutationObserver(() => this.dress());
    this.themes.observe(document.documentElement, { attributeFilter: ["data-theme", "class", "style"] });
    this.dress();
    this.show();
  }

  /** Takes light or dark from the page's data-theme, else from the system. */
  dress() {
    const { theme } = document.documentElement.dataset, system = matchMedia("(prefers-color-scheme: dark)");
    this.host.style.colorScheme = theme === "dark" || (theme !== "light" && system.matches) ? "dark" : "light";
  }

  show() {
    const [beam, most, frame] = this.sliders.map((input) => Number(input.value));
    const texts = [shown(beam), `${most} of ${STATES.length}`, `${frame} of ${FRAMES}`];
    this.sliders.forEach((input, i) => {
      input.setAttribute("aria-valuetext", texts[i]);
      input.parentElement.querySelector(".value").textContent = texts[i];
    });
    const found = search(beam, most), sentence = reading(found, frame - 1);
    this.root.querySelector(".reading").textContent = sentence;
    const trellis = this.root.querySelector(".trellis");
    trellis.setAttribute("aria-label", `Seven states down, ${FRAMES} frames across, drawn to frame ${frame}. ${sentence}`);
    trellis.innerHTML = picture(found, frame - 1);
  }

  remove() {
    this.ended.abort();
    this.themes.disconnect();
    this.host.remove();
  }
}

export default {
  render({ model, el }) {
    const widget = new BeamWidget(el, settings(model));
    return () => widget.remove();
  },
};
