// Predictions: the reader commits to an answer, then sees which was right and why. Nothing is stored.

const number = (text) => Number(text.replace(/[\s,\u202f\u00a0]/g, "").replace("\u2212", "-"));
const shown = (value) => value.toLocaleString("en", { maximumSignificantDigits: 6 });

/** Arm one prediction form. */
export function start(form) {
  const outcome = form.querySelector(".outcome");
  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const judged = form.dataset.variant === "choice" ? judgeChoice(form) : judgeNumber(form);
    const verdict = form.querySelector(".verdict");
    verdict.textContent = judged.words;
    if (judged.right === undefined) return;
    verdict.classList.add(judged.right ? "right" : "wrong");
    form.querySelectorAll("input").forEach((input) => (input.disabled = true));
    form.classList.add("committed");
    outcome.open = true;
    outcome.querySelector("summary").textContent = "Why";
  });
}

function judgeChoice(form) {
  const chosen = form.querySelector("input:checked");
  if (!chosen) return { words: "Choose one first: a guess that you commit to teaches more than an answer that you read." };
  const reasons = [...form.querySelectorAll(".outcome [data-right]")];
  form.querySelectorAll(".choices label").forEach((label, index) => {
    if (reasons[index].dataset.right === "true") label.classList.add("right");
    else if (label.contains(chosen)) label.classList.add("wrong");
  });
  const right = reasons[chosen.value].dataset.right === "true";
  return { right, words: right ? "Right." : "Not this one." };
}

function judgeNumber(form) {
  const field = form.querySelector(".number-field");
  const text = field.querySelector("input").value;
  const value = number(text);
  if (!text.trim() || !Number.isFinite(value)) return { words: "Type a number first, for example 250 or 1e3." };
  const { answer, tolerance, unit } = field.dataset;
  const right = Math.abs(value - Number(answer)) <= Number(tolerance);
  const said = `You said ${shown(value)} ${unit}`.trim();
  return { right, words: right ? `Right. ${said}.` : `${said}; it is ${shown(Number(answer))} ${unit}`.trim() + "." };
}
