import { count } from "./format.js";

/** Search with its hits, folding, outline and zoom. */
export function Toolbar({ store, state, stage, search }) {
  const { words, hits, outline, folded, index } = state;
  const keys = (event) => {
    event.stopPropagation();
    if (event.key === "Enter") store.step(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") store.search("");
  };
  return (
    <div className="toolbar" role="group" aria-label="Search and view">
      <div className="search">
        <input
          ref={search}
          type="search"
          aria-label="Search the turns"
          placeholder="Search"
          value={words}
          onChange={(event) => store.search(event.target.value)}
          onKeyDown={keys}
        />
        <button type="button" aria-label="Previous hit" disabled={!hits.length} onClick={() => store.step(-1)}>↑</button>
        <button type="button" aria-label="Next hit" disabled={!hits.length} onClick={() => store.step(1)}>↓</button>
        <span role="status" className="count">{said(state)}</span>
      </div>
      <div className="group">
        {index.nodes.some(({ chosen }) => !chosen) && (
          <button type="button" aria-pressed={folded.size > 0} onClick={() => store.foldAlternatives(!folded.size)}>
            {folded.size ? "Unfold all" : "Fold alternatives"}
          </button>
        )}
        <button type="button" aria-pressed={outline} onClick={() => store.set({ outline: !outline })}>Outline</button>
      </div>
      <div className="group joined" hidden={outline}>
        <button type="button" aria-label="Zoom out" onClick={() => stage.current.scale(1 / 1.4)}>−</button>
        <button type="button" aria-label="Zoom in" onClick={() => stage.current.scale(1.4)}>+</button>
        <button type="button" aria-label="Show all" onClick={() => stage.current.fit()}>All</button>
      </div>
    </div>
  );
}

function said({ words, hits, hit, index }) {
  if (!words.trim()) return count(index.nodes.length, "turn");
  if (!hits.length) return "Nothing found";
  return hit < 0 ? `${count(hits.length, "turn")} found` : `${hit + 1} of ${hits.length.toLocaleString("en-GB")}`;
}
