/**
 * A batcher with its two numbers (Lecture 10): how many requests a batch may have, and how long its first one waits for
 * company. One second of requests that come at random, when each leaves, and with whom; the engine is always free.
 *
 * An anywidget module without a kernel, a library or a request: `render({ model, el })` builds the widget in `el` and
 * returns the function that removes it. One file, because the site copies only the module that a page names.
 *
 * Model (all optional): `rate`, requests a second; `most`, requests in a batch; `wait`, milliseconds: where the sliders
 * start.
 */

const KNOBS = {
  rate: { label: "Requests a second", unit: "", least: 5, most: 200, step: 5, start: 60 },
  most: { label: "Most in a batch", unit: "", least: 1, most: 16, step: 1, start: 8 },
  wait: { label: "Longest wait for company", unit: " ms", least: 0, most: 200, step: 5, start: 50 },
};
const SEED = 10;
const PLOT = { width: 640, height: 150, left: 10, right: 630, top: 34, bottom: 104 };

// ---------------------------------------------------------------------------------------------------- mathematics

/** Moments in seconds, within one second, at which requests come: gaps are exponential, the same ones for each rate. */
export function arrivals(rate) {
  let state = SEED, now = 0;
  const random = () => { // mulberry32, by T. Ettinger
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const moments = [];
  while ((now -= Math.log(1 - random()) / rate) < 1) moments.push(now);
  return moments;
}

/** Batches as `{ leaves, came }`, seconds: each leaves with `most` requests, or when its first has waited `wait` seconds. */
export function batches(moments, most, wait) {
  const left = [];
  let waiting = [];
  for (const now of [...moments, Infinity]) {
    if (waiting.length && waiting[0] + wait < now) {
      left.push({ leaves: waiting[0] + wait, came: waiting });
      waiting = [];
    }
    waiting.push(now);
    if (waiting.length === most && now < Infinity) {
      left.push({ leaves: now, came: waiting });
      waiting = [];
    }
  }
  return left;
}

/** Where the sliders start; throws a RangeError whose message an author can act on. */
export function settings(model) {
  const chosen = {};
  for (const [name, { least, most, step, start }] of Object.entries(KNOBS)) {
    chosen[name] = model.get(name) ?? start;
    if (!(chosen[name] >= least && chosen[name] <= most && chosen[name] % step === least % step)) {
      throw new RangeError(`Expected “${name}” from ${least} to ${most} in steps of ${step}, got ${chosen[name]}: try ${start}.`);
    }
  }
  return chosen;
}

/** What a batcher does to the requests, as a sentence. */
export function reading(left, most) {
  const count = left.reduce((sum, { came }) => sum + came.length, 0);
  if (!count) return "Nobody came in this second.";
  const waits = left.flatMap(({ leaves, came }) => came.map((one) => 1000 * (leaves - one)));
  const mean = waits.reduce((sum, one) => sum + one, 0) / count, full = left.filter(({ came }) => came.length === most).length;
  return `${count} requests leave in ${left.length} ${left.length === 1 ? "batch" : "batches"}, ${(count / left.length).toFixed(1)}`
    + ` in each on average; ${full} ${full === 1 ? "is" : "are"} full. They wait ${mean.toFixed(0)} ms on average and ${Math.max(...waits).toFixed(0)} ms at most.`;
}

// ------------------------------------------------------------------------------------------------------ the widget

const STYLE = `
:host { display: block; }
* { box-sizing: border-box; }
.face { --fg: var(--ink, light-dark(#1f2933, #e6e9ef)); --bg: var(--page, light-dark(#fff, #11151c));
  --press: var(--accent, light-dark(#0b6477, #74cfe0)); --rule: var(--line, light-dark(#d5dbe1, #3a4452));
  color: var(--fg); background: var(--bg); font-size: 0.95rem; line-height: 1.45; }
.knobs { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 0.6rem 1.2rem; }
.knob { display: grid; grid-template-columns: 1fr auto; align-content: start; }
.knob input { grid-column: 1 / -1; width: 100%; height: 2rem; margin: 0; accent-color: var(--press); }
.value { font-variant-numeric: tabular-nums; }
:focus-visible { outline: 3px solid var(--press); outline-offset: 2px; }
svg { display: block; width: 100%; height: auto; margin: 0.8rem 0 0; }
svg text { fill: var(--fg); font-size: 12px; }
svg .axis { stroke: var(--rule); }
svg .came { stroke: var(--fg); stroke-width: 1.4; }
svg .way { stroke: var(--press); stroke-width: 1; opacity: 0.8; }
svg circle { fill: var(--press); }
svg circle.full { stroke: var(--fg); stroke-width: 2; }
.reading { display: grid; align-items: center; min-height: 7.5em; margin: 0.6rem 0 0; padding: 0.4rem 0.9rem;
  border-left: 4px solid var(--press); }
@media (min-width: 40rem) { .reading { min-height: 4.5em; } }
`;

const BODY = `
<div class="knobs">${Object.entries(KNOBS).map(([name, { label, least, most, step }]) => `
  <div class="knob"><label for="${name}">${label}</label><span class="value" aria-hidden="true"></span>
  <input id="${name}" type="range" min="${least}" max="${most}" step="${step}"></div>`).join("")}
</div>
<div class="picture" role="img"></div>
<p class="reading" role="status"></p>
`;

class BatcherWidget {
  ended = new AbortController(); // takes all listeners away with it

  constructor(el, chosen) {
    this.host = el.appendChild(document.createElement("div"));
    this.root = this.host.attachShadow({ mode: "open" }); // ids and styles stay inside: a page can hold several
    this.root.innerHTML = `<style>${STYLE}</style><div class="face">${BODY}</div>`;
    for (const name of Object.keys(KNOBS)) {
      this.control(name).value = chosen[name];
      this.control(name).addEventListener("input", () => this.show(), { signal: this.ended.signal });
    }
    this.themes = new MutationObserver(() => this.dress());
    this.themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.dress();
    this.show();
  }

  control(name) {
    return this.root.querySelector(`#${name}`);
  }

  /** Takes light or dark from the page's data-theme, else from the system. */
  dress() {
    const { theme } = document.documentElement.dataset;
    this.host.style.colorScheme = theme === "dark" || theme === "light" ? theme : "light dark";
  }

  show() {
    const chosen = {};
    for (const [name, { unit }] of Object.entries(KNOBS)) {
      chosen[name] = Number(this.control(name).value);
      const value = `${chosen[name]}${unit}`;
      this.control(name).setAttribute("aria-valuetext", value);
      this.control(name).parentElement.querySelector(".value").textContent = value;
    }
    const left = batches(arrivals(chosen.rate), chosen.most, chosen.wait / 1000), said = reading(left, chosen.most);
    this.root.querySelector(".reading").textContent = said;
    const picture = this.root.querySelector(".picture");
    picture.setAttribute("aria-label", `Requests above, batches below, over a second and what follows. ${said}`);
    picture.innerHTML = drawing(left, chosen.most);
  }

  remove() {
    this.ended.abort();
    this.themes.disconnect();
    this.host.remove();
  }
}

/** Requests as strokes above, batches as discs below, and the way of each from one to the other. */
function drawing(left, most) {
  const end = 1 + KNOBS.wait.most / 1000;
  const x = (seconds) => (PLOT.left + (seconds / end) * (PLOT.right - PLOT.left)).toFixed(1);
  const ways = left.flatMap(({ leaves, came }) => came.map((one) => `<path class="way" d="M${x(one)} ${PLOT.top}L${x(leaves)} ${PLOT.bottom}"/>
    <path class="came" d="M${x(one)} ${PLOT.top - 8}V${PLOT.top}"/>`));
  const discs = left.map(({ leaves, came }) => `<circle class="${came.length === most ? "full" : ""}" cx="${x(leaves)}"
    cy="${PLOT.bottom + 4}" r="${(2 + 1.7 * Math.sqrt(came.length)).toFixed(1)}"/>`);
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].map((at) => `<path class="axis" d="M${x(at)} ${PLOT.bottom + 16}v5"/>
    <text x="${x(at)}" y="${PLOT.bottom + 34}" text-anchor="${at ? "middle" : "start"}">${at} s</text>`);
  return `<svg viewBox="0 0 ${PLOT.width} ${PLOT.height}" aria-hidden="true"><text x="${PLOT.left}" y="16">requests come</text>
    <path class="axis" d="M${PLOT.left} ${PLOT.bottom + 16}H${PLOT.right}"/>${ticks.join("")}${ways.join("")}${discs.join("")}
    <text x="${PLOT.right}" y="${PLOT.height - 4}" text-anchor="end">batches leave</text></svg>`;
}

function render({ model, el }) {
  const widget = new BatcherWidget(el, settings(model));
  return () => widget.remove();
}

export default { render };
