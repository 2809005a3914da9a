/** Numbers, times and names of a turn, as they are read. */

const CLOCK = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" });

export function seconds(value) {
  return isNumber(value) ? `${value.toFixed(2)} s` : null;
}

export function score(value) {
  return isNumber(value) ? `${Number(value.toFixed(3))}` : "–";
}

export function time(value) {
  const moment = new Date(value ?? Number.NaN);
  return Number.isNaN(moment.getTime()) ? null : `${CLOCK.format(moment)} UTC`;
}

/** Tokens of the prompt and of the answer. */
export function tokens({ prompt_tokens: asked, completion_tokens: answered }) {
  if (!isNumber(asked) && !isNumber(answered)) return null;
  return `${isNumber(asked) ? asked : "–"} + ${isNumber(answered) ? answered : "–"}`;
}

/** What stands below the text of a turn in the drawing. */
export function meta(node) {
  const scores = Object.entries(node.scores ?? {}).map(([name, value]) => `${name} ${score(value)}`);
  return [seconds(node.seconds), ...scores].filter(Boolean).join(" · ");
}

export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en-GB")} ${number === 1 ? one : many}`;
}

/** A turn in a line, for the outline. */
export function line(node, problems) {
  const marks = [node.status === "error" ? "failed" : "", problems.length ? problems.map(({ kind }) => kind).join(", ") : ""];
  const text = node.text.length > 200 ? `${node.text.slice(0, 200)}…` : node.text;
  return { text: text || "(the text was not logged)", marks: marks.filter(Boolean).join(", ") };
}

export function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}
