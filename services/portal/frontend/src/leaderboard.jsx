// The leaderboard of a lab: sorted and filtered by whoever reads it, with intervals on one scale.
import { useMemo, useState } from "react";
import { drawOver } from "./draw_over.jsx";
import { History, Interval, Scale, scaleEnd } from "./intervals.jsx";
import { times } from "./numbers.js";
import { Choice, Search, Table, Told, usePortalTable } from "./table.jsx";

const ABOUT = "The line marks 1, the baseline; a bar is a 95 % interval, the stroke in it its ratio.";

function Leaderboard({ data }) {
  const [opened, setOpened] = useState(() => new Set());
  const columns = useMemo(() => columnsOf(data.rows), [data]);
  const table = usePortalTable(columns, data.rows);
  const toggle = (who) => setOpened((before) => before.symmetricDifference(new Set([who])));
  return (
    <>
      <div className="fields">
        <Search table={table} label="Who or variant" />
        <Choice table={table} column="status" label="Status" />
      </div>
      <Told table={table} noun="row" />
      <Table
        table={table}
        label={`Leaderboard of ${data.lab}`}
        caption={`${data.lab}. ${ABOUT}`}
        rowClass={(row) => (row.mine ? "mine" : undefined)}
        Below={({ row, width }) => <Records row={row.original} width={width} opened={opened} toggle={toggle} />}
      />
    </>
  );
}

/** The columns; ranks that several rows share are ties, and intervals have the scale of all rows. */
function columnsOf(rows) {
  const end = scaleEnd(rows);
  const tied = (rank) => rank !== null && rows.filter((row) => row.rank === rank).length > 1;
  return [
    {
      id: "rank",
      accessorFn: (row) => row.rank ?? undefined,
      sortFn: "basic",
      sortDescFirst: false,
      cell: ({ row }) => <Rank rank={row.original.rank} isTie={tied(row.original.rank)} />,
      meta: { title: "Rank", className: "align-right" },
    },
    {
      id: "who",
      accessorKey: "pseudonym",
      sortFn: "alphanumeric",
      enableGlobalFilter: true,
      cell: ({ row }) => `${row.original.pseudonym}${row.original.mine ? " (you)" : ""}`,
      meta: { title: "Who", isName: true },
    },
    {
      id: "status",
      accessorKey: "status",
      sortFn: "text",
      filterFn: "equals",
      cell: ({ row }) => <Status row={row.original} />,
      meta: { title: "Status" },
    },
    {
      id: "variant",
      accessorKey: "variant",
      sortFn: "alphanumeric",
      enableGlobalFilter: true,
      cell: ({ row }) => row.original.variant || "–",
      meta: { title: "Variant" },
    },
    {
      id: "ratio",
      accessorFn: (row) => row.ratio ?? undefined,
      sortFn: "basic",
      sortDescFirst: true,
      cell: ({ row }) => <SpeedUp row={row.original} />,
      meta: { title: "Speed-up", className: "align-right" },
    },
    {
      id: "interval",
      enableSorting: false,
      cell: ({ row }) => <Interval row={row.original} end={end} />,
      meta: { title: "Interval, drawn", className: "drawn", head: <ScaleHead end={end} /> },
    },
  ];
}

const ScaleHead = ({ end }) => (
  <>
    <span className="hidden-text">Interval, drawn</span>
    <Scale end={end} />
  </>
);

function Rank({ rank, isTie }) {
  if (rank === null) return "–";
  return (
    <>
      {rank}
      {isTie && (
        <>
          <span aria-hidden="true">=</span>
          <span className="hidden-text"> tied</span>
        </>
      )}
    </>
  );
}

const Status = ({ row }) => (
  <>
    <span className={`word ${row.status}`}>{row.status}</span>
    {row.why && <small className="why">{row.why}</small>}
  </>
);

const SpeedUp = ({ row }) => (
  <>
    {times(row.ratio)}
    {row.low !== null && (
      <small className="why">
        {times(row.low)} to {times(row.high)}
      </small>
    )}
  </>
);

/** The records of a person who handed in more than one: a row below theirs. */
function Records({ row, width, opened, toggle }) {
  if (row.history.length < 2) return null;
  const isOpen = opened.has(row.pseudonym);
  return (
    <tr className={row.mine ? "below mine" : "below"}>
      <td colSpan={width}>
        <button type="button" className="plain-button" aria-expanded={isOpen} onClick={() => toggle(row.pseudonym)}>
          {row.history.length} records of {row.pseudonym}
        </button>
        {isOpen && <History who={row.pseudonym} records={row.history} />}
      </td>
    </tr>
  );
}

drawOver("leaderboard", Leaderboard);
