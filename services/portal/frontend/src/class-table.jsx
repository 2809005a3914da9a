// The class for the instructor: one lab by its tasks, or everybody by all labs; sorted, filtered, and who is stuck.
import { useMemo, useState } from "react";
import { drawOver } from "./draw_over.jsx";
import { byStudent, labsOfPage, readLabs } from "./labs.js";
import { Choice, Only, Search, Table, Told, usePortalTable } from "./table.jsx";

function ClassTable({ data }) {
  const [all, setAll] = useState(null); // labs with their tables, once they were asked for
  const [isWide, setWide] = useState(false);
  const [told, setTold] = useState("");
  const others = useMemo(labsOfPage, []);
  const showAll = async () => {
    try {
      setTold("Reading the other labs.");
      setAll(all ?? (await readLabs(others, data)));
      setWide(true);
      setTold("");
    } catch (error) {
      setTold(error.message);
    }
  };
  return (
    <>
      {others.length > 1 && (
        <div className="fields" role="group" aria-label="What is shown">
          <button type="button" className="way" aria-pressed={!isWide} onClick={() => setWide(false)}>
            This lab, by task
          </button>
          <button type="button" className="way" aria-pressed={isWide} onClick={showAll}>
            All labs
          </button>
        </div>
      )}
      <p role="status" className="told">
        {told}
      </p>
      {isWide && all ? <AllLabs labs={all} /> : <OneLab data={data} />}
    </>
  );
}

function OneLab({ data }) {
  const columns = useMemo(() => taskColumns(data.tasks), [data]);
  const table = usePortalTable(columns, data.rows);
  return (
    <>
      <div className="fields">
        <Search table={table} label="Student" />
        <Choice table={table} column="status" label="Status" />
        <Only table={table} column="stuck" label="Only who is stuck" />
      </div>
      <Told table={table} noun="student" />
      <Table table={table} label={`Everybody, ${data.lab}`} />
    </>
  );
}

function AllLabs({ labs }) {
  const rows = useMemo(() => byStudent(labs), [labs]);
  const columns = useMemo(() => labColumns(labs), [labs]);
  const table = usePortalTable(columns, rows);
  return (
    <>
      <div className="fields">
        <Search table={table} label="Student" />
        <Only table={table} column="stuck" label="Only who is stuck in a lab" />
      </div>
      <Told table={table} noun="student" />
      <Table
        table={table}
        label="Everybody, all labs"
        caption="Automatic points; – where nothing was handed in, and the status where a notebook was not graded."
      />
    </>
  );
}

const NAME = {
  id: "student",
  accessorKey: "student",
  sortFn: "alphanumeric",
  enableGlobalFilter: true,
  cell: ({ row }) => <Student row={row.original} />,
  meta: { title: "Student", className: "name", isName: true },
};
const score = (id, title, accessorFn, rest = {}, meta = {}) => ({
  id,
  accessorFn,
  sortFn: "basic",
  sortDescFirst: false, // who needs help comes first
  meta: { title, className: "align-right", ...meta },
  ...rest,
});

const stuckColumn = (title) => ({
  id: "stuck",
  accessorFn: (row) => row.stuck !== "",
  enableSorting: false,
  filterFn: "equals",
  cell: ({ row }) => row.original.stuck,
  meta: { title, className: "name" },
});
const ofAll = ({ row }) => <Points score={row.original.score} most={row.original.max_score} />;

/** The student, with a link to the feedback where the portal has its address. */
const Student = ({ row }) => (row.url ? <a href={row.url}>{row.student}</a> : row.student);

function taskColumns(tasks) {
  return [
    NAME,
    score("score", "Score", (row) => row.score, { cell: ofAll }),
    {
      id: "status",
      accessorKey: "status",
      sortFn: "text",
      filterFn: "equals",
      cell: ({ row }) => <span className={`word ${row.original.status}`}>{row.original.status}</span>,
      meta: { title: "Status" },
    },
    ...tasks.map((task, at) => {
      const head = <Numbered at={at + 1} title={task.title} />;
      return score(`task-${at}`, task.title, (row) => row.tasks[task.id], {}, { head });
    }),
    stuckColumn("Stuck on"),
  ];
}

/** A task's number; its title is read out, and shown where the pointer rests. */
const Numbered = ({ at, title }) => (
  <span title={title}>
    <span aria-hidden="true">{at}</span>
    <span className="hidden-text">{title}</span>
  </span>
);

function labColumns(labs) {
  return [
    NAME,
    score("sum", "Sum", (row) => row.score, { cell: ofAll }),
    ...labs.map((lab, at) =>
      score(
        `lab-${at}`,
        lab.title,
        (row) => row.labs[lab.id]?.score,
        { cell: ({ row }) => <OfLab row={row.original.labs[lab.id]} /> },
        { below: <a href={`?lab=${encodeURIComponent(lab.id)}`}>by task</a> },
      ),
    ),
    stuckColumn("Stuck in"),
  ];
}

function OfLab({ row }) {
  if (!row) return "–";
  if (row.status !== "graded") return <span className={`word ${row.status}`}>{row.status}</span>;
  return <Points score={row.score} most={row.max_score} href={row.url} />;
}

/** Points, with a bar of what they are of all. */
function Points({ score, most, href }) {
  const text = `${score} of ${most}`;
  return (
    <>
      {href ? <a href={href}>{text}</a> : text}
      <svg className="share" height="4" aria-hidden="true">
        <rect className="all" width="100%" height="4" />
        <rect width={`${most ? (100 * score) / most : 0}%`} height="4" />
      </svg>
    </>
  );
}

drawOver("class-table", ClassTable);
