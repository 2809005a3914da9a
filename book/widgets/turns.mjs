/**
 * When has the caller finished? (Lecture 6): a slider for the silence that a listener waits for, and what it does to real
 * turns: whom it cuts off, and how long it keeps everybody else waiting.
 *
 * An anywidget module without a kernel, a library or a request: `render({ model, el })` builds the widget in `el` and
 * returns the function that removes it. One file, because the site copies only the module that a page names.
 *
 * Model: `turns`, a list of turns, each a list of `[start, end]` of its sounds in seconds, in order; `timeOut`
 * (optional), the seconds at which the slider starts.
 */

const RANGE = { from: 0.1, to: 2, step: 0.05 }; // s, of the slider
const START = 0.7; // s, a time-out that many systems use

// ---------------------------------------------------------------------------------------------------- mathematics

/** When the listener begins to speak in a turn, in seconds, and whether the caller had more to say. */
export function endPoint(sounds, timeOut) {
  for (let i = 0; i < sounds.length; i++) {
    const next = sounds[i + 1]?.[0] ?? Infinity;
    if (next - sounds[i][1] >= timeOut - 1e-9) return { moment: sounds[i][1] + timeOut, cut: i < sounds.length - 1 };
  }
  throw new RangeError("Expected at least one sound in a turn, got none: leave the turn out.");
}

/** How many of the turns are cut off at a time-out. */
export function cutOff(turns, timeOut) {
  return turns.filter((sounds) => endPoint(sounds, timeOut).cut).length;
}

/** The model with its defaults; throws a RangeError whose message an author or a reader can act on. */
export function settings(model) {
  const turns = model.get("turns"), timeOut = model.get("timeOut") ?? START;
  if (!Array.isArray(turns) || !turns.length || !turns.every(isTurn)) {
    throw new RangeError("Expected “turns” as lists of [start, end] in seconds, in order: try [[[0, 1], [1.5, 2]]].");
  }
  if (!(timeOut >= RANGE.from && timeOut <= RANGE.to)) {
    throw new RangeError(`Expected “timeOut” from ${RANGE.from} to ${RANGE.to} s, got ${timeOut}: try ${START}.`);
  }
  return { turns, timeOut };
}

function isTurn(sounds) {
  const edges = Array.isArray(sounds) ? sounds.flat() : [];
  return edges.length > 0 && edges.length === 2 * sounds.length
    && edges.every((edge, i) => Number.isFinite(edge) && edge >= (edges[i - 1] ?? 0));
}

/** What a time-out does to the turns, as a sentence. */
export function reading(turns, timeOut) {
  const cut = cutOff(turns, timeOut), rest = turns.length - cut, wait = seconds(timeOut);
  if (rest === 0) return `Everybody is cut off after ${wait} of silence.`;
  if (cut === 0) return `Nobody is cut off; everybody waits ${wait} for an answer.`;
  const who = cut === 1 ? `1 of ${turns.length} callers is` : `${cut} of ${turns.length} callers are`;
  return `${who} cut off; ${rest === 1 ? "the other one waits" : `the other ${rest} wait`} ${wait} for an answer.`;
}

const seconds = (value) => `${value.toFixed(2)} s`;

// ------------------------------------------------------------------------------------------------------ the widget

const STYLE = `
:host { display: block; }
* { box-sizing: border-box; }
.face { --fg: var(--ink, light-dark(#1f2933, #e6e9ef)); --bg: var(--page, light-dark(#fff, #11151c));
  --quiet: var(--soft, light-dark(#52606d, #a3afbd)); --press: var(--accent, light-dark(#0b6477, #74cfe0));
  --rule: var(--line, light-dark(#d5dbe1, #3a4452)); --speech: light-dark(#1a6fd0, #4d9bf5);
  --wrong: light-dark(#b8500a, #f08a3c); --right: light-dark(#0f7a59, #3fc79a);
  color: var(--fg); background: var(--bg); font-size: 0.95rem; line-height: 1.45; }
.control { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0.2rem 0.6rem; }
.value { font-variant-numeric: tabular-nums; }
input { width: 100%; height: 1.5rem; margin: 0; accent-color: var(--press); }
:focus-visible { outline: 3px solid var(--press); outline-offset: 2px; }
.reading { display: grid; align-items: center; min-height: 4em; margin: 0.8rem 0; padding: 0.4rem 0.9rem;
  border-left: 4px solid var(--press); font-size: 1.05em; }
.rows { position: relative; margin-right: 1rem; padding-bottom: 1.6rem; }
.row { position: relative; height: 1.35rem; border-bottom: 1px solid var(--rule); }
.row i { position: absolute; top: 0.25rem; bottom: 0.25rem; min-width: 1px; background: var(--speech); }
.row i.lost { background: repeating-linear-gradient(45deg, var(--speech) 0 2px, transparent 2px 5px);
  border: 1px solid var(--speech); }
.row b { position: absolute; top: 0; transform: translateX(-50%); line-height: 1.35rem; font-size: 0.95rem; }
.cut { color: var(--wrong); }
.well { color: var(--right); }
.tick { position: absolute; bottom: 0; transform: translateX(-50%); font-size: 0.8rem; color: var(--quiet); }
.key { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; margin: 0.4rem 0 0; padding: 0; list-style: none;
  font-size: 0.88rem; }
.key i { display: inline-block; width: 1.6em; height: 0.8em; margin-right: 0.4em; vertical-align: middle;
  background: var(--speech); }
.key i.lost { background: repeating-linear-gradient(45deg, var(--speech) 0 2px, transparent 2px 5px);
  border: 1px solid var(--speech); }
`;

const BODY = `
<div class="control"><label for="wait">Silence to wait for</label><span class="value" aria-hidden="true"></span>
  <input id="wait" type="range" min="${RANGE.from}" max="${RANGE.to}" step="${RANGE.step}"></div>
<p class="reading" role="status"></p>
<div class="rows" role="img"></div>
<ul class="key"><li><i></i>caller</li><li><i class="lost"></i>caller, talked over</li>
  <li><span class="cut" aria-hidden="true">✕</span> listener cuts in</li>
  <li><span class="well" aria-hidden="true">▼</span> listener begins after the end</li></ul>
`;

class TurnsWidget {
  ended = new AbortController(); // takes all listeners away with it

  constructor(el, { turns, timeOut }) {
    this.turns = turns;
    this.host = el.appendChild(document.createElement("div"));
    this.root = this.host.attachShadow({ mode: "open" }); // ids and styles stay inside: a page can hold several
    this.root.innerHTML = `<style>${STYLE}</style><div class="face">${BODY}</div>`;
    [this.slider, this.value] = [this.root.querySelector("input"), this.root.querySelector(".value")];
    this.span = Math.ceil(Math.max(...turns.map((sounds) => sounds.at(-1)[1])) + RANGE.to);
    this.slider.value = timeOut;
    this.slider.addEventListener("input", () => this.show(), { signal: this.ended.signal });
    this.themes = new MutationObserver(() => this.dress());
    this.themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.dress();
    this.show();
  }

  /** Takes light or dark from the page's data-theme, else from the system. */
  dress() {
    const { theme } = document.documentElement.dataset;
    this.host.style.colorScheme = theme === "dark" || theme === "light" ? theme : "light dark";
  }

  show() {
    const timeOut = Number(this.slider.value), said = reading(this.turns, timeOut);
    this.value.textContent = seconds(timeOut);
    this.slider.setAttribute("aria-valuetext", seconds(timeOut));
    this.root.querySelector(".reading").textContent = said;
    const rows = this.root.querySelector(".rows");
    rows.setAttribute("aria-label", `${this.turns.length} turns over ${this.span} seconds. ${said}`);
    rows.replaceChildren(...this.turns.map((sounds) => this.row(sounds, timeOut)), ...this.ticks());
  }

  row(sounds, timeOut) {
    const { moment, cut } = endPoint(sounds, timeOut), row = element("div", "row");
    for (const [start, end] of sounds) {
      const bar = row.appendChild(element("i", cut && start >= moment - 1e-9 ? "lost" : ""));
      [bar.style.left, bar.style.width] = [this.place(start), this.place(end - start)];
    }
    const mark = row.appendChild(element("b", cut ? "cut" : "well", cut ? "✕" : "▼"));
    mark.style.left = this.place(moment);
    return row;
  }

  ticks() {
    const step = this.span > 10 ? 5 : 2, count = Math.floor(this.span / step);
    return Array.from({ length: count + 1 }, (_, i) => {
      const tick = element("span", "tick", i === count ? `${i * step} s` : String(i * step));
      tick.style.left = this.place(i * step);
      return tick;
    });
  }

  place(time) {
    return `${(100 * time) / this.span}%`;
  }

  remove() {
    this.ended.abort();
    this.themes.disconnect();
    this.host.remove();
  }
}

function element(name, className, text = "") {
  return Object.assign(document.createElement(name), { className, textContent: text });
}

function render({ model, el }) {
  const widget = new TurnsWidget(el, settings(model));
  return () => widget.remove();
}

export default { render };
