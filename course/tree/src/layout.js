/** Where the turns lie: a row for each depth, and the chosen way straight down, with what else was said to its right. */

import { hierarchy } from "d3-hierarchy";

export const CARD = { width: 204, height: 82 };
export const STEP = { x: 232, y: 126 };

/**
 * The places of all turns that are not folded away.
 *
 * A turn and the first below it share a column. Each alternative begins a column to the right, the first that is free in
 * all rows that its own first children need; deeper alternatives are placed before those above them, so that no line
 * crosses another. (d3's own tree centres a turn above all that follow, and the chosen way would wander.)
 *
 * @param {object} index from `indexed`.
 * @param {Set<string>} folded ids whose turns below are not shown.
 * @returns {{order: object[], byId: Map, rows: object[][], box: {x0, y0, x1, y1}}} `order` in reading order; places have
 *   `node`, `x` and `y` of the upper left corner, `parent` (a place), `row` in the outline, `depth` from 0.
 */
export function placed(index, folded) {
  const top = hierarchy({ id: null }, ({ id }) => (folded.has(id) ? null : index.children.get(id)));
  const rows = columns(top);
  const order = [], byId = new Map();
  top.eachBefore((item) => {
    if (item === top) return;
    const { data: node, depth, column, parent } = item;
    const place = { node, x: column * STEP.x, y: (depth - 1) * STEP.y, depth: depth - 1, row: order.length };
    place.parent = byId.get(parent.data.id) ?? null;
    order.push(place);
    byId.set(node.id, place);
  });
  const widest = Math.max(0, ...rows.map((free) => free - 1));
  const box = { x0: 0, y0: 0, x1: widest * STEP.x + CARD.width, y1: Math.max(0, rows.length - 1) * STEP.y + CARD.height };
  return { order, byId, rows: inRows(order), box };
}

/** The place that a point of the drawing lies on, or on whose button for folding; undefined between them. */
export function placeAt({ rows }, x, y) {
  const row = rows[Math.floor((y + 4) / STEP.y)] ?? [];
  return row.find((place) => x >= place.x && x <= place.x + CARD.width && y >= place.y && y <= place.y + CARD.height + 22);
}

/** Gives each item its `column`; returns the first free column of each row, from the row of the roots on. */
function columns(top) {
  const free = [], waiting = [...(top.children ?? [])].reverse();
  while (waiting.length) {
    const chain = firstChildren(waiting.pop());
    const column = chain.reduce((most, { depth }) => Math.max(most, free[depth - 1] ?? 0), 0);
    for (const item of chain) {
      item.column = column;
      free[item.depth - 1] = column + 1;
      waiting.push(...(item.children ?? []).slice(1).reverse());
    }
  }
  return free;
}

function firstChildren(item) {
  const chain = [item];
  while (chain.at(-1).children) chain.push(chain.at(-1).children[0]);
  return chain;
}

function inRows(order) {
  const rows = [];
  for (const place of order) (rows[place.depth] ??= []).push(place);
  for (const row of rows) row.sort((one, other) => one.x - other.x);
  return rows;
}
