/**
 * A stream of ended calls, when each happened against when it arrived (Lecture 8): move the length of the windows, how far
 * the watermark lags behind the clock and how long a window is kept for late calls, and see which calls are in a window's
 * first result, which change it later, and which are dropped.
 *
 * An anywidget module without a kernel, a library or a request: `render({ model, el })` builds the widget in `el` and
 * returns the function that removes it. One file, because the site copies only the module that a page names.
 *
 * Model (all optional): `size`, `lag`, `lateness`, seconds: where the sliders start; `seed`, a whole number. The rules are
 * those of `course.pipelines.streaming.panes`, with a watermark that is the time of arrival minus the lag.
 */

const KNOBS = {
  size: { label: "Length of a window", least: 10, most: 60, step: 10, start: 30 },
  lag: { label: "Lag of the watermark", least: 0, most: 60, step: 5, start: 10 },
  lateness: { label: "Allowed lateness", least: 0, most: 90, step: 5, start: 30 },
};
export const SPAN = 120; // seconds in which calls end
const CALLS = 48;
const OFFLINE = { share: 0.2, least: 15, most: 90 }; // reports that wait for a connection, seconds
const USUAL = 5; // seconds that the others take on average
const PLOT = { width: 360, height: 330, left: 42, right: 350, top: 24, bottom: 278, latest: 216 };
const SHAPES = { "on time": "circle", late: "square", dropped: "cross" };

// ---------------------------------------------------------------------------------------------------- mathematics

/** Random numbers between 0 and 1 from a seed: mulberry32. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296;
  };
}

/** Calls as `{ at, arrived }`, seconds, in the order of their arrival; times are whole tenths of a second. */
export function calls(seed) {
  const draw = random(seed), tenth = (value) => Math.round(10 * value) / 10;
  const made = Array.from({ length: CALLS }, () => {
    const at = tenth(draw() * (SPAN - 0.2)), waits = draw() < OFFLINE.share, drawn = draw();
    const delay = waits ? OFFLINE.least + drawn * (OFFLINE.most - OFFLINE.least) : -USUAL * Math.log(1 - drawn);
    return { at, arrived: tenth(at + delay) };
  });
  return made.sort((a, b) => a.arrived - b.arrived || a.at - b.at);
}

/**
 * What each call becomes, and the panes that the windows give, in the order in which they give them: `{ fates, panes }`,
 * a fate being "on time", "late" or "dropped" and a pane `{ start, timing, count }`.
 */
export function played(events, { size, lag, lateness }) {
  const counts = new Map(), given = new Set(), panes = [];
  const give = (start, timing) => { given.add(start); panes.push({ start, timing, count: counts.get(start) }); };
  const advance = (watermark) => {
    const ended = [...counts.keys()].filter((start) => !given.has(start) && start + size <= watermark);
    ended.sort((a, b) => a - b).forEach((start) => give(start, "on time"));
  };
  const fates = events.map(({ at, arrived }) => {
    const watermark = (10 * arrived - 10 * lag) / 10, start = Math.floor(at / size) * size; // tenths are exact as whole numbers
    advance(watermark);
    if (start + size + lateness < watermark) return "dropped";
    counts.set(start, (counts.get(start) ?? 0) + 1);
    if (start + size > watermark) return "on time";
    give(start, "late");
    return "late";
  });
  advance(Infinity);
  return { fates, panes };
}

/** The settings to start with; throws a RangeError whose message an author can act on. */
export function settings(model) {
  const chosen = { seed: model.get("seed") ?? 8 };
  for (const [name, { least, most, step, start }] of Object.entries(KNOBS)) {
    chosen[name] = model.get(name) ?? start;
    if (!(chosen[name] >= least && chosen[name] <= most && chosen[name] % step === least % step)) {
      throw new RangeError(`Expected “${name}” from ${least} to ${most} in steps of ${step}, got ${chosen[name]}: try ${start}.`);
    }
  }
  if (!(Number.isInteger(chosen.seed) && chosen.seed >= 0)) {
    throw new RangeError(`Expected “seed” as a whole number, 0 or more, got ${chosen.seed}: try 8.`);
  }
  return chosen;
}

/** What the choice means, as sentences. */
export function reading(fates, { size, lag, lateness }) {
  const [first, late, lost] = ["on time", "late", "dropped"].map((fate) => fates.filter((one) => one === fate).length);
  return `A window gives its result ${lag} s after its end. ${first} of ${fates.length} calls are in it, ${late} ${late === 1 ? "changes" : "change"} `
    + `it later, and ${lost} ${lost === 1 ? "is" : "are"} dropped. Each window is kept for ${size + lag + lateness} s.`;
}

// ------------------------------------------------------------------------------------------------------ the widget

const STYLE = `
:host { display: block; }
* { box-sizing: border-box; }
.face { --fg: var(--ink, light-dark(#1f2933, #e6e9ef)); --bg: var(--page, light-dark(#fff, #11151c));
  --press: var(--accent, light-dark(#0b6477, #74cfe0)); --rule: var(--line, light-dark(#d5dbe1, #3a4452));
  --warm: light-dark(#b34700, #f0a05a); color: var(--fg); background: var(--bg); font-size: 0.95rem; line-height: 1.45; }
.knobs { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 0.6rem 1.2rem; align-items: end; }
.knob { display: grid; grid-template-columns: 1fr auto; align-content: start; }
.knob input { grid-column: 1 / -1; width: 100%; height: 2rem; margin: 0; accent-color: var(--press); }
button { font: inherit; height: 2.4rem; padding: 0 0.9rem; color: var(--fg); background: var(--bg);
  border: 1px solid var(--press); border-radius: 6px; }
.value { min-width: 3em; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
:focus-visible { outline: 3px solid var(--press); outline-offset: 2px; }
svg { display: block; width: 100%; max-width: 34rem; height: auto; margin: 0.8rem 0 0; }
svg text { fill: var(--fg); font-size: 11px; }
svg .grid { stroke: var(--rule); fill: none; }
svg .kept { fill: var(--warm); opacity: 0.16; }
svg .clock { stroke: var(--fg); stroke-width: 1; fill: none; }
svg .watermark { stroke: var(--fg); stroke-width: 1.2; stroke-dasharray: 5 3; fill: none; }
svg .fires { stroke: var(--press); stroke-width: 2.4; }
svg .circle { fill: var(--press); }
svg .square { fill: var(--warm); }
svg .cross { stroke: var(--fg); stroke-width: 1.8; fill: none; }
.reading { display: grid; align-items: center; min-height: 9em; margin: 0.6rem 0 0; padding: 0.4rem 0.9rem;
  border-left: 4px solid var(--press); }
@media (min-width: 40rem) { .reading { min-height: 4.6em; } }
`;

const BODY = `
<div class="knobs">${Object.entries(KNOBS).map(([name, { label, least, most, step }]) => `
  <div class="knob"><label for="${name}">${label}</label><span class="value" aria-hidden="true"></span>
  <input id="${name}" type="range" min="${least}" max="${most}" step="${step}"></div>`).join("")}
  <button type="button" id="again">Other calls</button>
</div>
<div class="picture" role="img"></div>
<p class="reading" role="status"></p>
`;

class LateWidget {
  ended = new AbortController(); // takes all listeners away with it

  constructor(el, { seed, ...chosen }) {
    this.seed = seed;
    this.host = el.appendChild(document.createElement("div"));
    this.root = this.host.attachShadow({ mode: "open" }); // ids and styles stay inside: a page can hold several
    this.root.innerHTML = `<style>${STYLE}</style><div class="face">${BODY}</div>`;
    for (const name of Object.keys(KNOBS)) {
      this.control(name).value = chosen[name];
      this.control(name).addEventListener("input", () => this.show(), { signal: this.ended.signal });
    }
    this.control("again").addEventListener("click", () => { this.seed += 1; this.show(); }, { signal: this.ended.signal });
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
    for (const name of Object.keys(KNOBS)) {
      chosen[name] = Number(this.control(name).value);
      this.control(name).setAttribute("aria-valuetext", `${chosen[name]} s`);
      this.control(name).parentElement.querySelector(".value").textContent = `${chosen[name]} s`;
    }
    const events = calls(this.seed), { fates, panes } = played(events, chosen), said = reading(fates, chosen);
    const picture = this.root.querySelector(".picture");
    this.root.querySelector(".reading").textContent = said;
    picture.setAttribute("aria-label", `Calls by when they happened and when they arrived, with windows, watermark and lateness. ${said}`);
    picture.innerHTML = drawing(events, fates, panes, chosen);
  }

  remove() {
    this.ended.abort();
    this.themes.disconnect();
    this.host.remove();
  }
}

const x = (at) => PLOT.left + (at / SPAN) * (PLOT.right - PLOT.left);
const y = (arrived) => PLOT.bottom - (Math.min(arrived, PLOT.latest) / PLOT.latest) * (PLOT.bottom - PLOT.top);

/** Calls, windows and watermark as SVG. */
function drawing(events, fates, panes, { size, lag, lateness }) {
  const starts = Array.from({ length: Math.ceil(SPAN / size) }, (_, n) => n * size);
  const windows = starts.map((start) => windowed(start, Math.min(start + size, SPAN), { fires: start + size + lag, lateness }));
  const marks = events.map(({ at, arrived }, n) => mark(SHAPES[fates[n]], x(at), y(arrived)));
  const rows = [0, 60, 120, 180].map((at) => `<path class="grid" d="M${PLOT.left} ${y(at)}H${PLOT.right}"/>
    <text x="${PLOT.left - 6}" y="${y(at) + 4}" text-anchor="end">${at}</text>`);
  const columns = [0, 30, 60, 90, 120].map((at) => `<text x="${x(at)}" y="${PLOT.bottom + 15}" text-anchor="middle">${at}</text>`);
  const counts = starts.map((start) => `<text x="${(x(start) + x(Math.min(start + size, SPAN))) / 2}" y="14" text-anchor="middle">${last(panes, start)}</text>`);
  const middle = (PLOT.top + PLOT.bottom) / 2;
  return `<svg viewBox="0 0 ${PLOT.width} ${PLOT.height}" aria-hidden="true">${windows.join("")}${rows.join("")}${columns.join("")}${counts.join("")}
    <path class="clock" d="M${x(0)} ${y(0)}L${x(SPAN)} ${y(SPAN)}"/><path class="watermark" d="M${x(0)} ${y(lag)}L${x(SPAN)} ${y(SPAN + lag)}"/>
    ${marks.join("")}<text x="${(PLOT.left + PLOT.right) / 2}" y="${PLOT.bottom + 31}" text-anchor="middle">when it happened (s)</text>
    <text x="12" y="${middle}" text-anchor="middle" transform="rotate(-90 12 ${middle})">when it arrived (s)</text>${legend()}</svg>`;
}

/** One window: its edges, the instant of its result, and the time in which it still takes late calls. */
function windowed(start, end, { fires, lateness }) {
  const [left, right, result, closed] = [x(start), x(end), y(fires), y(fires + lateness)];
  return `<path class="grid" d="M${left} ${PLOT.top}V${PLOT.bottom}M${right} ${PLOT.top}V${PLOT.bottom}"/>
    <rect class="kept" x="${left}" y="${closed}" width="${right - left}" height="${result - closed}"/>
    <path class="fires" d="M${left + 1} ${result}H${right - 1}"/>`;
}

/** The counts that a window gave: the first, and the last where it is another. */
function last(panes, start) {
  const counts = panes.filter((pane) => pane.start === start).map(({ count }) => count);
  return counts.length > 1 ? `${counts[0]}→${counts.at(-1)}` : String(counts[0] ?? 0);
}

function mark(shape, across, down) {
  const [left, top] = [across.toFixed(1), down.toFixed(1)];
  if (shape === "circle") return `<circle class="circle" cx="${left}" cy="${top}" r="2.6"/>`;
  if (shape === "square") return `<rect class="square" x="${(across - 3.2).toFixed(1)}" y="${(down - 3.2).toFixed(1)}" width="6.4" height="6.4"/>`;
  return `<path class="cross" d="M${left} ${top}m-3.4 -3.4l6.8 6.8m0 -6.8l-6.8 6.8"/>`;
}

function legend() {
  const entries = [["circle", "in the first result", 16], ["square", "late", 148], ["cross", "dropped", 202]];
  const down = PLOT.height - 6;
  const shown = entries.map(([shape, text, left]) => `${mark(shape, left, down - 4)}<text x="${left + 8}" y="${down}">${text}</text>`);
  return `${shown.join("")}<path class="watermark" d="M270 ${down - 4}h20"/><text x="295" y="${down}">watermark</text>`;
}

function render({ model, el }) {
  const widget = new LateWidget(el, settings(model));
  return () => widget.remove();
}

export default { render };
