/**
 * The roofline with a model under it (Lecture 11): choose a model, a device, the weights' numbers, callers and length,
 * and see what a step of decoding moves, what it computes, which roof it meets, and what each caller gets at best.
 *
 * An anywidget module without a kernel, a library or a request: `render({ model, el })` builds the widget in `el` and
 * returns the function that removes it. One file, because the site copies only the module that a page names.
 *
 * Model (all optional): `model`, `device`, `weights` (keys of MODELS, DEVICES and WEIGHTS), `callers` and `length`
 * (powers of two): where the controls start. Counted as in `course.inference.roofline`; nothing here is measured.
 */

/** Shapes as in `course.language.model.CONFIGS`. */
export const MODELS = {
  "smollm2-135m": { label: "SmolLM2, 135 M", vocab: 49152, hidden: 576, layers: 30, heads: 9, kvHeads: 3, inner: 1536, tied: true },
  "llama-1b": { label: "Llama shape, 1 B", vocab: 128256, hidden: 2048, layers: 16, heads: 32, kvHeads: 8, inner: 8192, tied: true },
  "llama-8b": { label: "Llama shape, 8 B", vocab: 128256, hidden: 4096, layers: 32, heads: 32, kvHeads: 8, inner: 14336, tied: false },
};
/** Published peaks as in `course.inference.roofline.PEAKS`; the core is a round example. */
export const DEVICES = {
  core: { label: "one CPU core", float32: 80e9, bfloat16: 80e9, bytes: 20e9, memory: 24e9 },
  "H100 SXM": { label: "NVIDIA H100", float32: 67e12, bfloat16: 989.4e12, bytes: 3.35e12, memory: 80e9 },
  "H200 SXM": { label: "NVIDIA H200", float32: 67e12, bfloat16: 989.4e12, bytes: 4.8e12, memory: 141e9 },
};
/** Bytes of a weight, and the numbers of cache and arithmetic beside it. */
export const WEIGHTS = {
  float32: { label: "float32", weight: 4, value: 4, rate: "float32" },
  bfloat16: { label: "bfloat16", weight: 2, value: 2, rate: "bfloat16" },
  int8: { label: "int8", weight: 1, value: 2, rate: "bfloat16" },
  int4: { label: "int4", weight: 0.5, value: 2, rate: "bfloat16" },
};
const CHOICES = { model: ["Model", MODELS], device: ["Device", DEVICES], weights: ["Weights", WEIGHTS] };
const KNOBS = { callers: { label: "Callers at once", most: 10 }, length: { label: "Tokens of each", least: 6, most: 13 } };
const STARTS = { model: "llama-8b", device: "H100 SXM", weights: "bfloat16", callers: 1, length: 512 };
const PLOT = { width: 360, height: 210, left: 52, right: 350, top: 12, bottom: 168 };
const AXES = { x: [-1, 4], y: [9, 15.3] }; // powers of ten: FLOP a byte, FLOP a second

// ---------------------------------------------------------------------------------------------------- mathematics

/** What one step of decoding does for all callers: `{ flops, weights, cache, bytes }`, the last three in bytes. */
export function work(shape, { weight, value }, callers, length) {
  const { vocab, hidden, layers, heads, kvHeads, inner } = shape, width = hidden / heads;
  const matrices = layers * (2 * hidden * hidden + 2 * hidden * kvHeads * width + 3 * hidden * inner), head = vocab * hidden;
  const weights = Math.trunc((matrices + head) * weight + hidden * (2 * layers + 1) * value);
  const cache = 2 * layers * callers * kvHeads * width * (length + 1) * value; // all are read, one position is written
  const flops = 2 * callers * (matrices + head) + 4 * callers * layers * hidden * length;
  return { flops, weights, cache, bytes: weights + cache + callers * vocab * 4 };
}

/** Bytes that have to be held: all parameters and the caches. */
export function held(shape, { weight, value }, callers, length) {
  const { vocab, hidden, layers, heads, kvHeads, inner, tied } = shape, width = hidden / heads;
  const block = 2 * hidden * hidden + 2 * hidden * kvHeads * width + 3 * hidden * inner + 2 * hidden;
  const parameters = vocab * hidden * (tied ? 1 : 2) + layers * block + hidden;
  return parameters * weight + 2 * layers * callers * kvHeads * width * length * value;
}

/** The least time of a step in seconds, the roof that it meets, and what the whole and each caller get a second. */
export function predicted({ model, device, weights, callers, length }) {
  const numbers = WEIGHTS[weights], { bytes, memory, ...rates } = DEVICES[device], shape = MODELS[model];
  const done = work(shape, numbers, callers, length), rate = rates[numbers.rate];
  const [computing, moving] = [done.flops / rate, done.bytes / bytes], seconds = Math.max(computing, moving);
  return { ...done, seconds, bound: moving >= computing ? "memory" : "arithmetic", intensity: done.flops / done.bytes,
    ridge: rate / bytes, rate, bandwidth: bytes, tokens: callers / seconds, each: 1 / seconds, memory,
    held: held(shape, numbers, callers, length) };
}

/** The settings to start with; throws a RangeError whose message an author can act on. */
export function settings(model) {
  const chosen = Object.fromEntries(Object.entries(STARTS).map(([name, start]) => [name, model.get(name) ?? start]));
  for (const [name, [, options]] of Object.entries(CHOICES)) {
    if (!(chosen[name] in options)) {
      throw new RangeError(`Expected “${name}” as one of ${Object.keys(options).join(", ")}, got ${chosen[name]}: try ${STARTS[name]}.`);
    }
  }
  for (const [name, { least = 0, most }] of Object.entries(KNOBS)) {
    const power = Math.log2(chosen[name]);
    if (!(Number.isInteger(power) && power >= least && power <= most)) {
      throw new RangeError(`Expected “${name}” as a power of two, ${2 ** least} to ${2 ** most}, got ${chosen[name]}: try ${STARTS[name]}.`);
    }
  }
  return chosen;
}

/** What the choice means, as sentences. */
export function reading(found) {
  const fits = found.held <= found.memory
    ? `Weights and caches take ${amount(found.held)} of ${amount(found.memory)}.`
    : `Weights and caches take ${amount(found.held)}: more than the ${amount(found.memory)} that there are.`;
  return `A step moves ${amount(found.bytes)}, ${share(found.cache / found.bytes)} of it caches, and does `
    + `${figure(found.intensity)} operations a byte. At the roof, bound by ${found.bound}, it takes ${time(found.seconds)}: `
    + `${figure(found.each)} tokens a second for each caller, ${figure(found.tokens)} in all. ${fits}`;
}

const figure = (value) => (value >= 100 ? Math.round(value).toLocaleString("en-GB") : String(Number(value.toPrecision(2))));
const amount = (bytes) => (bytes >= 1e12 ? `${figure(bytes / 1e12)} TB` : `${figure(bytes / 1e9)} GB`);
const time = (seconds) => (seconds >= 1 ? `${figure(seconds)} s` : seconds >= 1e-3 ? `${figure(1e3 * seconds)} ms` : `${figure(1e6 * seconds)} µs`);
const share = (part) => `${Math.round(100 * part)} %`;

// ------------------------------------------------------------------------------------------------------ the widget

const STYLE = `
:host { display: block; }
* { box-sizing: border-box; }
.face { --fg: var(--ink, light-dark(#1f2933, #e6e9ef)); --bg: var(--page, light-dark(#fff, #11151c));
  --press: var(--accent, light-dark(#0b6477, #74cfe0)); --rule: var(--line, light-dark(#d5dbe1, #3a4452));
  color: var(--fg); background: var(--bg); font-size: 0.95rem; line-height: 1.45; }
.knobs { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 0.6rem 1.2rem; }
.knob { display: grid; grid-template-columns: 1fr auto; align-content: start; }
.knob :is(input, select) { grid-column: 1 / -1; width: 100%; margin: 0; accent-color: var(--press); }
.knob input { height: 2rem; }
select { font: inherit; height: 2rem; padding: 0 0.4rem; color: var(--fg); background: var(--bg);
  border: 1px solid var(--press); border-radius: 6px; }
.value { font-variant-numeric: tabular-nums; }
:focus-visible { outline: 3px solid var(--press); outline-offset: 2px; }
svg { display: block; width: 100%; max-width: 34rem; height: auto; margin: 0.8rem 0 0; }
svg text { fill: var(--fg); font-size: 11px; }
svg .grid { stroke: var(--rule); fill: none; }
svg .roof { stroke: var(--fg); stroke-width: 2; fill: none; }
svg .ridge { stroke: var(--fg); stroke-dasharray: 4 3; }
svg circle { fill: var(--press); stroke: var(--bg); stroke-width: 1.5; }
.reading { display: grid; align-items: center; min-height: 14.5em; margin: 0.6rem 0 0; padding: 0.4rem 0.9rem;
  border-left: 4px solid var(--press); }
@media (min-width: 40rem) { .reading { min-height: 6em; } }
/* With a wide font a label takes two lines as soon as its number is long: room for them from the start. */
@media (max-width: 40rem) { .knob:has(input) label { min-height: 2lh; } }
`;

const BODY = `
<div class="knobs">${Object.entries(CHOICES).map(([name, [label, options]]) => `
  <div class="knob"><label for="${name}">${label}</label><select id="${name}">${Object.entries(options).map(
    ([key, option]) => `<option value="${key}">${option.label}</option>`).join("")}</select></div>`).join("")}
${Object.entries(KNOBS).map(([name, { label, least = 0, most }]) => `
  <div class="knob"><label for="${name}">${label}</label><span class="value" aria-hidden="true"></span>
  <input id="${name}" type="range" min="${least}" max="${most}" step="1"></div>`).join("")}
</div>
<div class="picture" role="img"></div>
<p class="reading" role="status"></p>
`;

class RoofWidget {
  ended = new AbortController(); // takes all listeners away with it

  constructor(el, chosen) {
    this.host = el.appendChild(document.createElement("div"));
    this.root = this.host.attachShadow({ mode: "open" }); // ids and styles stay inside: a page can hold several
    this.root.innerHTML = `<style>${STYLE}</style><div class="face">${BODY}</div>`;
    for (const name of [...Object.keys(CHOICES), ...Object.keys(KNOBS)]) {
      this.control(name).value = name in KNOBS ? Math.log2(chosen[name]) : chosen[name];
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
    const chosen = Object.fromEntries(Object.keys(CHOICES).map((name) => [name, this.control(name).value]));
    for (const name of Object.keys(KNOBS)) {
      chosen[name] = 2 ** Number(this.control(name).value);
      const value = chosen[name].toLocaleString("en-GB");
      this.control(name).setAttribute("aria-valuetext", value);
      this.control(name).parentElement.querySelector(".value").textContent = value;
    }
    const found = predicted(chosen), said = reading(found), picture = this.root.querySelector(".picture");
    this.root.querySelector(".reading").textContent = said;
    picture.setAttribute("aria-label", `Roofline with the ridge at ${figure(found.ridge)} operations a byte and one point. ${said}`);
    picture.innerHTML = drawing(found);
  }

  remove() {
    this.ended.abort();
    this.themes.disconnect();
    this.host.remove();
  }
}

/** Roof, ridge and point as SVG on logarithmic axes. */
function drawing({ intensity, ridge, rate, bandwidth, flops, seconds }) {
  const along = ([low, high], value, from, to) => from + ((Math.log10(value) - low) / (high - low)) * (to - from);
  const x = (value) => along(AXES.x, value, PLOT.left, PLOT.right).toFixed(1);
  const y = (value) => along(AXES.y, value, PLOT.bottom, PLOT.top).toFixed(1);
  const [least, most] = AXES.x.map((power) => 10 ** power), floor = Math.max(bandwidth * least, 10 ** AXES.y[0]);
  const columns = [-1, 0, 1, 2, 3, 4].map((p) => `<path class="grid" d="M${x(10 ** p)} ${PLOT.top}V${PLOT.bottom}"/>
    <text x="${x(10 ** p)}" y="${PLOT.bottom + 14}" text-anchor="middle">${p < 0 ? "0.1" : (10 ** p).toLocaleString("en-GB")}</text>`);
  const rows = [["1 G", 9], ["1 T", 12], ["1 P", 15]].map(([name, p]) => `<path class="grid" d="M${PLOT.left} ${y(10 ** p)}H${PLOT.right}"/>
    <text x="${PLOT.left - 6}" y="${Number(y(10 ** p)) + 4}" text-anchor="end">${name}</text>`);
  return `<svg viewBox="0 0 ${PLOT.width} ${PLOT.height}" aria-hidden="true">${columns.join("")}${rows.join("")}
    <path class="ridge" d="M${x(ridge)} ${PLOT.top}V${PLOT.bottom}"/>
    <path class="roof" d="M${x(floor / bandwidth)} ${y(floor)}L${x(ridge)} ${y(rate)}H${x(most)}"/>
    <circle cx="${x(intensity)}" cy="${y(flops / seconds)}" r="6"/>
    <text x="${(PLOT.left + PLOT.right) / 2}" y="${PLOT.height - 8}" text-anchor="middle">operations a byte</text>
    <text x="12" y="${(PLOT.top + PLOT.bottom) / 2}" text-anchor="middle" transform="rotate(-90 12 ${(PLOT.top + PLOT.bottom) / 2})">FLOP a second</text></svg>`;
}

function render({ model, el }) {
  const widget = new RoofWidget(el, settings(model));
  return () => widget.remove();
}

export default { render };
