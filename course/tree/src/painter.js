/** The drawing: lines and cards of the turns that are in view, with as much in them as can be read at their size. */

import { audioAddress } from "./conversation.js";
import { meta } from "./format.js";
import { CARD, STEP } from "./layout.js";

export const READABLE = 0.55; // scale from which a card has its text
const FAR = 0.2; // scale below which a card is a plain bar
const CORNER = 9;
const PAD = 12;
const KINDS = { user: "user", caller: "user", assistant: "agent", agent: "agent" };

/** The colour of a role in a palette: people, those who answer them, and the rest. */
export function roleColour(palette, role) {
  return palette[KINDS[role] ?? "other"];
}

export class Painter {
  #lines = new Map(); // a turn's text cut into lines, which takes longer than drawing it

  constructor(canvas) {
    this.context = canvas.getContext("2d");
  }

  /** Forget texts that were cut for another font or other data. */
  forget() {
    this.#lines.clear();
  }

  /**
   * @param {object} state of the store.
   * @param {{k, x, y}} transform of d3-zoom.
   * @param {{width, height, ratio, palette, font, hover}} dress size in CSS pixels, pixels in each, colours, faces.
   */
  paint(state, transform, dress) {
    const { context } = this, { width, height, ratio } = dress, { k, x, y } = transform;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.translate(x, y);
    context.scale(k, k);
    const view = { x0: -x / k, y0: -y / k, x1: (width - x) / k, y1: (height - y) / k };
    const first = Math.max(0, Math.floor(view.y0 / STEP.y)), last = Math.floor(view.y1 / STEP.y);
    const rows = state.layout.rows;
    this.#paintLinks(rows.slice(first, last + 2), view, k, dress.palette);
    const seen = rows.slice(first, last + 1).flatMap((row) => row.filter((place) => place.x <= view.x1 && place.x + CARD.width >= view.x0));
    if (k < FAR) this.#paintBars(seen, state, k, dress.palette);
    else for (const place of seen) this.#paintCard(place, state, k, dress);
  }

  #paintLinks(rows, view, k, palette) {
    const ways = { chosen: new Path2D(), other: new Path2D() };
    for (const row of rows) {
      for (const place of row) {
        const { parent } = place;
        if (!parent || place.x + CARD.width < view.x0 || parent.x > view.x1) continue;
        link(place.node.chosen && parent.node.chosen ? ways.chosen : ways.other, parent, place, k < FAR);
      }
    }
    this.#stroke(ways.other, palette.link, Math.max(1.5, 0.8 / k));
    this.#stroke(ways.chosen, palette.accent, Math.max(2.5, 1.6 / k));
  }

  #stroke(path, colour, width) {
    Object.assign(this.context, { strokeStyle: colour, lineWidth: width });
    this.context.stroke(path);
  }

  #paintBars(places, { marked, selected, index }, k, palette) {
    const { context } = this, bars = new Map();
    for (const place of places) {
      const { node } = place;
      const colour = marked.has(node.id) ? palette.hit : index.problems.has(node.id) ? palette.bad : node.chosen ? palette.accent : palette.edge;
      if (!bars.has(colour)) bars.set(colour, []);
      bars.get(colour).push(place);
    }
    for (const [colour, group] of bars) {
      context.fillStyle = colour;
      for (const { x, y } of group) context.fillRect(x, y, CARD.width, CARD.height);
    }
    const place = places.find(({ node }) => node.id === selected);
    if (place) this.#ring(place, palette, Math.max(3, 2.5 / k));
  }

  #paintCard(place, state, k, dress) {
    const { context } = this, { palette } = dress, { x, y, node } = place, { index, selected } = state;
    const problem = index.problems.has(node.id), failed = node.status === "error";
    const shape = new Path2D();
    shape.roundRect(x, y, CARD.width, CARD.height, CORNER);
    context.fillStyle = state.marked.has(node.id) ? palette.mark : node.chosen ? palette.wash : palette.page;
    context.fill(shape);
    const edge = problem || failed ? palette.bad : node.chosen || dress.hover === node.id ? palette.accent : palette.edge;
    this.#stroke(shape, edge, node.chosen ? 1.6 : 1);
    context.fillStyle = roleColour(palette, node.role);
    context.beginPath();
    context.roundRect(x + 5, y + 9, 3.5, CARD.height - 18, 2);
    context.fill();
    if (k >= READABLE) this.#write(place, problem, failed, dress);
    if (node.id === selected) this.#ring(place, palette, Math.max(3, 2 / k));
    if (index.children.has(node.id) && k >= READABLE / 2) this.#paintFold(place, state, dress);
  }

  #ring({ x, y }, palette, width) {
    const shape = new Path2D(), away = width / 2 + 2;
    shape.roundRect(x - away, y - away, CARD.width + 2 * away, CARD.height + 2 * away, CORNER + away);
    this.#stroke(shape, palette.accent, width);
  }

  #write({ x, y, node }, problem, failed, { palette, font }) {
    const { context } = this, left = x + PAD + 5, right = x + CARD.width - PAD;
    context.textBaseline = "alphabetic";
    context.textAlign = "left";
    this.#text(node.role.slice(0, 24), left, y + 20, `650 11.5px ${font}`, roleColour(palette, node.role));
    const marks = [failed ? "failed" : "", problem ? "!" : ""].filter(Boolean).join(" ");
    context.textAlign = "right";
    if (marks) this.#text(marks, right, y + 20, `700 11.5px ${font}`, palette.bad);
    if (audioAddress(node)) this.#paintSound(right - (marks ? context.measureText(marks).width + 12 : 5), y + 16, palette);
    context.textAlign = "left";
    const { text, below } = this.#cut(node, font);
    text.forEach((words, i) => this.#text(words, left, y + 37 + 15 * i, `12px ${font}`, node.text ? palette.ink : palette.soft));
    this.#text(below, left, y + CARD.height - 10, `10.5px ${font}`, palette.soft);
  }

  #text(words, x, y, font, colour) {
    Object.assign(this.context, { font, fillStyle: colour });
    this.context.fillText(words, x, y);
  }

  #cut(node, font) {
    if (!this.#lines.has(node.id)) {
      const { context } = this, width = CARD.width - 2 * PAD - 6;
      context.font = `12px ${font}`;
      const text = wrapped(node.text || "The text was not logged.", width, 2, (words) => context.measureText(words).width);
      context.font = `10.5px ${font}`;
      const [below = ""] = wrapped(meta(node), width, 1, (words) => context.measureText(words).width);
      this.#lines.set(node.id, { text, below });
    }
    return this.#lines.get(node.id);
  }

  #paintSound(x, y, palette) {
    const { context } = this;
    context.fillStyle = palette.accent;
    context.beginPath();
    context.moveTo(x - 4, y - 5);
    context.lineTo(x + 5, y);
    context.lineTo(x - 4, y + 5);
    context.fill();
  }

  #paintFold({ x, y, node }, { folded, index }, { palette, font }) {
    const { context } = this, closed = folded.has(node.id);
    const words = closed ? `+${index.below.get(node.id)}` : "–";
    context.font = `600 11px ${font}`;
    const width = Math.max(18, context.measureText(words).width + 12), middle = x + CARD.width / 2;
    const shape = new Path2D();
    shape.roundRect(middle - width / 2, y + CARD.height - 1, width, 17, 8.5);
    context.fillStyle = closed ? palette.accent : palette.page;
    context.fill(shape);
    this.#stroke(shape, closed || node.chosen ? palette.accent : palette.edge, 1);
    Object.assign(context, { textAlign: "center", textBaseline: "middle" });
    this.#text(words, middle, y + CARD.height + 8, context.font, closed ? palette.page : palette.soft);
  }
}

/** The line from a turn to one that follows it: down, across where it is an alternative, and down. */
function link(path, from, to, plain) {
  const x0 = from.x + CARD.width / 2, x1 = to.x + CARD.width / 2;
  const y0 = from.y + CARD.height, y1 = to.y, middle = y1 - 14, round = plain ? 0 : 10;
  path.moveTo(x0, y0);
  if (x0 === x1) {
    path.lineTo(x1, y1);
    return;
  }
  if (plain) path.lineTo(x0, middle);
  else path.arcTo(x0, middle, x0 + round, middle, round);
  if (plain) path.lineTo(x1, middle);
  else path.arcTo(x1, middle, x1, y1, round);
  path.lineTo(x1, y1);
}

/** A text in lines of at most a width, the last with an ellipsis where not all of it fits. */
export function wrapped(text, width, most, measure) {
  const words = text.slice(0, 400).split(/\s+/).filter(Boolean), lines = [];
  let line = "";
  while (words.length) {
    const longer = line ? `${line} ${words[0]}` : words[0];
    if (measure(longer) <= width) line = longer;
    else if (lines.length === most - 1 || !line) return [...lines, fitting(longer, width, measure)];
    else {
      lines.push(line);
      line = "";
      continue;
    }
    words.shift();
  }
  return line ? [...lines, line] : lines;
}

/** As many letters as fit before an ellipsis, found by halving. */
function fitting(text, width, measure) {
  const letters = Array.from(text);
  let least = 0, most = letters.length;
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (measure(`${letters.slice(0, middle).join("")}…`) <= width) least = middle;
    else most = middle - 1;
  }
  return `${letters.slice(0, least).join("")}…`;
}
