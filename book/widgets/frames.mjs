/**
 * Frames, seen on a real voice (Lecture 2): a clip, half a second of its spectrogram, and sliders for the length of the
 * frame and the hop, so that one can trade time against frequency.
 *
 * An anywidget module without a kernel, a library or a request to another host: `render({ model, el })` builds the widget
 * in `el` and returns the function that stops and removes it. One file, because the site copies only the module that a
 * page names. Recordings are those of the page's own audio players, read when they are chosen.
 *
 * Model (all optional): `clips`, a list of kinds ("test", "glide") or of `{ player }`, the name of an audio player on the
 * page, left out where the page has none; `length` and `hop`, in ms, and `window` ("hann" or "box"): where the controls
 * start.
 *
 * Signals are Float64Array in [-1, 1]; rates and frequencies are in Hz, times in seconds, levels in dB.
 */

const RATE = 8000; // Hz, of the synthesised clips
const LENGTHS = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128]; // ms, of a frame
const HOPS = [1, 2, 4, 8, 16, 32]; // ms
const SPAN = 0.5; // s shown
const TOP = 4000; // Hz, upper end of the frequency axis
const RANGE = 60; // dB shown below the loudest cell
const FINEST = 1024; // least points of a transform, so that a short frame's spectrum is drawn as a smooth curve

// ---------------------------------------------------------------------------------------------------- mathematics

const turns = new Map(); // length of a transform: its cosines and sines

function twiddles(n) {
  if (!turns.has(n)) {
    const angle = new Float64Array(n / 2).map((_, k) => (-2 * Math.PI * k) / n);
    turns.set(n, { cos: angle.map(Math.cos), sin: angle.map(Math.sin) });
  }
  return turns.get(n);
}

/**
 * Discrete Fourier transform in place, by Cooley and Tukey's radix-2 algorithm (1965).
 * @param {Float64Array} re real parts, (n,) with n a power of two; replaced by those of the transform
 * @param {Float64Array} im imaginary parts, (n,)
 */
export function fft(re, im) {
  const n = re.length;
  if (n === 0 || n & (n - 1)) throw new RangeError(`Expected 2, 4, 8 … samples, got ${n}: pad with zeros.`);
  reverseBits(re, im);
  const { cos, sin } = twiddles(n);
  for (let half = 1; half < n; half *= 2) {
    for (let start = 0; start < n; start += 2 * half) {
      for (let k = 0, twiddle = 0; k < half; k++, twiddle += n / (2 * half)) {
        const a = start + k, b = a + half;
        const real = re[b] * cos[twiddle] - im[b] * sin[twiddle];
        const imag = re[b] * sin[twiddle] + im[b] * cos[twiddle];
        re[b] = re[a] - real; im[b] = im[a] - imag;
        re[a] += real; im[a] += imag;
      }
    }
  }
}

/** Moves the sample with index b₀b₁…bₘ (in binary) to bₘ…b₁b₀, the order in which the transform combines them. */
function reverseBits(re, im) {
  for (let i = 1, j = 0; i < re.length; i++) {
    let bit = re.length >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) [re[i], re[j], im[i], im[j]] = [re[j], re[i], im[j], im[i]];
  }
}

const WINDOWS = {
  hann: { label: "Hann", weight: (place) => Math.sin(Math.PI * place) ** 2, time: 0.5, frequency: 2 },
  box: { label: "Box (none)", weight: () => 1, time: 1, frequency: 1.207 },
};

/** Weights of a window, (length,). */
export function weights(kind, length) {
  return new Float64Array(length).map((_, n) => WINDOWS[kind].weight(length === 1 ? 0.5 : n / length));
}

/** How far a frame of `length` seconds spreads a click in time (s) and a tone in frequency (Hz), to half the amplitude. */
export function blur(kind, length) {
  return { time: WINDOWS[kind].time * length, frequency: WINDOWS[kind].frequency / length };
}

/** Samples in a frame of `length` seconds: at least 2. */
const samplesOf = (length, rate) => Math.max(2, Math.round(length * rate));

/**
 * Levels in dB of one frame centred on sample `centre`, zeros beyond the ends of the signal.
 * @returns {Float64Array} (n / 2 + 1,), bin k at k * rate / n Hz; a sine of amplitude 1 on a bin reads 0 dB
 */
export function frameLevels(signal, rate, centre, { length, window }) {
  const count = samplesOf(length, rate), taper = weights(window, count), start = Math.round(centre) - (count >> 1);
  const n = Math.max(FINEST, 2 ** Math.ceil(Math.log2(2 * count)));
  const re = new Float64Array(n), im = new Float64Array(n);
  for (let i = 0; i < count; i++) re[i] = taper[i] * (signal[start + i] ?? 0);
  fft(re, im);
  const scale = 4 / taper.reduce((sum, weight) => sum + weight, 0) ** 2;
  return new Float64Array(n / 2 + 1).map((_, k) => 10 * Math.log10(scale * (re[k] ** 2 + im[k] ** 2) + 1e-12));
}

/** Frames of `SPAN` seconds from `from` on, one each `hop` seconds: their levels, a list of what `frameLevels` gives. */
export function spectrogram(signal, rate, from, { length, hop, window }) {
  const count = Math.round(SPAN / hop);
  return Array.from({ length: count }, (_, i) => frameLevels(signal, rate, (from + i * hop) * rate, { length, window }));
}

/** The samples and the rate of a WAV file with 16-bit linear samples; of several channels the first. */
export function decodeWav(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at) => String.fromCharCode(...bytes.subarray(at, at + 4));
  const refuse = () => { throw new RangeError("Expected a WAV file with 16-bit samples: this player holds another sound."); };
  if (bytes.length < 44 || tag(0) !== "RIFF" || tag(8) !== "WAVE") refuse();
  const chunks = {};
  for (let at = 12; at + 8 <= bytes.length; at += 8 + view.getUint32(at + 4, true) + (view.getUint32(at + 4, true) & 1)) {
    chunks[tag(at)] ??= { start: at + 8, size: Math.min(view.getUint32(at + 4, true), bytes.length - at - 8) };
  }
  const format = chunks["fmt "]?.start;
  if (!format || !chunks.data || view.getUint16(format, true) !== 1 || view.getUint16(format + 14, true) !== 16) refuse();
  const step = 2 * view.getUint16(format + 2, true), { start, size } = chunks.data;
  const samples = new Float64Array(Math.floor(size / step)).map((_, n) => view.getInt16(start + n * step, true) / 32768);
  return { samples, rate: view.getUint32(format + 4, true) };
}

// ---------------------------------------------------------------------------------------------------------- clips

const timed = (value) => new Float64Array(0.6 * RATE).map((_, n) => value(n / RATE));
const sine = (cycles) => Math.sin(2 * Math.PI * cycles);

/** The lecture's hard cases: two tones 40 Hz apart and, at 0.25 s, two clicks 10 ms apart. */
function testSound() {
  const clicks = [Math.round(0.25 * RATE), Math.round(0.26 * RATE)];
  return timed((t) => 0.1 * (sine(1000 * t) + sine(1040 * t))).map((v, n) => (clicks.includes(n) ? 0.9 : v));
}

/** A buzz of sixteen harmonics whose pitch glides from 90 to 240 Hz. */
function glide() {
  let cycles = 0;
  return timed((t) => {
    cycles += (90 + 250 * t) / RATE;
    let sum = 0;
    for (let k = 1; k <= 16; k++) sum += sine(k * cycles) / k;
    return 0.25 * sum;
  });
}

export const CLIPS = {
  test: { label: "Two clicks and two tones", make: testSound },
  glide: { label: "A gliding buzz", make: glide },
};

/** The page's audio player of that name, or null. */
const playerOf = (name) => [...document.querySelectorAll("audio")].find((audio) => audio.ariaLabel === name) ?? null;

/** Reads a clip: made here, or what a player of the page holds. */
async function load(clip) {
  if (clip.kind) return { samples: CLIPS[clip.kind].make(), rate: RATE };
  const answer = await fetch(playerOf(clip.player).src);
  if (!answer.ok) throw new RangeError(`The player “${clip.player}” could not be read (${answer.status}): choose another sound.`);
  return decodeWav(new Uint8Array(await answer.arrayBuffer()));
}

// -------------------------------------------------------------------------------------------------------- pictures

const number = (value) => Math.round(value).toLocaleString("en-US").replace("-", "−");
const short = (value) => String(Number(value.toPrecision(2)));
const MARGIN = { left: 46, right: 18, top: 10, bottom: 34 }; // px

/**
 * Clears `canvas` at the screen's resolution and draws a grid with ticks and names, 12 px high.
 * @param x, y each `{ from, to, ticks, write, name }`: the range, the ticks, what turns a tick into its label
 * @returns the drawing context, the box of the plot in px, and the maps `toX` and `toY` from values to px
 */
function axes(canvas, inks, x, y) {
  const { clientWidth: width, clientHeight: height } = canvas, ratio = window.devicePixelRatio;
  [canvas.width, canvas.height] = [width * ratio, height * ratio];
  const box = { left: MARGIN.left, top: MARGIN.top, right: width - MARGIN.right, bottom: height - MARGIN.bottom };
  const toX = (value) => box.left + ((value - x.from) / (x.to - x.from)) * (box.right - box.left);
  const toY = (value) => box.bottom - ((value - y.from) / (y.to - y.from)) * (box.bottom - box.top);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.font = `12px ${getComputedStyle(canvas).fontFamily}`;
  [pen.fillStyle, pen.strokeStyle, pen.textBaseline] = [inks.ink, inks.grid, "middle"];
  for (const tick of x.ticks) {
    line(pen, toX(tick), box.top, toX(tick), box.bottom);
    write(pen, x.write(tick), toX(tick), box.bottom + 10, "center");
  }
  for (const tick of y.ticks) {
    line(pen, box.left, toY(tick), box.right, toY(tick));
    write(pen, y.write(tick), box.left - 5, toY(tick), "right");
  }
  write(pen, x.name, (box.left + box.right) / 2, box.bottom + 26, "center");
  pen.rotate(-Math.PI / 2);
  write(pen, y.name, -(box.top + box.bottom) / 2, 8, "center");
  pen.rotate(Math.PI / 2);
  return { pen, box, toX, toY };
}

function write(pen, text, x, y, align) {
  pen.textAlign = align;
  pen.fillText(text, x, y);
}

function line(pen, x1, y1, x2, y2) {
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}

function curve(pen, points, colour, width) {
  [pen.strokeStyle, pen.lineWidth, pen.lineJoin] = [colour, width, "round"];
  pen.beginPath();
  points.forEach(([x, y]) => pen.lineTo(x, y));
  pen.stroke();
}

const timeAxis = (from) => ({
  from, to: from + SPAN, ticks: [0, 0.1, 0.2, 0.3, 0.4, 0.5].map((tick) => from + tick),
  write: (tick) => tick.toFixed(2), name: "time (s)",
});
const PITCH_AXIS = {
  from: 0, to: TOP, ticks: [0, 1000, 2000, 3000, 4000], write: (tick) => number(tick / 1000), name: "frequency (kHz)",
};

/** The waveform that is shown, and the window at the moment in its true length. */
function drawWaveform(canvas, inks, { clip: { samples, rate }, from, moment, frame }) {
  const shown = samples.subarray(Math.round(from * rate), Math.round((from + SPAN) * rate));
  const peak = shown.reduce((most, value) => Math.max(most, Math.abs(value)), 0.01);
  const y = { from: -peak, to: peak, ticks: [0], write: number, name: "pressure" };
  const { pen, toX, toY } = axes(canvas, inks, { ...timeAxis(from), name: "" }, y);
  curve(pen, Array.from(shown, (value, n) => [toX(from + n / rate), toY(value)]), inks.sound, 1);
  const taper = weights(frame.window, 65), place = (i) => moment + ((i - 32) / 64) * frame.length;
  const outline = Array.from(taper, (weight, i) => [toX(place(i)), toY(peak * weight)]);
  curve(pen, [[toX(place(0)), toY(0)], ...outline, [toX(place(64)), toY(0)]], inks.frame, 2.5);
}

/** Levels over time and frequency, with the moment on top. */
function drawSpectrogram(canvas, inks, { clip: { rate }, from, moment, columns }) {
  const { pen, box, toX } = axes(canvas, inks, timeAxis(from), PITCH_AXIS);
  const rows = Math.round((TOP / rate) * 2 * (columns[0].length - 1)) + 1;
  const picture = paint(columns, Math.min(rows, columns[0].length), inks.palette);
  const edge = (toX(from + SPAN) - box.left) / columns.length / 2; // a column is centred on its frame
  pen.beginPath();
  pen.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  pen.clip();
  pen.imageSmoothingEnabled = false;
  const top = box.bottom - ((box.bottom - box.top) * Math.min(rows, columns[0].length)) / rows;
  pen.drawImage(picture, box.left - edge, top, box.right - box.left, box.bottom - top);
  [pen.strokeStyle, pen.lineWidth] = [inks.frame, 2];
  line(pen, toX(moment), box.top, toX(moment), box.bottom);
}

/** The spectrum of the frame at the moment. */
function drawSpectrum(canvas, inks, { clip: { rate }, levels, loudest }) {
  const ticks = [0, -20, -40, -60].map((tick) => tick + loudest);
  const y = { from: loudest - RANGE, to: loudest, ticks, write: (tick) => number(tick - loudest), name: "level (dB)" };
  const { pen, box, toX, toY } = axes(canvas, inks, PITCH_AXIS, y);
  pen.beginPath();
  pen.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  pen.clip();
  const step = rate / 2 / (levels.length - 1);
  curve(pen, Array.from(levels, (level, k) => [toX(k * step), toY(level)]), inks.frame, 2);
}

/** A canvas with one pixel for each of `rows` levels of each column, the lowest frequency at the bottom. */
function paint(columns, rows, palette) {
  const loudest = loudestOf(columns), image = new ImageData(columns.length, rows);
  const pixels = new Uint32Array(image.data.buffer).fill(palette[0]);
  columns.forEach((levels, column) => {
    for (let row = 0; row < rows; row++) {
      const place = Math.max(0, Math.min(1, 1 + (levels[row] - loudest) / RANGE));
      pixels[(rows - 1 - row) * columns.length + column] = palette[Math.round(place * (palette.length - 1))];
    }
  });
  const canvas = Object.assign(document.createElement("canvas"), { width: columns.length, height: rows });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** The highest level of any column, at least -80 dB, so that silence stays dark. */
function loudestOf(columns) {
  return columns.reduce((most, levels) => levels.reduce((best, level) => Math.max(best, level), most), -80);
}

// From silence to full level, in even steps of lightness; red, green, blue from 0 to 255.
const RAMPS = {
  light: [[255, 255, 255], [200, 221, 240], [107, 160, 208], [33, 96, 160], [10, 32, 80]],
  dark: [[17, 21, 28], [24, 56, 104], [36, 112, 160], [110, 184, 196], [250, 240, 190]],
};

/** 256 opaque colours along a ramp, as the pixels of an ImageData: (256,) Uint32Array. */
function blend(ramp) {
  const bytes = new Uint8ClampedArray(4 * 256).fill(255);
  for (let i = 0; i < 256; i++) {
    const place = (i / 255) * (ramp.length - 1), step = Math.min(ramp.length - 2, Math.floor(place));
    bytes.set(ramp[step].map((value, channel) => value + (place - step) * (ramp[step + 1][channel] - value)), 4 * i);
  }
  return new Uint32Array(bytes.buffer);
}

// ------------------------------------------------------------------------------------------------------ the widget

const STYLE = `
:host { display: block; container-type: inline-size; }
* { box-sizing: border-box; }
.face { --fg: var(--ink, light-dark(#1f2933, #e6e9ef)); --bg: var(--page, light-dark(#fff, #11151c));
  --quiet: var(--soft, light-dark(#52606d, #a3afbd)); --press: var(--accent, light-dark(#0b6477, #74cfe0));
  border: 0 solid var(--line, light-dark(#d5dbe1, #3a4452)); color: var(--fg); background: var(--bg);
  font-size: 0.95rem; line-height: 1.45; }
.controls { display: grid; gap: 0.8rem 1.5rem; }
.controls > div, .place > div { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between;
  gap: 0.2rem 0.6rem; }
input { margin: 0; accent-color: var(--press); }
input[type=range] { width: 100%; height: 1.5rem; }
.value { font-variant-numeric: tabular-nums; }
select, button { font: inherit; min-height: 2.5rem; border: 1px solid var(--quiet); border-radius: 6px;
  background: var(--bg); }
select { flex: 1; min-width: 0; padding: 0 0.7rem; color: var(--fg); }
button { flex: 1 1 7rem; padding: 0 0.4rem; color: var(--press); border-color: var(--press); cursor: pointer; }
button[data-on] { color: var(--bg); background: var(--press); }
:focus-visible { outline: 3px solid var(--press); outline-offset: 2px; }
.reading { display: grid; align-items: center; min-height: 10.5em; margin: 1rem 0 0.7rem; padding: 0.4rem 0.9rem;
  border-left: 4px solid var(--press); font-size: 1.05em; }
[data-ink=sound] { color: light-dark(#7a8794, #8793a0); }
[data-ink=frame] { color: light-dark(#b8500a, #f08a3c); }
.place, figcaption { font-size: 0.88rem; }
figcaption { color: var(--quiet); }
figure { margin: 0.8rem 0 0; }
canvas { display: block; width: 100%; height: 150px; }
canvas[data-picture=spectrogram] { height: 250px; }
.place { padding: 0.4rem ${MARGIN.right}px 0 ${MARGIN.left}px; }
@container (min-width: 36rem) {
  .controls { grid-template-columns: 1fr 1fr; }
  .reading { min-height: 6.8em; }
}
`;

const slider = (id, name, range) => `
  <div><label for="${id}">${name}</label><span class="value" aria-hidden="true"></span>
    <input id="${id}" type="range" ${range}></div>`;
const picture = (name, caption) => `
<figure><figcaption>${caption}</figcaption>
  <canvas data-picture="${name}" role="img" aria-label="${caption}: not drawn yet"></canvas></figure>`;

const BODY = `
<div class="controls">
  <div><label for="clip">Sound</label><select id="clip"></select></div>
  <div><label for="window">Window</label><select id="window"></select><button id="play" type="button">Play</button></div>
  ${slider("length", "Frame", `min="0" max="${LENGTHS.length - 1}"`)}
  ${slider("hop", "Hop", `min="0" max="${HOPS.length - 1}"`)}
</div>
<p class="reading" role="status"></p>
<i data-ink="sound" hidden></i><i data-ink="frame" hidden></i>
${picture("waveform", "Waveform, and the window at the moment")}
${picture("spectrogram", "Spectrogram")}
<div class="place">${slider("from", "Shown from", `min="0" step="0.05"`)}
${slider("moment", "Moment", `min="0" max="${SPAN}" step="0.005"`)}</div>
${picture("spectrum", "Spectrum of the frame at the moment")}
`;

/** The model with its defaults; throws a RangeError whose message an author or a reader can act on. */
export function settings(model) {
  const asked = model.get("clips") ?? Object.keys(CLIPS);
  if (!Array.isArray(asked) || !asked.length) {
    throw new RangeError(`Expected “clips” to be a list of sounds, got ${JSON.stringify(asked)}: try ["test"].`);
  }
  const clips = asked.map((clip) => (typeof clip === "string" ? { kind: clip } : { player: clip?.player }));
  for (const { kind, player } of clips) if (typeof player !== "string") known("sounds", Object.keys(CLIPS), kind);
  const start = { length: 32, hop: 4, window: "hann" };
  for (const name of Object.keys(start)) start[name] = model.get(name) ?? start[name];
  known("frame lengths in ms", LENGTHS, start.length);
  known("hops in ms", HOPS, start.hop);
  known("windows", Object.keys(WINDOWS), start.window);
  const there = clips.filter(({ kind, player }) => kind || playerOf(player));
  return { clips: there.length ? there : [{ kind: "test" }], ...start };
}

function known(what, values, asked) {
  if (values.includes(asked)) return;
  throw new RangeError(`Expected one of the ${what} ${values.join(", ")}, got ${asked}: choose one of these.`);
}

/** What a frame can tell, as a sentence: its blur, the product, and how many spectra the hop gives. */
export function reading(window, length, hop, rate) {
  const { time, frequency } = blur(window, length / 1000), count = samplesOf(length / 1000, rate);
  const gaps = hop > length ? " Between the frames there are gaps: what sounds in them is not seen." : "";
  return `A frame of ${length} ms (${number(count)} samples) blurs ${short(1000 * time)} ms and ${number(frequency)} Hz; ` +
    `their product is ${(time * frequency).toFixed(1)} for every length. ` +
    `A hop of ${hop} ms gives ${number(1000 / hop)} spectra a second.${gaps}`;
}

class FramesWidget {
  ended = new AbortController(); // takes all listeners away with it

  constructor(el, start) {
    this.host = el.appendChild(document.createElement("div"));
    this.root = this.host.attachShadow({ mode: "open" }); // ids and styles stay inside: a page can hold several
    this.root.innerHTML = `<style>${STYLE}</style><div class="face">${BODY}</div>`;
    const all = (selector) => [...this.root.querySelectorAll(selector)];
    this.controls = Object.fromEntries(all("[id]").map((control) => [control.id, control]));
    this.canvases = Object.fromEntries(all("canvas").map((canvas) => [canvas.dataset.picture, canvas]));
    this.set(start);
    this.tell();
    this.listen();
    this.dress();
    this.choose(0);
  }

  set({ clips, length, hop, window }) {
    this.clips = clips;
    const { clip, window: kind, ...controls } = this.controls;
    clip.append(...clips.map(({ kind: made, player }, i) => new Option(player ?? CLIPS[made].label, i)));
    kind.append(...Object.entries(WINDOWS).map(([name, { label }]) => new Option(label, name)));
    [kind.value, controls.length.value, controls.hop.value] = [window, LENGTHS.indexOf(length), HOPS.indexOf(hop)];
  }

  listen() {
    const on = (target, event, action) => target.addEventListener(event, action, { signal: this.ended.signal });
    const { clip, play, length, hop, window: kind, from, moment } = this.controls;
    on(clip, "change", () => this.choose(Number(clip.value)));
    for (const control of [length, hop, kind, from, moment]) on(control, "input", () => this.later());
    on(play, "click", () => (this.context ? this.stop() : this.play()));
    on(document, "visibilitychange", () => document.hidden && this.stop());
    on(matchMedia("(prefers-color-scheme: dark)"), "change", () => this.dress());
    const themes = new MutationObserver(() => this.dress());
    themes.observe(document.documentElement, { attributeFilter: ["data-theme", "class", "style"] });
    const sizes = new ResizeObserver(() => this.draw());
    sizes.observe(this.canvases.spectrogram);
    this.observers = [themes, sizes];
  }

  /** Takes light or dark from the page's data-theme, else from the system, and the colours from the styles. */
  dress() {
    const { theme } = document.documentElement.dataset, system = matchMedia("(prefers-color-scheme: dark)");
    const scheme = theme === "dark" || (theme !== "light" && system.matches) ? "dark" : "light";
    this.host.style.colorScheme = scheme;
    const { color: ink, borderTopColor: grid } = getComputedStyle(this.root.querySelector(".face"));
    this.inks = { ink, grid, palette: blend(RAMPS[scheme]) };
    const swatches = this.root.querySelectorAll("[data-ink]");
    swatches.forEach((swatch) => { this.inks[swatch.dataset.ink] = getComputedStyle(swatch).color; });
    this.draw();
  }

  get frame() {
    const { length, hop, window: kind } = this.controls;
    return { length: LENGTHS[length.value] / 1000, hop: HOPS[hop.value] / 1000, window: kind.value };
  }

  /** Loads a clip and shows its loudest half second; where that fails, says what to do. */
  async choose(index) {
    this.stop();
    const wanted = (this.wanted = this.clips[index]);
    try {
      const clip = await load(wanted);
      if (this.wanted !== wanted || this.ended.signal.aborted) return;
      this.clip = clip;
      const { from, moment } = this.controls, seconds = clip.samples.length / clip.rate;
      from.max = Math.max(0, Math.floor((seconds - SPAN) / 0.05) * 0.05).toFixed(2);
      from.value = loudestHalf(clip);
      moment.value = loudestMoment(clip, Number(from.value));
      this.later();
    } catch (error) {
      this.say(error instanceof RangeError ? error.message : `The sound could not be read (${error.message}): choose another one.`);
    }
  }

  /** Works the pictures out at the next frame, once, however often a slider moves before it. */
  later() {
    this.tell();
    cancelAnimationFrame(this.waiting);
    this.waiting = requestAnimationFrame(() => this.draw());
  }

  draw() {
    if (!this.clip || !this.inks || !this.canvases.spectrogram.clientWidth) return;
    const { clip, frame, controls } = this, from = Number(controls.from.value);
    const moment = from + Number(controls.moment.value);
    const columns = spectrogram(clip.samples, clip.rate, from, frame), loudest = loudestOf(columns);
    const levels = frameLevels(clip.samples, clip.rate, moment * clip.rate, frame);
    const view = { clip, frame, from, moment, columns, levels, loudest };
    drawWaveform(this.canvases.waveform, this.inks, view);
    drawSpectrogram(this.canvases.spectrogram, this.inks, view);
    drawSpectrum(this.canvases.spectrum, this.inks, view);
    this.describe(view);
  }

  /** Puts the settings and what they can tell into words. */
  tell() {
    const { length, hop, window } = this.frame, { controls } = this;
    label(controls.length, `${1000 * length} ms`);
    label(controls.hop, `${1000 * hop} ms`);
    label(controls.from, `${Number(controls.from.value).toFixed(2)} s`);
    label(controls.moment, `${(Number(controls.from.value) + Number(controls.moment.value)).toFixed(3)} s`);
    this.say(reading(window, Math.round(1000 * length), Math.round(1000 * hop), this.clip?.rate ?? RATE));
  }

  say(sentence) {
    const line = this.root.querySelector(".reading");
    if (line.textContent !== sentence) line.textContent = sentence;
  }

  /** Says in text what the pictures show. */
  describe({ clip, from, moment, frame, levels, loudest }) {
    const { waveform, spectrogram: map, spectrum } = this.canvases;
    const part = `from ${from.toFixed(2)} to ${(from + SPAN).toFixed(2)} s`;
    const strongest = (levels.indexOf(levels.reduce((best, level) => Math.max(best, level), -Infinity)) * clip.rate) / 2;
    const peak = number(strongest / (levels.length - 1)), peaks = ridges(levels, loudest);
    waveform.ariaLabel = `Waveform ${part}, with a window of ${1000 * frame.length} ms around ${moment.toFixed(3)} s.`;
    map.ariaLabel = `Spectrogram ${part}, up to 4 kHz, in frames of ${1000 * frame.length} ms every ${1000 * frame.hop} ms.`;
    spectrum.ariaLabel = `Spectrum of the frame at ${moment.toFixed(3)} s: strongest at ${peak} Hz, ${peaks} separate ridges below 1 kHz.`
      .replace("1 separate ridges", "1 ridge");
    this.root.host.dataset.ridges = peaks;
  }

  /** Plays the clip once; a second press stops it. */
  play() {
    if (!this.clip) return;
    this.context = new AudioContext();
    const { samples, rate } = this.clip, buffer = this.context.createBuffer(1, samples.length, rate);
    buffer.copyToChannel(Float32Array.from(samples), 0);
    const source = new AudioBufferSourceNode(this.context, { buffer });
    source.connect(this.context.destination);
    source.onended = () => this.stop();
    source.start();
    this.showState();
  }

  stop() {
    this.context?.close();
    this.context = null;
    this.showState();
  }

  showState() {
    this.controls.play.textContent = this.context ? "Stop" : "Play";
    this.controls.play.toggleAttribute("data-on", Boolean(this.context));
  }

  close() {
    this.ended.abort();
    this.observers.forEach((observer) => observer.disconnect());
    cancelAnimationFrame(this.waiting);
    this.stop();
    this.host.remove();
  }
}

/** Start, in seconds and steps of 0.05, of the half second with the most energy. */
export function loudestHalf({ samples, rate }) {
  let best = 0, most = -1;
  for (let step = 0; step === 0 || (0.05 * step + SPAN) * rate <= samples.length; step++) {
    const start = Math.round(0.05 * step * rate);
    const energy = samples.subarray(start, start + Math.round(SPAN * rate)).reduce((sum, value) => sum + value ** 2, 0);
    if (energy > most) [best, most] = [0.05 * step, energy];
  }
  return Number(best.toFixed(2));
}

/** Where within the half second from `from` on the highest sample lies, in seconds after `from`. */
function loudestMoment({ samples, rate }, from) {
  const shown = samples.subarray(Math.round(from * rate), Math.round((from + SPAN) * rate));
  return shown.reduce((best, value, n) => (Math.abs(value) > Math.abs(shown[best]) ? n : best), 0) / rate;
}

/** Peaks of a spectrum in its lowest quarter, within 40 dB of `loudest`, with valleys of 3 dB between them: a count. */
export function ridges(levels, loudest) {
  let count = 0, low = -Infinity, high = -Infinity, rising = true;
  for (const level of levels.subarray(0, Math.round(levels.length / 4))) {
    if (rising && level < high - 3) {
      if (high > loudest - 40) count += 1;
      [rising, low] = [false, level];
    } else if (!rising && level > low + 3) [rising, high] = [true, level];
    [high, low] = [rising ? Math.max(high, level) : high, rising ? low : Math.min(low, level)];
  }
  return count;
}

/** Shows the value of a slider beside its label and says it to screen readers. */
function label(slider, text) {
  slider.ariaValueText = text;
  slider.parentElement.querySelector(".value").textContent = text;
}

/** Builds the widget in `el`, or says there what the page got wrong; returns the function that stops and removes it. */
function render({ model, el }) {
  try {
    const widget = new FramesWidget(el, settings(model));
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
