// Numbers in words, as the plain pages have them.

/** A ratio with three digits, such as "3.21 ×". */
export const times = (value) => (value === null || value === undefined ? "–" : `${Number(value.toPrecision(3))} ×`);

/** Day and time of a moment, in UTC as everywhere in the portal: "2026-11-23 09:00". */
export const moment = (iso) => new Date(iso).toISOString().slice(0, 16).replace("T", " ");

/** Round numbers from 0 to `highest`, at most six. */
export function ticks(highest) {
  const least = highest / 6;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= least);
  return Array.from({ length: Math.floor(highest / step) + 1 }, (_, at) => Number((at * step).toPrecision(6)));
}
