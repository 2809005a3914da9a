import { useEffect, useState } from "react";

import { alternatives } from "./conversation.js";
import { line } from "./format.js";

const ROW = 38; // pixels, as in tree.css
const AROUND = 12; // rows beyond those in view

/**
 * The turns as items of a tree, of which only those near the reader exist: beside the drawing they are for screen
 * readers, and in the outline they are what is seen.
 */
export function Items({ store, state, place }) {
  const { layout, selected, outline } = state, current = layout.byId.get(selected)?.row ?? 0;
  const [view, setView] = useState({ top: 0, height: 600 });

  useEffect(() => {
    const element = place.current;
    if (!outline) {
      element.scrollTop = 0;
      return undefined;
    }
    const look = () => setView({ top: element.scrollTop, height: element.clientHeight });
    element.addEventListener("scroll", look, { passive: true });
    look();
    return () => element.removeEventListener("scroll", look);
  }, [outline, place]);

  useEffect(() => {
    if (!outline) return;
    const element = place.current, top = current * ROW;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + ROW > element.scrollTop + element.clientHeight) element.scrollTop = top + ROW - element.clientHeight;
  }, [outline, current, place]);

  const first = Math.floor(view.top / ROW) - AROUND, last = Math.ceil((view.top + view.height) / ROW) + AROUND;
  const shown = outline
    ? layout.order.slice(Math.max(0, first), last + 1)
    : layout.order.slice(Math.max(0, current - AROUND), current + AROUND + 1);
  const items = shown.some(({ row }) => row === current) ? shown : [...shown, layout.order[current]]; // the active one
  return (
    <div className="items" role="presentation" style={outline ? { height: layout.order.length * ROW } : undefined}>
      {items.filter(Boolean).map((one) => <Item key={one.node.id} store={store} state={state} place={one} />)}
    </div>
  );
}

function Item({ store, state, place }) {
  const { index, folded, selected, outline, marked } = state, { node, row, depth } = place;
  const level = alternatives(index, node.id), { text, marks } = line(node, index.problems.get(node.id) ?? []);
  const is = { item: true, chosen: node.chosen, hit: marked.has(node.id), selected: node.id === selected };
  return (
    <div
      id={`turn-${row}`}
      className={Object.keys(is).filter((name) => is[name]).join(" ")}
      role="treeitem"
      aria-level={depth + 1}
      aria-setsize={level.length}
      aria-posinset={level.indexOf(node) + 1}
      aria-selected={node.id === selected}
      aria-expanded={index.children.has(node.id) ? !folded.has(node.id) : undefined}
      style={outline ? { top: row * ROW, paddingInlineStart: `${0.8 + Math.min(indent(place), 12) * 1.1}rem` } : undefined}
      onClick={() => store.select(node.id, { open: true })}
    >
      <span className="who">{node.role}</span> <span className="said">{text}</span>
      {node.chosen && <span className="aside">, of the chosen way</span>}
      {marks && <span className="bad"> {marks}</span>}
      {folded.has(node.id) && <span className="more"> +{index.below.get(node.id)}</span>}
    </div>
  );
}

/** How far in a row stands: as many columns as its branches turned off, since each turn deeper would be too far. */
function indent(place) {
  let turned = 0;
  for (let at = place; at.parent; at = at.parent) turned += Number(at.x !== at.parent.x);
  return turned;
}
