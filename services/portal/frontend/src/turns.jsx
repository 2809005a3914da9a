// Turns as text, as the plain page has them.

import { memo, useMemo } from "react";
import { ledTo } from "./places.js";

const NOTHING = [];

/** The turns that led to the selected one, which is marked; where none is, those that were chosen. */
export const Turns = memo(function Turns({ conversation, selected }) {
  const problems = useMemo(() => Map.groupBy(conversation.problems, (one) => one.node), [conversation]);
  const byId = useMemo(() => new Map(conversation.nodes.map((node) => [node.id, node])), [conversation]);
  return (
    <ol className="turns">
      {ledTo(conversation.nodes, byId, selected).map((node) => (
        <Turn key={node.id} node={node} isSelected={node.id === selected} said={problems.get(node.id) ?? NOTHING} />
      ))}
    </ol>
  );
});

const Turn = memo(function Turn({ node, isSelected, said }) {
  const kind = `turn ${node.role}${node.status === "error" ? " failed" : ""}${isSelected ? " selected" : ""}`;
  return (
    <li className={kind} aria-current={isSelected ? "true" : undefined}>
      <p className="who">
        <strong>{node.role}</strong> {node.model} <time dateTime={node.created}>{node.created.slice(11, 19)}</time>
        {node.seconds !== null && <span>{node.seconds.toFixed(2)} s</span>}
        {node.completion_tokens !== null && (
          <span>
            {node.prompt_tokens ?? "–"} + {node.completion_tokens} tokens
          </span>
        )}
        {Object.entries(node.scores).map(([name, score]) => (
          <span key={name}>
            {name} {Number(score.toFixed(3))}
          </span>
        ))}
      </p>
      <p className="said">{node.text || <em>The text was not logged.</em>}</p>
      {node.audio && <audio controls preload="none" src={node.audio} aria-label={`Recording of ${node.role}`} />}
      {said.map((one) => (
        <p key={one.kind} className="problem">
          {one.message}
        </p>
      ))}
    </li>
  );
});
