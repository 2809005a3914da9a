/**
 * Sampling, seen and heard (Lecture 1): a clip or the microphone, its waveform, spectrum and spectrogram, and a
 * sample-rate slider that lets one hear aliasing and its cure.
 *
 * An anywidget module without a kernel, a library or a request: `render({ model, el })` builds the widget in `el` and
 * returns the function that stops and removes it. One file, because the site copies only the module that a page names.
 *
 * Model (all optional): `clips`, a list of kinds or of `{ kind, label }`; `rate`, `frequency` (both Hz), `bits` and
 * `filter` (true or false), the positions in which the controls start.
 *
 * Signals are Float32Array or Float64Array in [-1, 1]; rates and frequencies are in Hz, times in seconds, levels in dB.
 */

const FULL_RATE = 48000; // Hz, of the synthesised clips; every rate on the slider divides it
const FACTORS = [48, 24, 16, 12, 10, 8, 6, 5, 4, 3, 2, 1]; // keep one sample in so many: 1,000 Hz … 48,000 Hz
const SECONDS = 2.6; // of a clip and of the spectrogram
const FRAME = 2048; // samples in one spectrum: 43 ms, bins 23 Hz apart
const BLOCK = 4 * FRAME; // samples of the microphone that are worked on at once: a frame and the filters' tails
const COLUMNS = 240; // frames in a spectrogram
const TOP = 12000; // Hz, upper end of the frequency axes
const FLOOR = -90; // dB, lower end of the level axes; 0 dB is a sine of amplitude 1
const LOBES = 64; // length of the low-pass filters, in sample periods of the lower rate
const STRIP = 0.005; // s of waveform shown
const FINE = 4; // points of a drawn waveform for each sample
const VOLUME = 0.5; // of the loudspeaker: a steady tone is unpleasant at full scale

// ---------------------------------------------------------------------------------------------------- mathematics

/** The frequency in Hz, from 0 to rate / 2, at which a tone of `frequency` Hz is heard once sampled at `rate` Hz. */
export function alias(frequency, rate) {
  if (!(rate > 0)) throw new RangeError(`Expected a sample rate above 0 Hz, got ${rate}: try 8000.`);
  return Math.abs(frequency - rate * Math.round(frequency / rate));
}

/**
 * Discrete Fourier transform in place, by Cooley and Tukey's radix-2 algorithm (1965).
 * @param {Float64Array} re real parts, (n,) with n a power of two; replaced by those of the transform
 * @param {Float64Array} im imaginary parts, (n,); swap the two arrays for n times the inverse transform
 */
export function fft(re, im) {
  const n = re.length;
  if (n === 0 || n & (n - 1)) throw new RangeError(`Expected 2, 4, 8 … samples, got ${n}: pad with zeros.`);
  reverseBits(re, im);
  const cos = new Float64Array(n / 2).map((_, k) => Math.cos((2 * Math.PI * k) / n));
  const sin = new Float64Array(n / 2).map((_, k) => -Math.sin((2 * Math.PI * k) / n));
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

/**
 * Taps of a windowed-sinc low-pass filter (Blackman window: stop band 74 dB down), gain 1 at 0 Hz.
 * @param {number} cutoff in Hz, where the gain is one half
 * @param {number} rate sample rate in Hz of the signal to be filtered
 * @param {number} length number of taps, odd; from pass band to stop band it takes 5.5 * rate / length Hz
 */
export function lowpass(cutoff, rate, length) {
  const taps = new Float64Array(length).map((_, n) => {
    const t = n - (length - 1) / 2, x = (2 * cutoff * t) / rate, turn = (2 * Math.PI * n) / (length - 1);
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    return sinc * (0.42 - 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn));
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

/**
 * Every `factor`-th sample of `signal`, (ceil(signal.length / factor),), after a filter with an odd number of `taps`.
 * Without a filter the samples are picked as they are, and what lies above half the new rate folds down.
 */
export function decimate(signal, factor, taps = [1]) {
  if (!(Number.isInteger(factor) && factor > 0)) throw new RangeError(`Expected a factor 1, 2, 3 …, got ${factor}.`);
  const half = (taps.length - 1) / 2;
  return new Float64Array(Math.ceil(signal.length / factor)).map((_, n) => {
    const centre = n * factor, last = Math.min(signal.length - 1, centre + half);
    let sum = 0;
    for (let i = Math.max(0, centre - half); i <= last; i++) sum += taps[centre + half - i] * signal[i];
    return sum;
  });
}

/** The smooth curve through samples `factor` periods apart, (length,): a low-pass pulse for each of them, added up. */
export function reconstruct(samples, factor, length) {
  if (factor === 1) return samples.slice(0, length);
  const half = (LOBES * factor) / 2, pulse = lowpass(0.5 / factor, 1, 2 * half + 1);
  return new Float64Array(length).map((_, n) => {
    const first = Math.max(0, Math.ceil((n - half) / factor));
    const last = Math.min(samples.length - 1, Math.floor((n + half) / factor));
    let sum = 0;
    for (let i = first; i <= last; i++) sum += samples[i] * pulse[n + half - i * factor];
    return factor * sum;
  });
}

/** Samples rounded to the nearest of 2 ** `bits` evenly spaced levels from -1 to just below 1. */
export function quantise(samples, bits) {
  const levels = 2 ** (bits - 1);
  return samples.map((value) => Math.max(-levels, Math.min(levels - 1, Math.round(value * levels))) / levels);
}

/**
 * What is heard of a signal that was sampled at 1 / `factor` of its rate with so many `bits`.
 * With `filter`, what lies above half the new rate is taken out first: the pass band ends at 0.41 of the new rate, the
 * stop band begins at its half.
 */
export function hear(signal, { factor, filter, bits }) {
  const taps = filter && factor > 1 ? lowpass(0.455 / factor, 1, LOBES * factor + 1) : [1];
  return reconstruct(quantise(decimate(signal, factor, taps), bits), factor, signal.length);
}

/** Levels in dB of a frame of n samples (Float64Array) under a Hann window, (n / 2,); bin k lies at k * rate / n Hz. */
export function spectrum(frame) {
  const n = frame.length, im = new Float64Array(n);
  const re = frame.map((value, i) => value * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n)));
  fft(re, im);
  return new Float64Array(n / 2).map((_, k) => 10 * Math.log10((16 * (re[k] ** 2 + im[k] ** 2)) / n ** 2 + 1e-14));
}

/** Frequency in Hz and level in dB of the highest peak beside 0 Hz, from the parabola through its bin and two more. */
export function strongest(levels, rate) {
  const first = 3; // bins 0 to 2 hold the lobe of 0 Hz
  const k = levels.subarray(first, -1).reduce((best, level, i) => (level > levels[best] ? first + i : best), first);
  const [left, peak, right] = levels.subarray(k - 1, k + 2);
  const shift = (left - right) / (2 * (left - 2 * peak + right)) || 0;
  return { frequency: ((k + shift) * rate) / (2 * levels.length), level: peak };
}

/** `FRAME` samples centred on index `centre`, zeros beyond the ends. */
function frameAt(signal, centre) {
  const start = Math.round(centre) - FRAME / 2;
  return new Float64Array(FRAME).map((_, i) => signal[start + i] ?? 0);
}

/** Columns of a spectrogram: `COLUMNS` spectra of evenly spaced frames. */
function spectrogram(signal) {
  return Array.from({ length: COLUMNS }, (_, i) => spectrum(frameAt(signal, ((i + 0.5) * signal.length) / COLUMNS)));
}

// ---------------------------------------------------------------------------------------------------------- clips

const N = Math.round(SECONDS * FULL_RATE);
const sine = (cycles) => Math.sin(2 * Math.PI * cycles);
const timed = (value) => new Float64Array(N).map((_, n) => value(n / FULL_RATE));
/** 1 between `from` and `to` seconds, with 15 ms of slope at both ends, else 0. */
const gate = (t, from, to) => Math.max(0, Math.min(1, (t - from) / 0.015, (to - t) / 0.015));

/** Two strokes on a metal bar: four modes, the high ones dying away first. */
function chime() {
  // Lecture 1's bar: frequency in Hz, amplitude, seconds until 1/e is left.
  const modes = [[880, 0.4, 0.6], [2426.16, 0.25, 0.4], [4755.52, 0.15, 0.25], [7861.04, 0.2, 0.3]];
  const stroke = (t) => (t < 0 ? 0 : modes.reduce((sum, [f, a, tau]) => sum + a * Math.exp(-t / tau) * sine(f * t), 0));
  return timed((t) => stroke(t) + stroke(t - 1.3));
}

/** The sum of the two tones of each telephone key, 0.25 s a key. */
function telephone() {
  const keys = [[697, 1209], [770, 1336], [852, 1477], [941, 1209], [770, 1477], [941, 1336], [852, 1209]];
  return timed((t) => {
    const place = Math.floor(t / 0.36), [low, high] = keys[place] ?? [0, 0];
    return (sine(low * t) + sine(high * t)) * gate(t - place * 0.36, 0.05, 0.3);
  });
}

/** Whistled notes that fall from 7 to 3 kHz, each wavering nine times a second. */
function bird() {
  let cycles = 0;
  return timed((t) => {
    const since = t % 0.52, glide = Math.min(1, since / 0.36);
    cycles += (7000 - 4000 * glide + 400 * sine(9 * since)) / FULL_RATE;
    return sine(cycles) * gate(since, 0.02, 0.36);
  });
}

/** A resonance (two poles) that can be retuned at every sample: `ring(input, frequency, bandwidth)`, Hz. */
function resonance() {
  let last = 0, before = 0;
  return (input, frequency, bandwidth) => {
    const radius = Math.exp((-Math.PI * bandwidth) / FULL_RATE);
    const turn = Math.cos((2 * Math.PI * frequency) / FULL_RATE);
    const value = (1 - radius) * input + 2 * radius * turn * last - radius ** 2 * before;
    [before, last] = [last, value];
    return value;
  };
}

/** "Sai, sau": a buzz through three moving formants, and hiss through a resonance at 6.5 kHz for each s. */
function syllables() {
  const vowels = { a: [750, 1250, 2600], i: [290, 2250, 3000], u: [320, 800, 2300] };
  const formants = [resonance(), resonance(), resonance()], hiss = resonance();
  let cycles = 0, noise = 1;
  return timed((t) => {
    const [since, end] = t < 1.3 ? [t, vowels.i] : [t - 1.3, vowels.u];
    const glide = Math.max(0, Math.min(1, (since - 0.5) / 0.3));
    cycles = (cycles + (125 - 18 * since) / FULL_RATE) % 1;
    const buzz = (1 - 2 * cycles) * gate(since, 0.28, 1.1);
    noise = (noise * 16807) % 2147483647; // the "minimal standard" generator: the same hiss each time
    const breath = (noise / 2 ** 30 - 1) * gate(since, 0.08, 0.28);
    const sound = (ring, i) => (1 + 2 * i) * ring(buzz, vowels.a[i] + glide * (end[i] - vowels.a[i]), 80 + 40 * i);
    return formants.reduce((sum, ring, i) => sum + sound(ring, i), 3 * hiss(breath, 6500, 2000));
  });
}

/** The sounds that a page may ask for by kind; each maps the tone slider's frequency in Hz to a signal at FULL_RATE. */
export const CLIPS = {
  tone: { label: "Steady tone", make: (frequency) => timed((t) => sine(frequency * t)) },
  sweep: { label: "Sweep, 0 to 8 kHz", make: () => timed((t) => sine((4000 * t * t) / SECONDS)) },
  chime: { label: "Chime", make: chime },
  syllables: { label: "Syllables", make: syllables },
  bird: { label: "Bird-like chirps", make: bird },
  telephone: { label: "Telephone keys", make: telephone },
};

/** The clip of a kind, faded in and out over 15 ms, its peak at 0.5. */
export function synthesise(kind, frequency) {
  const signal = CLIPS[kind].make(frequency);
  const peak = signal.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  return signal.map((value, n) => (0.5 * value * gate(n / FULL_RATE, 0, SECONDS)) / peak);
}

// ------------------------------------------------------------------------------------------- loudspeaker, microphone

/** Plays one signal in a loop. The audio context lives from a press of Play to the stop, so silence costs nothing. */
class Loudspeaker {
  get playing() { return Boolean(this.context); }

  /** Position in the loop, s. */
  get moment() {
    return (this.offset + this.context.currentTime - this.since) % this.source.buffer.duration;
  }

  /** Starts, or goes on with another signal, at `moment` seconds; fades over 10 ms so that changes do not click. */
  play(signal, rate, moment) {
    this.context ??= new AudioContext({ sampleRate: rate });
    this.#fadeOut();
    const buffer = this.context.createBuffer(1, signal.length, rate);
    buffer.copyToChannel(Float32Array.from(signal), 0);
    this.source = new AudioBufferSourceNode(this.context, { buffer, loop: true });
    this.gain = new GainNode(this.context, { gain: 0 });
    this.source.connect(this.gain).connect(this.context.destination);
    [this.since, this.offset] = [this.context.currentTime, moment];
    this.gain.gain.linearRampToValueAtTime(VOLUME, this.since + 0.01);
    this.source.start(this.since, moment);
  }

  #fadeOut() {
    if (!this.source) return;
    const now = this.context.currentTime;
    this.gain.gain.setValueAtTime(VOLUME, now).linearRampToValueAtTime(0, now + 0.01);
    this.source.stop(now + 0.01);
  }

  stop() {
    this.context?.close();
    this.context = this.source = null;
  }
}

const TAP = `registerProcessor("tap", class extends AudioWorkletProcessor {
  process([[channel]]) { if (channel) this.port.postMessage(channel); return true; }
});`;

/** Keeps the last `SECONDS` of the microphone in a ring. */
class Microphone {
  heard = 0; // samples since it was turned on

  get listening() { return Boolean(this.context); }

  /** True once the browser or the device has ended the stream. */
  get lost() { return this.stream.getAudioTracks()[0].readyState === "ended"; }

  /** Asks for the microphone and listens; throws the browser's DOMException when there is none or it is refused. */
  async start() {
    const request = (this.request = Symbol("microphone")); // a later start or stop replaces it
    const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: raw });
    if (this.request !== request) return release(stream);
    const input = tapInto(stream), { context } = input;
    this.ring = new Float32Array(Math.round(SECONDS * context.sampleRate));
    Object.assign(this, { context, stream, rate: context.sampleRate, heard: 0 });
    const code = URL.createObjectURL(new Blob([TAP], { type: "text/javascript" }));
    await context.audioWorklet.addModule(code).finally(() => URL.revokeObjectURL(code));
    if (this.request === request) this.#connect(input);
  }

  #connect(input) {
    const tap = new AudioWorkletNode(this.context, "tap");
    tap.port.onmessage = ({ data }) => data.forEach((value) => { this.ring[this.heard++ % this.ring.length] = value; });
    input.connect(tap).connect(this.context.destination); // the tap gives out silence, but only what is connected runs
  }

  /** The last `count` samples, oldest first. */
  latest(count) {
    const start = this.heard + this.ring.length - count;
    return new Float32Array(count).map((_, i) => this.ring[(start + i) % this.ring.length]);
  }

  stop() {
    if (this.listening) {
      release(this.stream);
      this.context.close();
    }
    this.context = this.request = null;
    this.heard = 0;
  }
}

/** A source node for the stream, at 48 kHz where the browser converts rates, else (Firefox) at the device's rate. */
function tapInto(mediaStream) {
  try {
    return new MediaStreamAudioSourceNode(new AudioContext({ sampleRate: FULL_RATE }), { mediaStream });
  } catch {
    return new MediaStreamAudioSourceNode(new AudioContext(), { mediaStream });
  }
}

const release = (stream) => stream.getTracks().forEach((track) => track.stop());

/** What to do about a microphone that did not start. */
function microphoneAdvice(error) {
  if (!navigator.mediaDevices) return "This page is not given a microphone: open it over https or on localhost.";
  const advice = {
    NotAllowedError: "The browser refused the microphone: allow it for this page, beside the address, and press again.",
    NotFoundError: "The browser found no microphone: connect one and press again.",
  };
  const other = `The microphone did not start (${error.message}): close what else uses it and press again.`;
  return advice[error.name] ?? other;
}

// -------------------------------------------------------------------------------------------------------- pictures

const number = (value) => Math.round(value).toLocaleString("en-US").replace("-", "−");
const hertz = (value) => `${number(value)} Hz`;
const MARGIN = { left: 46, right: 10, top: 12, bottom: 34 }; // px

/**
 * Clears `canvas` at the screen's resolution and draws a grid with ticks and names, 12 px high.
 * @param x, y each `{ from, to, ticks, scale, name }`: the range, the ticks, what turns a tick into its label
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
    write(pen, tick * x.scale, toX(tick), box.bottom + 10, "center");
  }
  for (const tick of y.ticks) {
    line(pen, box.left, toY(tick), box.right, toY(tick));
    write(pen, number(tick * y.scale), box.left - 5, toY(tick), "right");
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
  [pen.strokeStyle, pen.lineWidth] = [colour, width];
  pen.beginPath();
  points.forEach(([x, y]) => pen.lineTo(x, y));
  pen.stroke();
}

/** A few milliseconds around the moment: the original, the samples that are kept, and the curve heard through them. */
function drawWaveform(canvas, inks, view) {
  const { original, heard, rate, factor, centre } = view;
  const x = { from: 0, to: STRIP, ticks: [0, 0.001, 0.002, 0.003, 0.004, 0.005], scale: 1000, name: "time (ms)" };
  const y = { from: -view.peak, to: view.peak, ticks: [0], scale: 1, name: "pressure" };
  const { pen, toX, toY } = axes(canvas, inks, x, y);
  const start = Math.round(centre - (STRIP * rate) / 2), count = Math.round(STRIP * rate);
  const place = ([index, value]) => [toX(index / rate), toY(value)];
  const trace = (signal) => Array.from(refine(signal, start, count), (value, i) => [i / FINE, value]);
  curve(pen, trace(original).map(place), inks.original, 1.5);
  curve(pen, trace(heard).map(place), inks.heard, 2);
  pen.fillStyle = inks.heard;
  const kept = trace(heard).filter(([index]) => (start + index) % factor === 0);
  kept.map(place).forEach(([left, top]) => pen.fillRect(left - 2.5, top - 2.5, 5, 5));
}

/** `count` samples from `start` on, `FINE` points for each, so that a drawn line is as smooth as the sound. */
function refine(signal, start, count) {
  const wide = new Float64Array(count + 2 * LOBES).map((_, i) => signal[start - LOBES + i] ?? 0);
  return reconstruct(wide, FINE, FINE * wide.length).subarray(FINE * LOBES, FINE * (LOBES + count) + 1);
}

/** Original and heard spectra, the range that the rate cannot carry, and where the tone is and where it lands. */
function drawSpectrum(canvas, inks, view) {
  const x = { from: 0, to: TOP, ticks: [0, 2e3, 4e3, 6e3, 8e3, 1e4, 12e3], scale: 1e-3, name: "frequency (kHz)" };
  const y = { from: FLOOR, to: 0, ticks: [0, -30, -60, -90], scale: 1, name: "level (dB)" };
  const { pen, box, toX, toY } = axes(canvas, inks, x, y);
  marker(pen, inks.original, toX(view.tone), box.top);
  marker(pen, inks.heard, toX(alias(view.tone, view.rate / view.factor)), box.top);
  const clip = new Path2D(), half = toX(view.rate / view.factor / 2), step = view.rate / FRAME;
  clip.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  pen.clip(clip);
  [pen.globalAlpha, pen.fillStyle] = [0.4, inks.grid];
  pen.fillRect(half, box.top, box.right, box.bottom);
  pen.globalAlpha = 1;
  const trace = (levels) => Array.from(levels, (level, k) => [toX(k * step), toY(level)]);
  curve(pen, trace(view.levels.original), inks.original, 1.5);
  curve(pen, trace(view.levels.heard), inks.heard, 2);
  nyquistLine(pen, inks, half, box.top, half, box.bottom);
}

/** A small triangle that points down at (x, y). */
function marker(pen, colour, x, y) {
  pen.fillStyle = colour;
  pen.fill(new Path2D(`M ${x} ${y} l -5 -9 h 10 z`));
}

function nyquistLine(pen, inks, ...ends) {
  [pen.strokeStyle, pen.lineWidth] = [inks.limit, 2];
  pen.setLineDash([6, 4]);
  line(pen, ...ends);
  pen.setLineDash([]);
}

/** Levels of the heard signal over time and frequency; the moment and half the sample rate on top. */
function drawSpectrogram(canvas, inks, view) {
  const x = { from: 0, to: SECONDS, ticks: [0, 0.5, 1, 1.5, 2, 2.5], scale: 1, name: "time (s)" };
  const y = { from: 0, to: TOP, ticks: [0, 4000, 8000, 12000], scale: 0.001, name: "frequency (kHz)" };
  const { pen, box, toX, toY } = axes(canvas, inks, x, y);
  const picture = paint(view.columns, Math.round((TOP * FRAME) / view.rate), inks.palette);
  pen.drawImage(picture, box.left, box.top, box.right - box.left, box.bottom - box.top);
  const half = toY(view.rate / view.factor / 2);
  if (half > box.top) nyquistLine(pen, inks, box.left, half, box.right, half);
  pen.strokeStyle = inks.ink;
  line(pen, toX(view.moment), box.top, toX(view.moment), box.bottom);
}

/** A canvas with one pixel for each of `rows` levels of each column, the lowest frequency at the bottom. */
function paint(columns, rows, palette) {
  const image = new ImageData(COLUMNS, rows);
  const pixels = new Uint32Array(image.data.buffer).fill(palette[0]);
  columns.forEach((levels, column) => {
    for (let row = 0; row < rows; row++) {
      const place = Math.max(0, Math.min(1, 1 - levels[row] / FLOOR));
      pixels[(rows - 1 - row) * COLUMNS + column] = palette[Math.round(place * (palette.length - 1))];
    }
  });
  const canvas = Object.assign(document.createElement("canvas"), { width: COLUMNS, height: rows });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
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
.controls > div, .moment > div { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between;
  gap: 0.2rem 0.6rem; }
.controls .tick { justify-content: flex-start; }
input { margin: 0; accent-color: var(--press); }
input[type=range] { width: 100%; height: 1.5rem; }
input[type=checkbox] { width: 1.2rem; height: 1.2rem; }
.value, .strongest { font-variant-numeric: tabular-nums; }
select, button { font: inherit; min-height: 2.5rem; border: 1px solid var(--quiet); border-radius: 6px;
  background: var(--bg); }
select { flex: 1; min-width: 0; padding: 0 0.7rem; color: var(--fg); }
button { flex: 1 1 7rem; padding: 0 0.4rem; color: var(--press); border-color: var(--press); cursor: pointer; }
button[data-on] { color: var(--bg); background: var(--press); }
:focus-visible { outline: 3px solid var(--press); outline-offset: 2px; }
.reading { display: grid; align-items: center; min-height: 7.5em; margin: 1rem 0 0.7rem; padding: 0.4rem 0.9rem;
  border-left: 4px solid var(--press); font-size: 1.05em; }
.key { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; margin: 0; padding: 0; list-style: none; }
.key i { display: inline-block; width: 1.6em; margin-right: 0.4em; vertical-align: middle; border-top: 3px solid; }
[data-ink=original] { color: light-dark(#7a8794, #8793a0); }
[data-ink=heard] { color: light-dark(#1a6fd0, #4d9bf5); }
.key [data-ink=limit] { color: light-dark(#b8500a, #f08a3c); border-top-style: dashed; }
.key, .moment, .note, figcaption { font-size: 0.88rem; }
.note, figcaption { color: var(--quiet); }
figure { margin: 0.8rem 0 0; }
canvas { display: block; width: 100%; height: 190px; }
canvas[data-picture=waveform] { height: 140px; }
.moment { padding: 0 ${MARGIN.right}px 0 ${MARGIN.left}px; }
.strongest { min-height: 4.4em; margin: 0.2rem 0; }
.note { margin: 0.6rem 0 0; }
@container (min-width: 36rem) {
  .controls { grid-template-columns: 1fr 1fr; }
  .reading { min-height: 4.2em; }
  .strongest { min-height: 1.5em; }
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
  <div><button id="play" type="button">Play</button><button id="listen" type="button">Use microphone</button></div>
  ${slider("rate", "Sample rate", `min="0" max="${FACTORS.length - 1}"`)}
  ${slider("frequency", "Tone", `min="100" max="${TOP}" step="100"`)}
  ${slider("bits", "Bits per sample", `min="2" max="16"`)}
  <div class="tick">
    <input id="filter" type="checkbox"><label for="filter">Anti-alias filter before sampling</label></div>
</div>
<p class="reading" role="status"></p>
<ul class="key">
  <li><i data-ink="original"></i>original</li><li><i data-ink="heard"></i>sampled, as heard</li>
  <li><i data-ink="limit"></i>half the sample rate</li><li>▼ the tone, and where it lands</li>
</ul>
${picture("waveform", "Waveform at the moment")}
${picture("spectrum", "Spectrum at the moment")}
<p class="strongest"></p>
${picture("spectrogram", "Spectrogram of what is heard")}
<div class="moment">${slider("moment", "Moment", `min="0" max="${SECONDS}" step="0.01"`)}</div>
<p class="note">What the microphone hears stays in this page; its last ${SECONDS} s become a clip when you stop.</p>
`;

/** The model with its defaults; throws a RangeError whose message an author or a reader can act on. */
export function settings(model) {
  const asked = model.get("clips") ?? Object.keys(CLIPS);
  if (!Array.isArray(asked) || !asked.length) {
    throw new RangeError(`Expected “clips” to be a list of sounds, got ${JSON.stringify(asked)}: try ["tone"].`);
  }
  const clips = asked.map((clip) => (typeof clip === "string" ? { kind: clip } : clip));
  for (const clip of clips) known("sounds", Object.keys(CLIPS), clip?.kind);
  const start = { rate: 8000, frequency: 7000, bits: 16, filter: false };
  for (const name of Object.keys(start)) start[name] = model.get(name) ?? start[name];
  known("sample rates in Hz", FACTORS.map((factor) => FULL_RATE / factor), start.rate);
  return { clips, ...start };
}

function known(what, values, asked) {
  if (values.includes(asked)) return;
  throw new RangeError(`Expected one of the ${what} ${values.join(", ")}, got ${asked}: choose one of these.`);
}

/** What becomes of a tone of `frequency` Hz at the sample rate `rate`, as a sentence. */
export function reading(frequency, rate, filter) {
  const heard = alias(frequency, rate), place = hertz(heard);
  const tone = `A tone at ${hertz(frequency)} sampled at ${hertz(rate)}`;
  if (frequency === rate / 2) return `${tone} is met at the same two points of each cycle: they decide what is heard.`;
  if (filter && heard < frequency) return `${tone} would land at ${place}, but the filter takes it out first: silence.`;
  if (filter && frequency > 0.41 * rate) return `${tone} is heard at ${place}, weakened by the slope of the filter.`;
  if (heard === 0) return `${tone} gives the same value every time, 0 Hz: silence.`;
  return `${tone} is heard at ${place}${heard === frequency ? ", where it belongs" : ""}.`;
}

class SpectrumWidget {
  loudspeaker = new Loudspeaker();
  microphone = new Microphone();
  ended = new AbortController(); // takes all listeners away with it

  constructor(el, start) {
    this.host = el.appendChild(document.createElement("div"));
    this.root = this.host.attachShadow({ mode: "open" }); // ids and styles stay inside: a page can hold several
    this.root.innerHTML = `<style>${STYLE}</style><div class="face">${BODY}</div>`;
    const all = (selector) => [...this.root.querySelectorAll(selector)];
    this.controls = Object.fromEntries(all("[id]").map((control) => [control.id, control]));
    this.canvases = Object.fromEntries(all("canvas").map((canvas) => [canvas.dataset.picture, canvas]));
    this.set(start);
    this.dress();
    this.tell();
    this.listen();
    this.watch();
    this.later(); // so that the page appears before the sound is worked out
  }

  /** Fills the list of sounds and puts the controls where the page wants them to start. */
  set({ clips, rate, frequency, bits, filter }) {
    const { clip, moment, ...controls } = this.controls;
    clip.append(...clips.map(({ kind, label }) => new Option(label ?? CLIPS[kind].label, kind)));
    clip.append(Object.assign(new Option("Your recording", "recording"), { disabled: true }));
    controls.rate.value = FACTORS.indexOf(FULL_RATE / rate);
    [controls.frequency.value, controls.bits.value, controls.filter.checked] = [frequency, bits, filter];
    moment.value = 1.7; // every clip sounds there
  }

  listen() {
    const on = (target, event, action) => target.addEventListener(event, action, { signal: this.ended.signal });
    const { clip, play, listen, rate, frequency, bits, filter, moment } = this.controls;
    on(clip, "change", () => this.choose(clip.value));
    for (const control of [rate, bits, filter, frequency]) on(control, "input", () => this.later());
    on(frequency, "input", () => { if (clip.value === "tone") this.source = null; });
    on(moment, "input", () => this.seek());
    on(play, "click", () => (this.loudspeaker.playing ? this.stop() : this.play()));
    on(listen, "click", () => (this.microphone.listening ? this.stop() : this.useMicrophone()));
    on(document, "visibilitychange", () => document.hidden && this.stop());
    on(matchMedia("(prefers-color-scheme: dark)"), "change", () => this.dress());
  }

  /** Redraws when the size or the page's theme changes. */
  watch() {
    const themes = new MutationObserver(() => this.dress());
    themes.observe(document.documentElement, { attributeFilter: ["data-theme", "class", "style"] });
    const sizes = new ResizeObserver(() => this.draw());
    sizes.observe(this.canvases.spectrum);
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

  get rate() {
    return (this.microphone.listening ? this.microphone : this.source)?.rate ?? FULL_RATE;
  }

  get sampling() {
    const { rate, bits, filter } = this.controls;
    return { factor: FACTORS[rate.value], bits: Number(bits.value), filter: filter.checked };
  }

  choose(kind) {
    if (this.microphone.listening) this.stop();
    this.controls.clip.value = kind;
    this.source = null;
    this.sample();
  }

  /** Samples at the next frame, once, however often a slider moves before it. */
  later() {
    cancelAnimationFrame(this.waiting);
    this.waiting = requestAnimationFrame(() => this.sample());
  }

  /** Samples the clip anew with the present settings, and plays the result on if it was playing. */
  sample() {
    const { clip, frequency } = this.controls;
    if (!this.microphone.listening) {
      const make = () => ({ rate: FULL_RATE, samples: synthesise(clip.value, Number(frequency.value)) });
      this.source ??= clip.value === "recording" ? this.recording : make();
      this.heard = hear(this.source.samples, this.sampling);
      this.columns = spectrogram(this.heard);
    }
    if (this.loudspeaker.playing) this.loudspeaker.play(this.heard, this.rate, this.loudspeaker.moment);
    this.tell();
    this.draw();
  }

  play() {
    this.stop();
    if (!this.source) this.sample();
    this.sound();
    this.animate();
  }

  seek() {
    if (this.loudspeaker.playing) this.sound();
    this.draw();
  }

  sound() {
    this.loudspeaker.play(this.heard, this.rate, Number(this.controls.moment.value));
  }

  async useMicrophone() {
    this.stop();
    try {
      await this.microphone.start();
    } catch (error) {
      this.microphone.stop();
      return this.say(microphoneAdvice(error));
    }
    if (!this.microphone.listening) return;
    this.columns = [];
    this.animate();
  }

  /** Silences the loudspeaker; turns the microphone off and makes a clip of what it heard last. */
  stop() {
    cancelAnimationFrame(this.frame);
    this.loudspeaker.stop();
    const { listening, heard, rate, ring } = this.microphone;
    if (heard) this.keep({ rate, samples: this.microphone.latest(ring.length) });
    this.microphone.stop();
    if (listening) this.sample();
    this.showState();
    this.draw();
  }

  /** Offers the recording as a clip and goes to its loudest moment. */
  keep(recording) {
    const { clip, moment } = this.controls, { rate, samples } = recording;
    this.source = this.recording = recording;
    clip.lastElementChild.disabled = false;
    clip.value = "recording";
    const louder = (best, value, n) => (Math.abs(value) > Math.abs(samples[best]) ? n : best);
    moment.value = samples.reduce(louder, 0) / rate;
  }

  showState() {
    const { play, listen, moment } = this.controls, { playing } = this.loudspeaker, { listening } = this.microphone;
    play.textContent = playing ? "Stop" : "Play";
    listen.textContent = listening ? "Stop microphone" : "Use microphone";
    play.toggleAttribute("data-on", playing);
    listen.toggleAttribute("data-on", listening);
    moment.disabled = listening;
  }

  /** Follows the sound; a reader who prefers less motion gets a still picture, or one a second of the microphone. */
  animate() {
    this.showState();
    this.tell();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (still && this.loudspeaker.playing) return;
    let last = 0;
    const step = (now) => {
      this.frame = requestAnimationFrame(step);
      if (now - last < (still ? 1000 : 30)) return;
      last = now;
      this.follow();
    };
    this.frame = requestAnimationFrame(step);
  }

  follow() {
    const { loudspeaker, microphone, controls } = this;
    if (!this.host.checkVisibility() || (microphone.listening && microphone.lost)) return this.stop();
    controls.moment.value = loudspeaker.playing ? loudspeaker.moment : SECONDS;
    this.draw();
  }

  /** What the pictures show: the clip around the moment, or the last block of the microphone. */
  get signals() {
    const moment = Number(this.controls.moment.value);
    if (this.microphone.listening) {
      const original = this.microphone.latest(BLOCK);
      return { original, heard: hear(original, this.sampling), centre: BLOCK / 2, moment };
    }
    return { original: this.source.samples, heard: this.heard, centre: moment * this.rate, moment };
  }

  draw() {
    if (!this.heard || !this.source || !this.canvases.spectrum.clientWidth) return;
    const { rate, sampling: { factor } } = this;
    const view = { ...this.signals, rate, factor, tone: Number(this.controls.frequency.value) };
    const [original, heard] = [view.original, view.heard].map((signal) => frameAt(signal, view.centre));
    view.levels = { original: spectrum(original), heard: spectrum(heard) };
    view.peak = Math.max(0.1, ...original.map(Math.abs), ...heard.map(Math.abs));
    if (this.microphone.listening) this.scroll(view.levels.heard);
    view.columns = this.columns;
    drawWaveform(this.canvases.waveform, this.inks, view);
    drawSpectrum(this.canvases.spectrum, this.inks, view);
    drawSpectrogram(this.canvases.spectrogram, this.inks, view);
    this.describe(view);
  }

  /** Adds the newest spectrum to the right of the spectrogram, as often as its share of the time has passed. */
  scroll(levels) {
    const due = Math.floor((this.microphone.heard * COLUMNS) / this.microphone.ring.length);
    this.column = this.columns.length ? this.column : due - 1;
    for (; this.column < due; this.column++) this.columns.push(levels);
    this.columns.splice(0, this.columns.length - COLUMNS);
  }

  /** Puts the settings and the fate of the tone into words. */
  tell() {
    const { frequency, bits, rate, filter } = this.controls, chosen = this.rate / this.sampling.factor;
    label(rate, hertz(chosen));
    label(frequency, hertz(frequency.value));
    label(bits, `${bits.value} bits, ${number(2 ** bits.value)} levels`);
    this.say(reading(Number(frequency.value), chosen, filter.checked));
  }

  say(sentence) {
    this.root.querySelector(".reading").textContent = sentence;
  }

  /** Says in text what the pictures show, at most four times a second while they move. */
  describe({ levels, rate, factor, moment }) {
    const moving = this.loudspeaker.playing || this.microphone.listening;
    if (moving && performance.now() - this.described < 250) return;
    this.described = performance.now();
    label(this.controls.moment, `${moment.toFixed(2)} s`);
    const peaks = `original ${peakName(levels.original, rate)}; heard ${peakName(levels.heard, rate)}`;
    const half = `half the sample rate is ${hertz(rate / factor / 2)}`;
    this.root.querySelector(".strongest").textContent = `Strongest at this moment: ${peaks}.`;
    const { waveform, spectrum, spectrogram } = this.canvases;
    waveform.ariaLabel = `Waveform of ${STRIP * 1000} ms: the original, one sample in ${factor}, the curve heard.`;
    spectrum.ariaLabel = `Spectrum from 0 to 12 kHz. Strongest: ${peaks}; ${half}.`;
    spectrogram.ariaLabel = `Spectrogram of ${SECONDS} s from 0 to 12 kHz; ${half}, and nothing is heard above it.`;
  }

  close() {
    this.ended.abort();
    this.observers.forEach((observer) => observer.disconnect());
    [this.waiting, this.frame].forEach((frame) => cancelAnimationFrame(frame));
    this.loudspeaker.stop();
    this.microphone.stop();
    this.host.remove();
  }
}

/** Shows the value of a slider beside its label and says it to screen readers. */
function label(slider, text) {
  slider.ariaValueText = text;
  slider.parentElement.querySelector(".value").textContent = text;
}

function peakName(levels, rate) {
  const { frequency, level } = strongest(levels, rate);
  return level < FLOOR ? "silent" : `${hertz(frequency)} (${number(level)} dB)`;
}

/** Builds the widget in `el`, or says there what the page got wrong; returns the function that stops and removes it. */
function render({ model, el }) {
  try {
    const widget = new SpectrumWidget(el, settings(model));
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
