import { alternatives, audioAddress } from "./conversation.js";
import { count, isNumber, score, seconds, time, tokens } from "./format.js";

/** Everything that is known of the selected turn. Buttons that lead nowhere stay in place, and keep the focus. */
export function Card({ store, state, close }) {
  const { index, selected } = state, node = index.byId.get(selected), level = alternatives(index, selected);
  const at = level.indexOf(node), problems = index.problems.get(selected) ?? [], audio = audioAddress(node);
  const keys = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  };
  return (
    <aside className="card" aria-label={`Turn of ${node.role}`} onKeyDown={keys}>
      <header>
        <strong className="name">{node.role}</strong>
        <p>{node.chosen ? "on the chosen way" : "an alternative"}{node.status === "error" && <strong className="bad"> failed</strong>}</p>
        <button type="button" aria-label="Close the card" onClick={close}>×</button>
      </header>
      {problems.map(({ kind, message }) => <p className="problem" key={kind + message}><strong>{kind}</strong> {message}</p>)}
      <p className="text" tabIndex={0}>{node.text || <em>The text was not logged.</em>}</p>
      {audio && (
        <audio
          key={`${state.playing} ${selected}`}
          aria-label={`Recording of this turn of ${node.role}`}
          autoPlay={state.playing > 0}
          controls
          preload="none"
          src={audio}
        />
      )}
      <Facts node={node} />
      <nav aria-label="From this turn">
        <button type="button" aria-disabled={node.parent == null} onClick={() => store.walk("parent")}>Before</button>
        <button type="button" aria-disabled={!index.children.has(selected) || state.folded.has(selected)} onClick={() => store.walk("child")}>After</button>
        {level.length > 1 && <Alternatives store={store} at={at} of={level.length} />}
        {index.children.has(selected) && <Fold store={store} state={state} />}
      </nav>
    </aside>
  );
}

function Alternatives({ store, at, of }) {
  return (
    <span className="between">
      <button type="button" aria-label="Previous alternative" aria-disabled={at === 0} onClick={() => store.walk("previous")}>‹</button>
      {at + 1} of {of}
      <button type="button" aria-label="Next alternative" aria-disabled={at === of - 1} onClick={() => store.walk("next")}>›</button>
    </span>
  );
}

function Fold({ store, state }) {
  const { folded, selected, index } = state, words = folded.has(selected) ? "Unfold" : "Fold";
  return <button type="button" onClick={() => store.fold(selected)}>{words} {count(index.below.get(selected), "turn")} below</button>;
}

function Facts({ node }) {
  const facts = { Model: node.model, Tokens: tokens(node), Took: seconds(node.seconds), Said: time(node.created) };
  const told = Object.entries(facts).filter(([, value]) => value);
  return (
    <dl>
      {told.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
      {Object.entries(node.scores ?? {}).map(([name, value]) => <Score key={name} name={name} value={value} />)}
    </dl>
  );
}

function Score({ name, value }) {
  const share = isNumber(value) && value >= 0 && value <= 1;
  return (
    <div className="score">
      <dt>{name}</dt>
      <dd>{score(value)}</dd>
      {share && <span className="track" aria-hidden="true"><i style={{ width: `${100 * value}%` }} /></span>}
    </div>
  );
}
