// Ratios with their intervals, drawn: a row of the leaderboard, its scale, and how somebody's records went.
import { moment, ticks, times } from "./numbers.js";

/** Where the scale ends: a little above the highest end of all rows, as in services/portal/drawing.py. */
export const scaleEnd = (rows) => 1.05 * Math.max(1, ...rows.map((row) => row.high ?? 0));

const percent = (value, end) => `${((100 * value) / end).toFixed(2)}%`;

/** The interval of a row. The numbers are in the cell beside it, so it is not read out. */
export function Interval({ row, end }) {
  if (row.ratio === null) return null;
  const at = percent(row.ratio, end);
  return (
    <svg height="24" aria-hidden="true">
      <line className="one" x1={percent(1, end)} x2={percent(1, end)} y1="0" y2="24" />
      <rect className="interval" x={percent(row.low, end)} width={percent(row.high - row.low, end)} y="8" height="8" />
      <line className="ratio" x1={at} x2={at} y1="4" y2="20" />
    </svg>
  );
}

/** The scale above the intervals. */
export function Scale({ end }) {
  return (
    <svg height="24" aria-hidden="true" className="scale">
      {ticks(end).map((value) => (
        <g key={value}>
          <line x1={percent(value, end)} x2={percent(value, end)} y1="18" y2="24" />
          <text x={percent(value, end)} y="14" textAnchor={value ? "middle" : "start"}>
            {value}
          </text>
        </g>
      ))}
    </svg>
  );
}

const PLOT = { width: 420, height: 180, left: 44, right: 404, top: 14, bottom: 146 };

/** Somebody's records, the earliest first, each with its interval; the same in numbers stands below. */
export function History({ who, records }) {
  const end = scaleEnd(records);
  const x = (at) => PLOT.left + 24 + ((PLOT.right - PLOT.left - 48) * at) / Math.max(records.length - 1, 1);
  const y = (value) => PLOT.bottom - ((PLOT.bottom - PLOT.top) * value) / end;
  const first = records[0];
  const last = records.at(-1);
  const sentence =
    `${records.length} records of ${who}: ${times(first.ratio)} at first, on ${moment(first.created)}, ` +
    `${times(last.ratio)} last, on ${moment(last.created)} UTC.`;
  return (
    <figure className="history">
      <svg viewBox={`0 0 ${PLOT.width} ${PLOT.height}`} role="img" aria-label={sentence}>
        {ticks(end).map((value) => (
          <g key={value}>
            <line className={value === 1 ? "one" : "grid"} x1={PLOT.left} x2={PLOT.right} y1={y(value)} y2={y(value)} />
            <text x={PLOT.left - 8} y={y(value) + 4} textAnchor="end">
              {value} ×
            </text>
          </g>
        ))}
        <polyline className="course" points={records.map((one, at) => `${x(at)},${y(one.ratio)}`).join(" ")} />
        {records.map((one, at) => (
          <g key={one.created}>
            <line className="ends" x1={x(at)} x2={x(at)} y1={y(one.low)} y2={y(one.high)} />
            <circle cx={x(at)} cy={y(one.ratio)} r="4.5" />
          </g>
        ))}
        <text x={x(0)} y={PLOT.bottom + 22} textAnchor="start">
          {first.created.slice(0, 10)}
        </text>
        {records.length > 1 && (
          <text x={x(records.length - 1)} y={PLOT.bottom + 22} textAnchor="end">
            {last.created.slice(0, 10)}
          </text>
        )}
      </svg>
      <figcaption>
        <ol>
          {records.map((one) => (
            <li key={one.created}>
              {moment(one.created)}: {times(one.ratio)} ({times(one.low)} to {times(one.high)})
            </li>
          ))}
        </ol>
      </figcaption>
    </figure>
  );
}
