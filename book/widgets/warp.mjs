/**
 * The cheapest path through a grid, first drawn by the reader and then compared (Lecture 3): two sequences of numbers,
 * the difference of every pair as a cost, and dynamic programming.
 *
 * An anywidget module without a kernel, a library or a request: `render({ model, el })` builds the widget in `el` and
 * returns the function that removes it. One file, because the site copies only the module that a page names.
 *
 * Model (all optional): `first` and `second`, the two sequences, 2 to 9 numbers each; `names`, what the two are called;
 * `diagonal`, how often the cell at the end of a diagonal step counts (1 or 2).
 *
 * A cell is `[row, column]`: row i pairs the i-th number of the first sequence. Row 0 is drawn at the bottom.
 */

const LIMIT = 9; // numbers in a sequence: more do not fit on a telephone
const MOST = 99; // the highest cost that a reader may give to a cell

// ---------------------------------------------------------------------------------------------------- mathematics

/** Costs of all pairs, (first.length × second.length): how far the two numbers are apart. */
export function costsOf(first, second) {
  return first.map((a) => second.map((b) => Math.abs(a - b)));
}

/** The steps, in the order in which ties are settled: rows, columns, and how often the cell at their end counts. */
const stepsFor = (diagonal) => [[1, 1, diagonal], [1, 0, 1], [0, 1, 1]];

/**
 * The cheapest way into every cell and the cheapest path to the last one.
 * @param {number[][]} costs of the cells
 * @param {number} diagonal how often the cell at the end of a diagonal step counts
 * @returns {{ accumulated: number[][], path: number[][], cost: number }}
 */
export function cheapest(costs, diagonal) {
  const accumulated = costs.map((row) => row.map(() => Infinity)), before = costs.map((row) => row.map(() => null));
  accumulated[0][0] = costs[0][0];
  costs.forEach((row, i) => row.forEach((cost, j) => {
    for (const [rows, columns, weight] of stepsFor(diagonal)) {
      const way = (accumulated[i - rows]?.[j - columns] ?? Infinity) + weight * cost;
      if (way < accumulated[i][j]) [accumulated[i][j], before[i][j]] = [way, [i - rows, j - columns]];
    }
  }));
  const path = [[costs.length - 1, costs[0].length - 1]];
  while (before[path[0][0]][path[0][1]]) path.unshift(before[path[0][0]][path[0][1]]);
  return { accumulated, path, cost: accumulated.at(-1).at(-1) };
}

/** What a path costs, (cells of it as `[row, column]`), however far it has come. */
export function costOf(path, costs, diagonal) {
  return path.reduce((sum, [i, j], n) => {
    const weight = n && i > path[n - 1][0] && j > path[n - 1][1] ? diagonal : 1;
    return sum + weight * costs[i][j];
  }, 0);
}

/** How many paths lead from the first cell to the last of a grid: the Delannoy numbers. */
export function countPaths(rows, columns) {
  const counts = Array.from({ length: rows }, () => new Array(columns).fill(1));
  for (let i = 1; i < rows; i++) {
    for (let j = 1; j < columns; j++) counts[i][j] = counts[i - 1][j] + counts[i][j - 1] + counts[i - 1][j - 1];
  }
  return counts.at(-1).at(-1);
}

/** Whether one may step from a cell to another. */
export function follows([i, j], [row, column]) {
  const rows = row - i, columns = column - j;
  return rows >= 0 && rows <= 1 && columns >= 0 && columns <= 1 && rows + columns > 0;
}

// ------------------------------------------------------------------------------------------------------ the widget

const STYLE = `
:host { display: block; container-type: inline-size; }
* { box-sizing: border-box; }
.face { --fg: var(--ink, light-dark(#1f2933, #e6e9ef)); --bg: var(--page, light-dark(#fff, #11151c));
  --quiet: var(--soft, light-dark(#52606d, #a3afbd)); --press: var(--accent, light-dark(#0b6477, #74cfe0));
  --yours: light-dark(#1a5fb4, #7db4ff); --best: light-dark(#b8500a, #f5a35c);
  color: var(--fg); background: var(--bg); font-size: 0.95rem; line-height: 1.45; }
.reading { display: grid; align-items: center; min-height: 10em; margin: 0 0 0.8rem; padding: 0.4rem 0.9rem;
  border-left: 4px solid var(--press); font-size: 1.05em; }
.board { display: grid; gap: 3px; max-width: 34rem; }
.board > * { display: grid; place-items: center; min-width: 0; min-height: 2.6rem; font-variant-numeric: tabular-nums; }
.head { color: var(--quiet); font-size: 0.9em; }
.cell { position: relative; padding: 0; border: 1px solid color-mix(in srgb, var(--fg) 25%, transparent);
  border-radius: 4px; color: var(--fg); font: inherit; cursor: pointer;
  background: color-mix(in srgb, var(--fg) calc(var(--share) * 22%), var(--bg)); }
.cell[data-yours] { border: 3px solid var(--yours); font-weight: 700; }
.cell[data-best]::after { content: ""; position: absolute; top: 50%; left: 50%; width: 1.7em; height: 1.7em;
  border: 2px dashed var(--best); border-radius: 50%; transform: translate(-50%, -50%); pointer-events: none; }
.cell::before { content: attr(data-way); position: absolute; right: 2px; bottom: -1px; color: var(--fg); font-size: 0.68em; font-weight: 400; }
.axis { margin: 0.3rem 0; color: var(--quiet); font-size: 0.88rem; }
.controls { display: flex; flex-wrap: wrap; gap: 0.5rem; margin: 0.8rem 0; align-items: center; }
button.act { flex: 1 1 6rem; font: inherit; min-height: 2.5rem; padding: 0 0.6rem; border: 1px solid var(--press);
  border-radius: 6px; color: var(--press); background: var(--bg); cursor: pointer; }
button.act[disabled] { color: var(--quiet); border-color: var(--quiet); cursor: default; }
.tick { display: flex; gap: 0.5rem; align-items: center; flex: 1 1 12rem; }
input { margin: 0; accent-color: var(--press); font: inherit; }
input[type=checkbox] { width: 1.2rem; height: 1.2rem; }
input[type=number] { width: 4.5rem; min-height: 2.2rem; padding: 0 0.4rem; color: var(--fg); background: var(--bg);
  border: 1px solid var(--quiet); border-radius: 6px; }
:focus-visible { outline: 3px solid var(--press); outline-offset: 1px; }
.key { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; margin: 0.4rem 0; padding: 0; list-style: none;
  font-size: 0.88rem; }
.key i { display: inline-block; width: 1.1em; height: 1.1em; margin-right: 0.4em; vertical-align: -0.15em;
  border: 3px solid var(--yours); border-radius: 3px; }
.key .best { border: 2px dashed var(--best); border-radius: 50%; }
@container (min-width: 36rem) { .reading { min-height: 4.4em; } }
`;

const BODY = `
<p class="reading" role="status"></p>
<p class="axis upper"></p>
<div class="board" role="group" aria-label="Grid of costs"></div>
<p class="axis lower"></p>
<ul class="key"><li><i></i>your path</li><li><i class="best"></i>the cheapest path</li>
  <li>small: the cheapest way into a cell</li></ul>
<div class="controls">
  <button class="act" type="button" id="up">↑</button>
  <button class="act" type="button" id="diagonal-step">↗</button>
  <button class="act" type="button" id="right">→</button>
  <button class="act" type="button" id="back">Take back</button>
  <button class="act" type="button" id="again">Start again</button>
  <button class="act" type="button" id="compare">Compare</button>
</div>
<div class="controls">
  <div class="tick"><input id="twice" type="checkbox"><label for="twice">A diagonal step counts its cell twice</label></div>
  <div class="tick"><label for="cost">Cost of the last cell of your path</label>
    <input id="cost" type="number" min="0" max="${MOST}" step="1"></div>
</div>
`;

const DEFAULTS = {
  first: [1, 3, 8, 9, 4, 2], second: [1, 2, 3, 3, 9, 8, 2], names: ["the template", "the new word"], diagonal: 1,
};

/** The model with its defaults; throws a RangeError whose message an author can act on. */
export function settings(model) {
  const start = Object.fromEntries(Object.entries(DEFAULTS).map(([name, value]) => [name, model.get(name) ?? value]));
  for (const name of ["first", "second"]) {
    const numbers = start[name], fits = Array.isArray(numbers) && numbers.length >= 2 && numbers.length <= LIMIT;
    if (!fits || !numbers.every(Number.isFinite)) {
      throw new RangeError(`Expected “${name}” to be 2 to ${LIMIT} numbers, got ${JSON.stringify(numbers)}: try [1, 5].`);
    }
  }
  if (![1, 2].includes(start.diagonal)) {
    throw new RangeError(`Expected “diagonal” to be 1 or 2, got ${JSON.stringify(start.diagonal)}: try 1.`);
  }
  return start;
}

const MOVES = { up: [1, 0], "diagonal-step": [1, 1], right: [0, 1] };
const MOVE_NAMES = { up: "Step up", "diagonal-step": "Step diagonally", right: "Step right" };

class WarpWidget {
  path = [[0, 0]];
  compared = false;
  ended = new AbortController(); // takes all listeners away with it

  constructor(el, start) {
    Object.assign(this, start);
    this.costs = costsOf(this.first, this.second);
    this.host = el.appendChild(document.createElement("div"));
    this.root = this.host.attachShadow({ mode: "open" }); // ids and styles stay inside: a page can hold several
    this.root.innerHTML = `<style>${STYLE}</style><div class="face">${BODY}</div>`;
    this.controls = Object.fromEntries([...this.root.querySelectorAll("[id]")].map((node) => [node.id, node]));
    for (const [id, name] of Object.entries(MOVE_NAMES)) this.controls[id].setAttribute("aria-label", name);
    this.controls.twice.checked = this.diagonal === 2;
    this.build();
    this.listen();
    this.dress();
    this.show();
  }

  get size() { return [this.first.length, this.second.length]; }
  get end() { return this.path.at(-1); }
  get arrived() { return this.end[0] === this.size[0] - 1 && this.end[1] === this.size[1] - 1; }

  /** The board: the last row of the grid first, a heading in front of each row and under each column. */
  build() {
    const [rows, columns] = this.size, board = this.root.querySelector(".board");
    board.style.gridTemplateColumns = `minmax(1.6rem, 0.6fr) repeat(${columns}, minmax(0, 1fr))`;
    this.cells = Array.from({ length: rows }, () => []);
    for (let i = rows - 1; i >= 0; i--) {
      board.append(heading(this.first[i]));
      for (let j = 0; j < columns; j++) board.append((this.cells[i][j] = cellButton(i, j)));
    }
    board.append(heading(""), ...this.second.map(heading));
    this.root.querySelector(".upper").textContent = `Upwards: ${this.names[0]}`;
    this.root.querySelector(".lower").textContent = `To the right: ${this.names[1]}`;
  }

  listen() {
    const on = (target, event, action) => target.addEventListener(event, action, { signal: this.ended.signal });
    const { back, again, compare, twice, cost } = this.controls;
    this.cells.flat().forEach((cell) => on(cell, "click", () => this.choose(place(cell))));
    on(this.root.querySelector(".board"), "keydown", (event) => this.walk(event));
    for (const id of Object.keys(MOVES)) on(this.controls[id], "click", () => this.choose(this.after(MOVES[id])));
    on(back, "click", () => { if (this.path.length > 1) this.path.pop(); this.show(); });
    on(again, "click", () => { [this.path, this.compared] = [[[0, 0]], false]; this.show(); });
    on(compare, "click", () => { this.compared = true; this.show(); });
    on(twice, "change", () => { this.diagonal = twice.checked ? 2 : 1; this.show(); });
    on(cost, "change", () => this.setCost(cost.value));
    on(matchMedia("(prefers-color-scheme: dark)"), "change", () => this.dress());
    this.themes = new MutationObserver(() => this.dress());
    this.themes.observe(document.documentElement, { attributeFilter: ["data-theme", "class", "style"] });
  }

  /** Takes light or dark from the page's data-theme, else from the system. */
  dress() {
    const { theme } = document.documentElement.dataset, system = matchMedia("(prefers-color-scheme: dark)");
    this.host.style.colorScheme = theme === "dark" || (theme !== "light" && system.matches) ? "dark" : "light";
  }

  after([rows, columns]) {
    return [this.end[0] + rows, this.end[1] + columns];
  }

  /** Goes on to a neighbour, or back to a cell of the path; any other cell is only explained. */
  choose(cell) {
    const at = this.path.findIndex(([i, j]) => i === cell[0] && j === cell[1]);
    const inside = cell[0] < this.size[0] && cell[1] < this.size[1];
    if (at >= 0) this.path.length = at + 1;
    else if (inside && follows(this.end, cell)) this.path.push(cell);
    else return this.say("From the end of your path you may go one cell up, one to the right, or both at once.");
    this.show();
  }

  /** Arrow keys move the focus over the board. */
  walk(event) {
    const moves = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
    const move = moves[event.key], focused = this.root.activeElement;
    if (!move || !focused?.classList.contains("cell")) return;
    event.preventDefault();
    const [i, j] = place(focused);
    this.focus(this.cells[i + move[0]]?.[j + move[1]] ?? focused);
  }

  focus(cell) {
    this.cells.flat().forEach((other) => { other.tabIndex = other === cell ? 0 : -1; });
    cell.focus();
  }

  setCost(text) {
    const value = Math.round(Number(text));
    if (text.trim() === "" || !(value >= 0 && value <= MOST)) {
      this.controls.cost.value = this.costs[this.end[0]][this.end[1]];
      return this.say(`A cost from 0 to ${MOST} was expected and “${text}” came.`);
    }
    this.costs[this.end[0]][this.end[1]] = value;
    this.show();
  }

  show() {
    const best = cheapest(this.costs, this.diagonal), highest = Math.max(1, ...this.costs.flat());
    const on = (path, i, j) => path.some(([row, column]) => row === i && column === j);
    this.cells.forEach((row, i) => row.forEach((cell, j) => {
      const yours = on(this.path, i, j), cheap = this.compared && on(best.path, i, j);
      cell.style.setProperty("--share", this.costs[i][j] / highest);
      cell.toggleAttribute("data-yours", yours);
      cell.toggleAttribute("data-best", cheap);
      cell.textContent = this.costs[i][j];
      cell.dataset.way = this.compared ? best.accumulated[i][j] : "";
      cell.setAttribute("aria-label", this.label(i, j, yours, cheap, best));
    }));
    if (!this.cells.flat().some((cell) => cell.tabIndex === 0)) this.cells[0][0].tabIndex = 0;
    for (const [id, move] of Object.entries(MOVES)) {
      const [i, j] = this.after(move);
      this.controls[id].disabled = i >= this.size[0] || j >= this.size[1];
    }
    this.controls.back.disabled = this.path.length === 1;
    this.controls.compare.disabled = !this.arrived || this.compared;
    this.controls.cost.value = this.costs[this.end[0]][this.end[1]];
    this.say(this.sentence(best));
  }

  label(i, j, yours, cheap, best) {
    const parts = [`Row ${i + 1}, column ${j + 1}: cost ${this.costs[i][j]}`];
    if (this.compared) parts.push(`cheapest way here ${best.accumulated[i][j]}`);
    if (yours) parts.push("on your path");
    if (cheap) parts.push("on the cheapest path");
    return parts.join(", ");
  }

  sentence(best) {
    const yours = costOf(this.path, this.costs, this.diagonal), paths = countPaths(...this.size).toLocaleString("en-US");
    if (!this.arrived) {
      const task = `Draw what you take for the cheapest of the ${paths} paths, from the lower left to the upper right.`;
      return this.compared
        ? `Your path has cost ${yours} so far. The cheapest way into this cell costs ${best.accumulated[this.end[0]][this.end[1]]}.`
        : `${task} So far it costs ${yours}.`;
    }
    if (!this.compared) return `Your path costs ${yours}. Is it the cheapest of ${paths}? Press Compare.`;
    const dearer = yours - best.cost;
    return dearer === 0
      ? `Your path costs ${yours}, and none of the ${paths} is cheaper.`
      : `Your path costs ${yours}; the cheapest of ${paths} costs ${best.cost}, which is ${dearer} less.`;
  }

  say(sentence) {
    const status = this.root.querySelector(".reading");
    if (status.textContent !== sentence) status.textContent = sentence;
  }

  remove() {
    this.ended.abort();
    this.themes.disconnect();
    this.host.remove();
  }
}

const place = (cell) => cell.dataset.place.split(",").map(Number);

function heading(value) {
  return Object.assign(document.createElement("span"), { className: "head", textContent: value });
}

function cellButton(i, j) {
  const cell = Object.assign(document.createElement("button"), { type: "button", className: "cell", tabIndex: -1 });
  cell.dataset.place = `${i},${j}`;
  return cell;
}

/** Builds the widget in `el`, or says there what the page got wrong; returns the function that removes it. */
function render({ model, el }) {
  try {
    const widget = new WarpWidget(el, settings(model));
    return () => widget.remove();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const notice = el.appendChild(document.createElement("p"));
    notice.role = "alert";
    notice.textContent = error.message;
    return () => notice.remove();
  }
}

export default { render };
