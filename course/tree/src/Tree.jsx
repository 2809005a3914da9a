import { useEffect, useRef, useSyncExternalStore } from "react";

import { Card } from "./Card.jsx";
import { audioAddress } from "./conversation.js";
import { Items } from "./Items.jsx";
import { Stage } from "./stage.js";
import { Toolbar } from "./Toolbar.jsx";

const PAGE = 10; // rows

/** The whole component: a toolbar, the drawing or the outline, the card of the selected turn, and what marks mean. */
export function Tree({ store }) {
  const state = useSyncExternalStore(store.subscribe, store.snapshot);
  const place = useRef(null), stage = useRef(null), search = useRef(null);

  useEffect(() => {
    stage.current = new Stage(store, place.current);
    return () => stage.current.remove();
  }, [store]);

  const keys = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const act = actions(store, stage.current, search.current)[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  const close = () => {
    store.set({ open: false });
    place.current.focus({ preventScroll: true });
  };
  const { index, layout, selected, open, outline } = state;
  const current = layout.byId.get(selected);
  return (
    <section aria-label={`Conversation tree: ${index.title}`}>
      <Toolbar store={store} state={state} stage={stage} search={search} />
      <div className="room">
        <div
          ref={place}
          className={outline ? "tree outlined" : "tree"}
          role="tree"
          tabIndex={0}
          aria-label={`Turns of ${index.title}`}
          aria-activedescendant={current ? `turn-${current.row}` : undefined}
          onKeyDown={keys}
        >
          <canvas aria-hidden="true" />
          <Items store={store} state={state} place={place} />
        </div>
        {open && current && <Card store={store} state={state} close={close} />}
      </div>
      <Legend problems={index.problems.size} />
      <span className="probe" aria-hidden="true" />
    </section>
  );
}

/** What each key does; in the outline the arrows go by rows and fold, as in every list of files. */
function actions(store, stage, search) {
  const { selected, outline, folded, index, layout } = store.snapshot();
  const folds = selected !== null && index.children.has(selected) && !folded.has(selected);
  const arrows = outline
    ? {
        ArrowDown: () => store.walkRows(1),
        ArrowUp: () => store.walkRows(-1),
        ArrowLeft: () => (folds ? store.fold(selected) : store.walk("parent")),
        ArrowRight: () => (folded.has(selected) ? store.fold(selected) : store.walk("child")),
      }
    : {
        ArrowDown: () => store.walk("child"),
        ArrowUp: () => store.walk("parent"),
        ArrowLeft: () => store.walk("previous"),
        ArrowRight: () => store.walk("next"),
      };
  return {
    ...arrows,
    Enter: () => (selected === null ? store.walkRows(1) : store.select(selected, { open: true })),
    " ": () => selected !== null && store.fold(selected),
    Escape: () => store.set({ open: false }),
    Home: () => store.walkRows(-layout.order.length),
    End: () => store.walkRows(layout.order.length),
    PageDown: () => store.walkRows(PAGE),
    PageUp: () => store.walkRows(-PAGE),
    p: () => selected !== null && audioAddress(index.byId.get(selected)) && store.play(selected),
    "/": () => search.focus(),
    "+": () => stage.scale(1.4),
    "=": () => stage.scale(1.4),
    "-": () => stage.scale(1 / 1.4),
    0: () => stage.fit(),
  };
}

function Legend({ problems }) {
  return (
    <div className="legend">
      <span><i className="chosen" />the way that was taken</span>
      <span><i className="other" />said in its place</span>
      {problems > 0 && <span><i className="wrong">!</i>a problem in the log</span>}
      <details>
        <summary>Keys</summary>
        <p>
          <kbd>↑</kbd> <kbd>↓</kbd> before and after, <kbd>←</kbd> <kbd>→</kbd> alternatives, <kbd>Enter</kbd> card,{" "}
          <kbd>Space</kbd> fold, <kbd>P</kbd> play, <kbd>/</kbd> search, <kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd> zoom, <kbd>Esc</kbd> close. In
          the outline the arrows go by rows, and fold.
        </p>
      </details>
    </div>
  );
}
