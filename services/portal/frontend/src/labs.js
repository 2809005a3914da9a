// The tables of all labs, from the pages that have them, and what they say of each student.

/** The labs that the page links to: `{ id, title, href }`; fewer than two where the class has one. */
export const labsOfPage = () =>
  [...document.querySelectorAll("a[data-lab]")].map((link) => ({
    id: link.dataset.lab,
    title: link.textContent.trim(),
    href: link.href,
  }));

/**
 * Labs with their `rows`. A page of the class has one lab, so each other lab is read from its own.
 *
 * @param labs as `labsOfPage` gives them.
 * @param here the table of this page.
 * @throws Error a page did not come, or came without its table.
 */
export const readLabs = (labs, here) =>
  Promise.all(labs.map(async (lab) => ({ ...lab, rows: lab.id === here.lab ? here.rows : await rowsOf(lab) })));

async function rowsOf(lab) {
  const answer = await fetch(lab.href, { credentials: "same-origin" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const source = page.getElementById("class-data");
  if (!answer.ok || !source) {
    const came = `came with status ${answer.status}`;
    throw new Error(`The results of ${lab.title} were expected and ${came}: load the page again.`);
  }
  return JSON.parse(source.textContent).rows;
}

/**
 * A row for each student: `{ student, labs: {id: row}, score, max_score, stuck }`.
 *
 * `max_score` counts the labs that the student handed in; `stuck` names those in which they are stuck.
 */
export function byStudent(labs) {
  const students = new Map();
  for (const lab of labs) {
    for (const row of lab.rows) {
      const one = students.get(row.student) ?? { student: row.student, labs: {}, score: 0, max_score: 0, stuck: [] };
      one.labs[lab.id] = row;
      one.score += row.score;
      one.max_score += row.max_score;
      if (row.stuck) one.stuck.push(lab.title);
      students.set(row.student, one);
    }
  }
  return [...students.values()].map((one) => ({ ...one, stuck: one.stuck.join(", ") }));
}
