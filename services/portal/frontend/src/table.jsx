// What the portal's tables share: headings that sort, fields that filter, pages, and a sentence about all three.
import {
  columnFilteringFeature,
  createFilteredRowModel,
  createPaginatedRowModel,
  createSortedRowModel,
  filterFn_equals,
  filterFn_includesString,
  globalFilteringFeature,
  rowPaginationFeature,
  rowSortingFeature,
  sortFn_alphanumeric,
  sortFn_basic,
  sortFn_text,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { Fragment, useId } from "react";
import "./table.css";

const PAGE = 100; // rows
const features = tableFeatures({
  columnFilteringFeature,
  globalFilteringFeature,
  rowSortingFeature,
  rowPaginationFeature,
  filteredRowModel: createFilteredRowModel(),
  sortedRowModel: createSortedRowModel(),
  paginatedRowModel: createPaginatedRowModel(),
  filterFns: { equals: filterFn_equals, includesString: filterFn_includesString },
  sortFns: { alphanumeric: sortFn_alphanumeric, basic: sortFn_basic, text: sortFn_text },
});

/** A table of TanStack's with the portal's choices; a column joins the search by `enableGlobalFilter`. */
export function usePortalTable(columns, data) {
  return useTable({
    features,
    columns,
    data,
    globalFilterFn: "includesString",
    getColumnCanGlobalFilter: (column) => column.columnDef.enableGlobalFilter === true,
    defaultColumn: { enableGlobalFilter: false, sortUndefined: "last" },
    enableMultiSort: false,
    initialState: { pagination: { pageIndex: 0, pageSize: PAGE } },
  });
}

/** The field that searches. */
export function Search({ table, label }) {
  const id = useId();
  return (
    <p className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="search"
        autoComplete="off"
        spellCheck="false"
        value={table.state.globalFilter ?? ""}
        onChange={(event) => table.setGlobalFilter(event.target.value)}
      />
    </p>
  );
}

/** A choice among the values that a column has. */
export function Choice({ table, column, label }) {
  const id = useId();
  const found = table.getColumn(column);
  const values = [...new Set(table.getCoreRowModel().rows.map((row) => row.getValue(column)))].sort();
  return (
    <p className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        value={found.getFilterValue() ?? ""}
        onChange={(event) => found.setFilterValue(event.target.value || undefined)}
      >
        <option value="">all</option>
        {values.map((value) => (
          <option key={value}>{value}</option>
        ))}
      </select>
    </p>
  );
}

/** A box for those rows alone of which a column says true. */
export function Only({ table, column, label }) {
  const found = table.getColumn(column);
  return (
    <label className="only">
      <input
        type="checkbox"
        checked={found.getFilterValue() === true}
        onChange={(event) => found.setFilterValue(event.target.checked || undefined)}
      />
      {label}
    </label>
  );
}

const ORDERS = { asc: ["ascending", "lowest first"], desc: ["descending", "highest first"] };

/** What is shown and in which order, for those who do not see it. */
export function Told({ table, noun }) {
  const shown = table.getFilteredRowModel().rows.length;
  const all = table.getCoreRowModel().rows.length;
  const [by] = table.state.sorting;
  const title = by && table.getColumn(by.id).columnDef.meta.title;
  const order = by ? `, by ${title}, ${ORDERS[by.desc ? "desc" : "asc"][1]}` : "";
  return (
    <p className="told" role="status">
      {`${shown === all ? all : `${shown} of ${all}`} ${noun}${all === 1 ? "" : "s"}${order}.`}
    </p>
  );
}

/**
 * The table itself.
 *
 * A column's `meta` has a `title`, and may have `head` (drawn in its place), `className`, `isName` (it is the row's heading)
 * and `below` (drawn below a heading that sorts).
 *
 * @param rowClass the class of a row, from its data.
 * @param Below a component for a row below a row, or null where it draws none.
 */
export function Table({ table, label, caption, rowClass, Below }) {
  const columns = table.getAllLeafColumns();
  return (
    <>
      <div className="scroll" tabIndex={0} role="region" aria-label={label}>
        <table>
          {caption && (
            <caption>
              <span>{caption}</span>
            </caption>
          )}
          <thead>
            <tr>
              {columns.map((column) => (
                <Heading key={column.id} column={column} />
              ))}
            </tr>
          </thead>
          <tbody>
            {table.getRowModel().rows.map((row) => (
              <Fragment key={row.id}>
                <tr className={rowClass?.(row.original)}>
                  {columns.map((column) => (
                    <Cell key={column.id} table={table} row={row} column={column} />
                  ))}
                </tr>
                {Below && <Below row={row} width={columns.length} />}
              </Fragment>
            ))}
          </tbody>
        </table>
      </div>
      <Pages table={table} />
    </>
  );
}

function Heading({ column }) {
  const { title, head, className, below } = column.columnDef.meta;
  if (!column.getCanSort()) {
    return (
      <th scope="col" className={className}>
        {head ?? title}
      </th>
    );
  }
  const order = column.getIsSorted();
  return (
    <th scope="col" className={className} aria-sort={order ? ORDERS[order][0] : undefined}>
      <button type="button" className="sort" title={`Sort by ${title}`} onClick={() => column.toggleSorting()}>
        {head ?? title}
        <span className="order" aria-hidden="true">
          {order === "asc" ? "▲" : order === "desc" ? "▼" : "↕"}
        </span>
      </button>
      {below}
    </th>
  );
}

function Cell({ table, row, column }) {
  const { className, isName } = column.columnDef.meta;
  const cell = row.getAllCells().find((one) => one.column.id === column.id);
  const content = <table.FlexRender cell={cell} />;
  if (isName) {
    return (
      <th scope="row" className={className}>
        {content}
      </th>
    );
  }
  return <td className={className}>{content}</td>;
}

function Pages({ table }) {
  const pages = table.getPageCount();
  if (pages < 2) return null;
  return (
    <nav className="pages" aria-label="Pages of the table">
      <button type="button" disabled={!table.getCanPreviousPage()} onClick={() => table.previousPage()}>
        Before
      </button>
      <span>
        Page {table.state.pagination.pageIndex + 1} of {pages}
      </span>
      <button type="button" disabled={!table.getCanNextPage()} onClick={() => table.nextPage()}>
        After
      </button>
    </nav>
  );
}
