/**
 * A line in front of machines (Lecture 12): move utilisation and the number of machines, and see how long the line is over
 * time, how long callers wait on average, and what one in a hundred waits.
 *
 * An anywidget module without a kernel, a library or a request: `render({ model, el })` builds the widget in `el` and
 * returns the function that removes it. One file, because the site copies only the module that a page names.
 *
 * Model (all optional): `utilisation` (per cent, 5 to 99), `servers` (a power of two, 1 to 64), `seed` (a whole number):
 * where the controls start. Time is counted in services: 1 is what a request takes on average. The formulas are those
 * of `course.capacity.queues` (M/M/c); the run is random, and the same for the same seed.
 */

export const SPAN = 300; // services of time that are played
const KNOBS = {
  utilisation: { label: "Utilisation", least: 5, most: 99, start: 80, show: (v) => `${v} %`, from: (v) => v, to: (v) => v },
  servers: { label: "Machines", least: 0, most: 6, start: 1, show: (v) => String(v), from: (p) => 2 ** p, to: (v) => Math.log2(v) },
};
const PLOT = { width: 360, height: 190, left: 40, right: 350, top: 14, bottom: 150 };
const TOPS = [5, 10, 20, 50, 100, 200, 500]; // heights of the axis, requests

// ---------------------------------------------------------------------------------------------------- mathematics

/** The share of requests that wait: Erlang's C, for a load below the number of servers. */
export function erlangC(load, servers) {
  let blocked = 1; // Erlang's B, by its recursion
  for (let count = 1; count <= servers; count++) blocked = (load * blocked) / (count + load * blocked);
  return blocked / (1 - (load / servers) * (1 - blocked));
}

/** Mean wait, the wait that 99 of 100 stay below, and the mean length of the line; times in services. */
export function waits({ utilisation, servers }) {
  const load = (utilisation / 100) * servers, share = erlangC(load, servers), drain = servers - load;
  return { share, mean: share / drain, most: Math.max(0, Math.log(share / 0.01) / drain), line: (load * share) / drain };
}

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

/** First come, first served: the instants at which requests arrive, begin and end, until SPAN. */
export function played({ utilisation, servers, seed }) {
  const draw = random(seed), rate = (utilisation / 100) * servers, free = new Float64Array(servers);
  const [arrived, started, ended] = [[], [], []];
  for (let at = -Math.log(1 - draw()) / rate; at < SPAN; at -= Math.log(1 - draw()) / rate) {
    let first = 0; // the server that is free first
    for (let one = 1; one < servers; one++) if (free[one] < free[first]) first = one;
    const began = Math.max(at, free[first]);
    free[first] = began - Math.log(1 - draw());
    arrived.push(at), started.push(began), ended.push(free[first]);
  }
  return { arrived, started, ended };
}

/** How many wait over time, as `[instant, length]` at each change. */
export function line({ arrived, started }) {
  const come = arrived.filter((at, n) => started[n] > at), go = started.filter((at, n) => at > arrived[n]);
  const path = [[0, 0]];
  for (let i = 0, k = 0; i < come.length || k < go.length;) {
    const comes = k >= go.length || come[i] <= go[k];
    const at = comes ? come[i++] : go[k++];
    if (at < SPAN) path.push([at, i - k]);
  }
  return path;
}

/** The settings to start with; throws a RangeError whose message an author can act on. */
export function settings(model) {
  const chosen = { seed: model.get("seed") ?? 12 };
  for (const [name, { least, most, start, from, to }] of Object.entries(KNOBS)) {
    chosen[name] = model.get(name) ?? start;
    const place = to(chosen[name]);
    if (!(Number.isInteger(place) && place >= least && place <= most)) {
      throw new RangeError(`Expected “${name}” from ${from(least)} to ${from(most)}${name === "servers" ? ", a power of two" : ""}, got ${chosen[name]}: try ${start}.`);
    }
  }
  if (!(Number.isInteger(chosen.seed) && chosen.seed >= 0)) {
    throw new RangeError(`Expected “seed” as a whole number, 0 or more, got ${chosen.seed}: try 12.`);
  }
  return chosen;
}

/** What the choice means, as sentences. */
export function reading(chosen) {
  const { share, mean, most } = waits(chosen), longest = Math.max(...line(played(chosen)).map(([, length]) => length));
  const machines = chosen.servers === 1 ? "1 machine" : `${chosen.servers} machines`;
  return `${machines}, ${chosen.utilisation} % busy: ${percent(share)} of the callers wait. On average a caller waits `
    + `${services(mean)}, and one in a hundred more than ${services(most)}. In this run the line was at most `
    + `${longest.toLocaleString("en-GB")} long.`;
}

const figure = (value) => (value >= 100 ? Math.round(value).toLocaleString("en-GB") : value < 0.01 ? "0" : String(Number(value.toPrecision(2))));
const services = (value) => `${figure(value)} ${figure(value) === "1" ? "service" : "services"}`;
const percent = (part) => (part < 0.005 ? "less than 1 %" : `${Math.round(100 * part)} %`);

// ------------------------------------------------------------------------------------------------------ the widget

const STYLE = `
:host { display: block; }
* { box-sizing: border-box; }
.face { --fg: var(--ink, light-dark(#1f2933, #e6e9ef)); --bg: var(--page, light-dark(#fff, #11151c));
  --press: var(--accent, light-dark(#0b6477, #74cfe0)); --rule: var(--line, light-dark(#d5dbe1, #3a4452));
  color: var(--fg); background: var(--bg); font-size: 0.95rem; line-height: 1.45; }
.knobs { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 0.6rem 1.2rem; align-items: end; }
.knob { display: grid; grid-template-columns: 1fr auto; align-content: start; }
.knob input { grid-column: 1 / -1; width: 100%; height: 2rem; margin: 0; accent-color: var(--press); }
button { font: inherit; height: 2.4rem; padding: 0 0.9rem; color: var(--fg); background: var(--bg);
  border: 1px solid var(--press); border-radius: 6px; }
.value { font-variant-numeric: tabular-nums; }
:focus-visible { outline: 3px solid var(--press); outline-offset: 2px; }
svg { display: block; width: 100%; max-width: 34rem; height: auto; margin: 0.8rem 0 0; }
svg text { fill: var(--fg); font-size: 11px; }
svg .grid { stroke: var(--rule); fill: none; }
svg .line { stroke: var(--press); stroke-width: 1.4; fill: none; }
svg .mean { stroke: var(--fg); stroke-dasharray: 4 3; fill: none; }
.reading { display: grid; align-items: center; min-height: 9.2em; margin: 0.6rem 0 0; padding: 0.4rem 0.9rem;
  border-left: 4px solid var(--press); }
@media (min-width: 40rem) { .reading { min-height: 5em; } }
`;

const BODY = `
<div class="knobs">${Object.entries(KNOBS).map(([name, { label, least, most }]) => `
  <div class="knob"><label for="${name}">${label}</label><span class="value" aria-hidden="true"></span>
  <input id="${name}" type="range" min="${least}" max="${most}" step="1"></div>`).join("")}
  <button type="button" id="again">Another day</button>
</div>
<div class="picture" role="img"></div>
<p class="reading" role="status"></p>
`;

class QueueWidget {
  ended = new AbortController(); // takes all listeners away with it

  constructor(el, { seed, ...chosen }) {
    this.seed = seed;
    this.host = el.appendChild(document.createElement("div"));
    this.root = this.host.attachShadow({ mode: "open" }); // ids and styles stay inside: a page can hold several
    this.root.innerHTML = `<style>${STYLE}</style><div class="face">${BODY}</div>`;
    for (const [name, { to }] of Object.entries(KNOBS)) {
      this.control(name).value = to(chosen[name]);
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
    const chosen = { seed: this.seed };
    for (const [name, { from, show }] of Object.entries(KNOBS)) {
      chosen[name] = from(Number(this.control(name).value));
      this.control(name).setAttribute("aria-valuetext", show(chosen[name]));
      this.control(name).parentElement.querySelector(".value").textContent = show(chosen[name]);
    }
    const said = reading(chosen), picture = this.root.querySelector(".picture");
    this.root.querySelector(".reading").textContent = said;
    picture.setAttribute("aria-label", `Length of the line over ${SPAN} services of time, with its mean by formula dashed. ${said}`);
    picture.innerHTML = drawing(line(played(chosen)), waits(chosen).line);
  }

  remove() {
    this.ended.abort();
    this.themes.disconnect();
    this.host.remove();
  }
}

/** The line over time as SVG. */
function drawing(path, mean) {
  const longest = Math.max(mean, ...path.map(([, length]) => length)), top = TOPS.find((height) => height >= longest) ?? longest;
  const x = (at) => (PLOT.left + (at / SPAN) * (PLOT.right - PLOT.left)).toFixed(1);
  const y = (length) => (PLOT.bottom - (length / top) * (PLOT.bottom - PLOT.top)).toFixed(1);
  const rows = [0, top / 2, top].map((length) => `<path class="grid" d="M${PLOT.left} ${y(length)}H${PLOT.right}"/>
    <text x="${PLOT.left - 6}" y="${Number(y(length)) + 4}" text-anchor="end">${figure(length)}</text>`);
  const columns = [0, 100, 200, 300].map((at) => `<text x="${x(at)}" y="${PLOT.bottom + 15}" text-anchor="middle">${at}</text>`);
  const steps = path.map(([at, length], n) => (n ? `H${x(at)}V${y(length)}` : `M${x(at)} ${y(length)}`)).join("");
  return `<svg viewBox="0 0 ${PLOT.width} ${PLOT.height}" aria-hidden="true">${rows.join("")}${columns.join("")}
    <path class="line" d="${steps}H${PLOT.right}"/><path class="mean" d="M${PLOT.left} ${y(mean)}H${PLOT.right}"/>
    <text x="${(PLOT.left + PLOT.right) / 2}" y="${PLOT.height - 8}" text-anchor="middle">time, in services</text>
    <text x="12" y="${(PLOT.top + PLOT.bottom) / 2}" text-anchor="middle" transform="rotate(-90 12 ${(PLOT.top + PLOT.bottom) / 2})">callers in line</text></svg>`;
}

function render({ model, el }) {
  const widget = new QueueWidget(el, settings(model));
  return () => widget.remove();
}

export default { render };
