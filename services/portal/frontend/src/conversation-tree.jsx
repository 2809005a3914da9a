// A conversation: its tree, what led to the turn that is selected, and what the logs have brought since.
import { mountTree } from "@course/tree";
import { useDeferredValue, useEffect, useRef, useState } from "react";
import { drawOver } from "./draw_over.jsx";
import { useFresh } from "./fresh.js";
import { nodeOf, openingNode, rememberNode } from "./places.js";
import { Turns } from "./turns.jsx";
import "./conversation.css";

function Conversation({ data, place }) {
  const [selected, setSelected] = useState(() => openingNode(data));
  const { conversation, told, isLive, refresh, setLive } = useFresh(data, place.dataset.url);
  const read = useDeferredValue(selected); // a long way is drawn when the tree has moved
  const box = useTree(conversation, selected, (node) => {
    rememberNode(node);
    setSelected(node);
  });
  useEffect(() => {
    const follow = () => setSelected(nodeOf(conversation, location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, [conversation]);
  return (
    <>
      <div className="fresh">
        <button type="button" onClick={refresh}>
          Refresh
        </button>
        <label>
          <input type="checkbox" checked={isLive} onChange={(event) => setLive(event.target.checked)} />
          Live
        </label>
        <p role="status">{told}</p>
      </div>
      <h2 className="hidden-text">The tree</h2>
      <div ref={box} className="tree" />
      <h2>{read ? "What led to the selected turn" : "The way that was taken"}</h2>
      <Turns conversation={conversation} selected={read} />
    </>
  );
}

/** The course's tree in an element of its own, which keeps its place while turns come in and the selection moves. */
function useTree(conversation, selected, onSelect) {
  const box = useRef(null);
  const tree = useRef(null);
  const held = useRef(conversation);
  const select = useRef(onSelect);
  useEffect(() => {
    select.current = onSelect;
  });
  useEffect(() => {
    tree.current ??= mountTree(box.current, conversation, { selected, onSelect: (node) => select.current(node) });
    tree.current.update(held.current === conversation ? { selected } : { conversation, selected });
    held.current = conversation;
  }, [conversation, selected]);
  useEffect(() => () => tree.current.destroy(), []);
  return box;
}

drawOver("conversation-tree", Conversation);
