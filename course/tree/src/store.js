/** What the component shows, and everything that a reader can do about it; the views subscribe. */

import { above, alternatives, found, indexed } from "./conversation.js";
import { placed } from "./layout.js";

export class Store {
  #views = new Set();

  /**
   * @param {object} conversation JSON version 1.
   * @param {{selected?: string, onSelect?: function}} options
   * @throws {RangeError} it is not one.
   */
  constructor(conversation, { selected = null, onSelect = () => {} } = {}) {
    const index = indexed(conversation), folded = new Set();
    this.onSelect = onSelect;
    const begins = index.byId.has(selected);
    this.state = {
      index, folded, layout: placed(index, folded), outline: false,
      selected: begins ? selected : null, open: begins, playing: 0,
      words: "", hits: [], marked: new Set(), hit: -1,
    };
  }

  subscribe = (view) => {
    this.#views.add(view);
    return () => this.#views.delete(view);
  };

  snapshot = () => this.state;

  set(change) {
    const before = this.state;
    this.state = { ...before, ...change };
    if (change.folded || change.index) this.state.layout = placed(this.state.index, this.state.folded);
    for (const view of this.#views) view();
    if (this.state.selected !== before.selected) this.onSelect(this.state.selected);
  }

  /** Go to a turn, unfolding what hides it; null goes to none. Ids that are not here change nothing. */
  select(id, { open = this.state.open } = {}) {
    const { index, folded, hits } = this.state;
    if (id === null) return this.set({ selected: null, open: false });
    if (!index.byId.has(id)) return undefined;
    const hidden = above(index, id).filter((one) => folded.has(one));
    const change = { selected: id, open, playing: 0, hit: hits.indexOf(id) };
    if (hidden.length) change.folded = new Set([...folded].filter((one) => !hidden.includes(one)));
    return this.set(change);
  }

  /** Open a turn's card and play its recording from the beginning. */
  play(id) {
    const { playing } = this.state;
    this.select(id, { open: true });
    this.set({ playing: playing + 1 });
  }

  /** From the selected turn to its "parent", first "child", or the "next" or "previous" alternative to it. */
  walk(way) {
    const { index, selected, folded } = this.state;
    if (selected === null) return this.select(index.nodes[0]?.id ?? null);
    const level = alternatives(index, selected), at = level.findIndex(({ id }) => id === selected);
    const there = {
      parent: () => index.byId.get(selected).parent ?? null,
      child: () => (folded.has(selected) ? null : index.children.get(selected)?.[0].id),
      next: () => level[at + 1]?.id,
      previous: () => level[at - 1]?.id,
    }[way]();
    return there ? this.select(there) : undefined;
  }

  /** Up or down the rows of the outline. */
  walkRows(count) {
    const { layout, selected } = this.state;
    const at = layout.byId.get(selected)?.row ?? (count > 0 ? -1 : 0);
    const row = Math.min(Math.max(at + count, 0), layout.order.length - 1);
    if (row >= 0) this.select(layout.order[row].node.id);
  }

  /** Fold what is below a turn away, or show it again; a selection inside goes up to the turn. */
  fold(id, folds = !this.state.folded.has(id)) {
    const { index, selected, folded } = this.state;
    if (!index.children.has(id)) return;
    const others = new Set(folded);
    others[folds ? "add" : "delete"](id);
    const inside = folds && selected !== null && above(index, selected).includes(id);
    this.set({ folded: others, ...(inside ? { selected: id } : {}) });
  }

  /** Leave the chosen way, and fold what goes on from its alternatives; or show all. */
  foldAlternatives(folds) {
    const { index, selected } = this.state;
    const apart = ({ chosen, parent }) => !chosen && (parent == null || index.byId.get(parent).chosen);
    const folded = new Set(folds ? index.nodes.filter((node) => apart(node) && index.children.has(node.id)).map(({ id }) => id) : []);
    const inside = selected === null ? undefined : above(index, selected).find((id) => folded.has(id));
    this.set({ folded, ...(inside ? { selected: inside } : {}) });
  }

  search(words) {
    const { index, selected } = this.state, hits = found(index, words);
    this.set({ words, hits, marked: new Set(hits), hit: hits.indexOf(selected) });
  }

  /** To the next turn that was found, or by -1 to the one before, round and round. */
  step(count) {
    const { hits, hit } = this.state;
    if (!hits.length) return;
    const from = hit < 0 && count < 0 ? 0 : hit;
    this.select(hits[(from + count + hits.length) % hits.length]);
  }

  /** Other data: what is folded, selected and looked for stays as far as it is there. */
  update(conversation) {
    const { folded, selected, open, words } = this.state, index = indexed(conversation);
    const stays = index.byId.has(selected), hits = found(index, words);
    const kept = new Set([...folded].filter((id) => index.children.has(id)));
    const going = { selected: stays ? selected : null, open: open && stays };
    this.set({ index, folded: kept, ...going, hits, marked: new Set(hits), hit: hits.indexOf(selected) });
  }
}
