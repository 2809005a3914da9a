// Which turn is meant: by an address (#node=ID, or ?at=ID of the plain page), and the turns that lead to it.

/** The id that a fragment such as "#node=t3" names, if the conversation has it; else null. */
export function nodeOf(conversation, hash) {
  const named = new URLSearchParams(hash.replace(/^#/, "")).get("node");
  return conversation.nodes.some((node) => node.id === named) ? named : null;
}

/** The turn that the page was opened at, or null. */
export function openingNode(conversation) {
  const at = new URLSearchParams(location.search).get("at");
  return nodeOf(conversation, location.hash) ?? nodeOf(conversation, at ? `#${new URLSearchParams({ node: at })}` : "");
}

/** Write the turn into the address, so that it can be sent to somebody; no step of the browser's history. */
export function rememberNode(node) {
  const bare = location.pathname + location.search;
  history.replaceState(null, "", node === null ? bare : `${bare}#${new URLSearchParams({ node })}`);
}

/** The turns from the top down to one of them; where none is given, those that were chosen. */
export function ledTo(nodes, byId, id) {
  if (id === null) return nodes.filter((node) => node.chosen);
  const way = [];
  for (let node = byId.get(id); node; node = byId.get(node.parent)) way.push(node);
  return way.reverse();
}
