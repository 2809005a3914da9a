// The directives that the course adds to MyST: `predict` (commit to an answer, then read why), `checkpoint` (a question
// whose answer is folded) and `syllabus` (the list of lectures, of which those that exist are linked).
// They only build nodes; book/theme turns the nodes into HTML.

const CHOICE = /^- \[([ x])\] (.+)$/;

/** Stop the build with a sentence at the directive's place in the source. */
function fail(vfile, data, message) {
  const error = vfile.message(message, data.node, "course");
  error.fatal = true;
}

/** Identifier of a label as MyST makes it for its own directives: lower case, blanks to dashes. */
function target(label) {
  if (!label) return {};
  const identifier = label.toLowerCase().replace(/[^a-z0-9_:-]+/g, "-");
  return { label, identifier, html_id: identifier };
}

/** The `- [ ] answer :: reason` lines of a body; an answer may go on over indented lines. */
function choices(body) {
  const items = [];
  for (const line of body.split("\n")) {
    const match = line.match(CHOICE);
    if (match) items.push({ right: match[1] === "x", text: match[2] });
    else if (items.length && line.trim()) items.at(-1).text += ` ${line.trim()}`;
    else if (line.trim()) return null;
  }
  return items;
}

function choiceNodes(data, vfile, ctx) {
  const items = choices(data.body ?? "");
  if (!items?.length || items.filter((item) => item.right).length !== 1) {
    fail(vfile, data, "predict needs lines `- [ ] answer :: why`, exactly one of them marked [x]; or :answer: for a number");
    return [];
  }
  return items.map((item) => {
    const [answer, reason] = item.text.split(/\s+::\s+/, 2);
    if (!reason) fail(vfile, data, `predict: the answer "${answer}" lacks its reason; write \`answer :: why\``);
    return {
      type: "predictChoice",
      right: item.right,
      children: [
        { type: "predictAnswer", children: inline(ctx, answer) },
        { type: "predictReason", children: inline(ctx, reason ?? "") },
      ],
    };
  });
}

/** Parse one line of MyST to phrasing content. */
function inline(ctx, text) {
  const [first] = ctx.parseMyst(text).children;
  return first?.type === "paragraph" ? first.children : first ? [first] : [];
}

const predict = {
  name: "predict",
  doc: "A question that the reader answers before the code runs: a choice, or a number.",
  arg: { type: "myst", required: true, doc: "The question." },
  options: {
    label: { type: String, doc: "Label for cross-references." },
    answer: { type: Number, doc: "The right number; makes the question a fill-in." },
    tolerance: { type: Number, doc: "How far off a number may be, in the same unit. Default 0." },
    unit: { type: String, doc: "Unit of the number, shown beside the field." },
  },
  body: { type: String, required: true, doc: "Choices, or the explanation of the number." },
  run(data, vfile, ctx) {
    const { label, answer, tolerance = 0, unit = "" } = data.options ?? {};
    const question = { type: "predictQuestion", children: data.arg };
    const node = { type: "predict", ...target(label), children: [question] };
    if (answer === undefined) return [{ ...node, variant: "choice", children: [question, ...choiceNodes(data, vfile, ctx)] }];
    if (!Number.isFinite(answer) || !(tolerance >= 0)) {
      fail(vfile, data, `predict: answer (${answer}) and tolerance (${tolerance}) must be numbers, tolerance not negative`);
    }
    const reason = { type: "predictReason", children: ctx.parseMyst(data.body).children };
    return [{ ...node, variant: "number", answer, tolerance, unit, children: [question, reason] }];
  },
};

const checkpoint = {
  name: "checkpoint",
  doc: "A question; what follows a line `---` is its answer, folded.",
  options: { label: { type: String, doc: "Label for cross-references." } },
  body: { type: String, required: true, doc: "The question, a line `---`, the answer." },
  run(data, vfile, ctx) {
    const [question, answer] = data.body.split(/^---\s*$/m, 2);
    if (!question?.trim() || !answer?.trim()) {
      fail(vfile, data, "checkpoint needs a question, a line `---` and the answer below it");
    }
    const part = (type, text) => ({ type, children: ctx.parseMyst(text ?? "").children });
    const children = [part("checkpointQuestion", question), part("checkpointAnswer", answer)];
    return [{ type: "checkpoint", ...target(data.options?.label), children }];
  },
};

const syllabus = {
  name: "syllabus",
  doc: "The lectures of the course; the theme links those that are in the table of contents.",
  body: { type: String, required: true, doc: "Lines `folder | title | the one idea | lab folder`, the lab optional." },
  run(data, vfile, ctx) {
    const children = data.body.split("\n").filter((line) => line.trim()).map((line) => {
      const [folder, title, idea, lab = ""] = line.split("|").map((field) => field.trim());
      if (!idea) fail(vfile, data, `syllabus: expected \`folder | title | the one idea\`, got "${line}"`);
      return { type: "syllabusEntry", folder, lab, title, children: inline(ctx, idea ?? "") };
    });
    return [{ type: "syllabus", children }];
  },
};

export default { name: "From Waveform to Cloud", directives: [predict, checkpoint, syllabus] };
