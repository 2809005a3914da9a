/** A conversation, JSON version 1 of the portal, checked and made ready for looking things up. */

export const VERSION = 1;

/**
 * The conversation as the component reads it.
 *
 * @param {object} conversation version, id, title, nodes and problems, as `GET /api/conversations/<id>/` has them.
 * @returns {{title: string, nodes: object[], byId: Map, children: Map, below: Map, problems: Map, words: Map}}
 *   `nodes` parents first; `children` of each id, the chosen one first, and of null those at the top; `below` how many
 *   turns each has below it; `words` what a search looks through.
 * @throws {RangeError} what was expected, what came, what to try, in one sentence.
 */
export function indexed(conversation) {
  if (conversation?.version !== VERSION) {
    throw new RangeError(`Expected a conversation of version ${VERSION}, got ${shown(conversation?.version)}: try the JSON of /api/conversations/ID/.`);
  }
  if (!Array.isArray(conversation.nodes)) throw new RangeError("Expected “nodes” as a list of turns, got none: try [].");
  const byId = namedOnce(conversation.nodes);
  const children = childrenOf(conversation.nodes, byId);
  const nodes = parentsFirst(children);
  if (nodes.length < byId.size) {
    const reached = new Set(nodes), lost = conversation.nodes.find((node) => !reached.has(node));
    throw new RangeError(`Expected a tree, and turn “${lost.id}” follows itself by way of its parents: try null as the parent of one of them.`);
  }
  const problems = grouped(conversation.problems ?? [], ({ node }) => node);
  const words = new Map(nodes.map((node) => [node.id, wordsOf(node, problems.get(node.id) ?? [])]));
  return { title: conversation.title || "Conversation", nodes, byId, children, below: below(nodes), problems, words };
}

/** The nodes that have all the words, in reading order. */
export function found({ nodes, words }, query) {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!wanted.length) return [];
  return nodes.filter(({ id }) => wanted.every((word) => words.get(id).includes(word))).map(({ id }) => id);
}

/** The node's parents, from the nearest to the top. */
export function above({ byId }, id) {
  const found = [];
  for (let at = byId.get(id)?.parent; at !== null && at !== undefined; at = byId.get(at).parent) found.push(at);
  return found;
}

/** The node and its alternatives: all that follow the same turn. */
export function alternatives({ byId, children }, id) {
  return children.get(byId.get(id).parent ?? null);
}

/** Where a node's audio is, or null: this site's own, or sound that came with the data; never another host's. */
export function audioAddress(node) {
  if (typeof node.audio !== "string" || !node.audio) return null;
  if (/^data:audio\//i.test(node.audio)) return node.audio;
  try {
    const address = new URL(node.audio, document.baseURI);
    return address.origin === location.origin && address.protocol !== "data:" ? address.href : null;
  } catch {
    return null;
  }
}

function namedOnce(nodes) {
  const byId = new Map();
  for (const node of nodes) {
    const { id, role, text } = node ?? {};
    if (typeof id !== "string" || !id) throw new RangeError(`Expected “id” of a turn as a text, got ${shown(id)}: try "turn-1".`);
    if (typeof role !== "string") throw new RangeError(`Expected “role” of turn “${id}” as a text, got ${shown(role)}: try "user".`);
    if (typeof text !== "string") throw new RangeError(`Expected “text” of turn “${id}” as a text, got ${shown(text)}: try "".`);
    if (byId.has(id)) throw new RangeError(`Expected each id once, and two turns are called “${id}”: try another name for one of them.`);
    byId.set(id, node);
  }
  return byId;
}

function childrenOf(nodes, byId) {
  for (const { id, parent } of nodes) {
    if (parent != null && !byId.has(parent)) {
      throw new RangeError(`Expected the parent of turn “${id}” among the turns, got ${shown(parent)}, which is none: try null.`);
    }
  }
  const children = grouped(nodes, ({ parent }) => parent ?? null);
  for (const level of children.values()) level.sort((one, other) => Number(Boolean(other.chosen)) - Number(Boolean(one.chosen)));
  return children;
}

function parentsFirst(children) {
  const nodes = [], waiting = [...(children.get(null) ?? [])].reverse();
  while (waiting.length) {
    const node = waiting.pop();
    nodes.push(node);
    waiting.push(...[...(children.get(node.id) ?? [])].reverse());
  }
  return nodes;
}

function below(nodes) {
  const counts = new Map(nodes.map(({ id }) => [id, 0]));
  for (const { id, parent } of [...nodes].reverse()) {
    if (parent != null) counts.set(parent, counts.get(parent) + counts.get(id) + 1);
  }
  return counts;
}

function wordsOf({ id, role, text, model, scores }, problems) {
  return [text, role, model, id, ...Object.keys(scores ?? {}), ...problems.map(({ kind }) => kind)].filter(Boolean).join("\n").toLowerCase();
}

function grouped(list, keyOf) {
  const groups = new Map();
  for (const one of list) {
    const key = keyOf(one);
    if (groups.has(key)) groups.get(key).push(one);
    else groups.set(key, [one]);
  }
  return groups;
}

function shown(value) {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
