"""What the engine and the theme complain about, put in the author's terms: file, line, sentence, what to do."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from course.errors import CourseError, SourceError
from course.site.lines import LineMap
from course.site.stage import CONFIG, Staging

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
ISSUE = re.compile(
    r"^(?:⛔|⚠)\ufe0f?\s+(?:(?P<path>[\w./-]+\.\w+)(?:\#[\w.]+)?(?::(?P<line>\d+)(?::\d+)?)?:?\s+)?(?P<message>.*)$"
)
THEME = re.compile(r"^(?P<path>[\w./-]+\.\w+):(?:(?P<line>\d+)|cell (?P<cell>\d+)): (?P<message>.*)$")
NEWS = re.compile(r"^(?:📖|💿|💾|📚|🪐|🚀|🌎|🔌|📦|✨|Site has |\s+http|Starting WebSocket)")
# After the last page the engine repeats everything, indented, under the page's name.
REPEATED = re.compile(r"^  - (?:⛔|⚠)")
CELL_LINE = re.compile(r"Cell In\[(\d+)\], line (\d+)")
CODE_CELL = re.compile(r"^(?P<fence>`{3,}|:{3,})\{code-cell\}")
QUOTED = re.compile(r"[\"<]#?([^\">]+)[\">]|not found: (\S+)")
UNKNOWN = re.compile(r"(?:the theme (?:does not know|has no)|no highlighter) .*?'(\w+)'")
ADVICE = {
    "unknown directive": "correct its name, or write it another way",
    "unknown role": "correct its name, or write it another way",
    "unexpected option": "correct its name, or leave it out",
    "Duplicate identifier": "give one of the two another label",
    "Duplicate label": "give one of the two another label",
    "No target for internal reference": "correct the label, or give the target that label",
    "Cross reference target was not found": "correct the label, or give the target that label",
    "Could not link citation": "correct the key, or add the work to book/references.bib",
    "Cannot find image": "correct the path, or add the file beside the page",
}


@dataclass
class Issue:
    """A complaint in the staged project's terms.

    ``cell`` is the number of the executed cell that it is about, where no line is known; ``details`` are the lines
    that followed it, a traceback for instance.
    """

    path: str | None
    line: int | None
    message: str
    cell: int | None = None
    details: list[str] = field(default_factory=list)


def read_issues(log: list[str]) -> list[Issue]:
    """All complaints in a build's output, each once, in the order in which they came."""
    issues: dict[tuple, Issue] = {}
    for issue in _issues([ESCAPES.sub("", line.rstrip("\n")) for line in log]):
        issues.setdefault((issue.path, issue.line, issue.message), issue)
    return list(issues.values())


def _issues(log: list[str]) -> Iterator[Issue]:
    current = None
    for line in log:
        if REPEATED.match(line):
            break
        match = ISSUE.match(line) or THEME.match(line)
        if match or NEWS.match(line):
            if current:
                yield current
            current = None
        if match:
            found = match.groupdict()
            line, cell = (int(found[name]) if found.get(name) else None for name in ("line", "cell"))
            current = Issue(found["path"], line, found["message"].strip(), cell)
        elif current:
            current.details.append(line)
    if current:
        yield current


def told(issues: list[Issue], staging: Staging) -> CourseError:
    """One error that names every complaint at the place where its author can mend it."""
    lines = [str(_source_error(issue, staging)) for issue in issues if not _follows(issue, issues)]
    return CourseError("The site was not built:\n" + "\n".join(dict.fromkeys(lines)))


def _follows(issue: Issue, issues: list[Issue]) -> bool:
    """Whether it only follows from another complaint: a reference without target also has no text."""
    return "text is empty" in issue.message and any(
        "target" in other.message and other.path == issue.path for other in issues
    )


def _source_error(issue: Issue, staging: Staging) -> CourseError:
    page = staging.pages.get(issue.path or "")
    if page is None:
        if issue.path in ("myst.yml", CONFIG):
            return SourceError(staging.root / CONFIG, None, _with_advice(issue.message))
        return CourseError(" ".join([*filter(None, [issue.path]), issue.message, *issue.details]).strip())
    text = (staging.folder / page.source).read_text()
    if raised := _raised(issue, text):
        staged, message = raised
    elif issue.cell:
        staged, message = _cell_line(text, issue.cell, 1), issue.message
    elif unknown := UNKNOWN.match(issue.message):
        staged, message = _from(issue.line, unknown[1], text), issue.message
    else:
        staged, message = issue.line or _place(issue.message, text), _with_advice(issue.message)
    return SourceError(page.origin, _source_line(page.lines, staged), message)


def _source_line(lines: LineMap, staged: int | None) -> int | None:
    return lines.source_line(staged) if staged else None


def _with_advice(message: str) -> str:
    message = message.rstrip(".")
    advice = next((advice for start, advice in ADVICE.items() if message.startswith(start)), None)
    return f"{message}; {advice}" if advice else message


def _place(message: str, text: str) -> int | None:
    """The line that a complaint without one is about: the last that contains what it quotes."""
    quoted = QUOTED.search(message)
    wanted = quoted and (quoted[1] or quoted[2])
    found = [number for number, line in enumerate(text.splitlines(), 1) if wanted and wanted in line]
    return found[-1] if found else None


def _from(line: int | None, word: str, text: str) -> int | None:
    """The first line from ``line`` on that has the word: the engine does not tell where every kind of node begins."""
    lines = text.splitlines()
    found = (number for number in range(line or 1, len(lines) + 1) if word in lines[number - 1])
    return next(found, line)


def _raised(issue: Issue, text: str) -> tuple[int | None, str] | None:
    """Staged line and sentence for a cell that raised; None if the complaint is about something else."""
    if not issue.message.startswith("An exception occurred"):
        return None
    said = [line for line in issue.details if line.strip()]
    exception = said[-1].strip() if said else "an exception"
    found = next((match for line in said if (match := CELL_LINE.search(line))), None)
    line = _cell_line(text, int(found[1]), int(found[2])) if found else _expression_line(text)
    return line, f"this code raised {exception}; correct it, or tag the cell raises-exception if that is what it shows"


def _cell_line(text: str, number: int, line: int) -> int | None:
    """The staged line of line ``line`` in the ``number``-th executed code cell."""
    lines, seen = text.splitlines(), 0
    for index, opening in enumerate(lines):
        fence = CODE_CELL.match(opening)
        if not fence:
            continue
        start, skipped = _cell_start(lines, index + 1)
        seen += not skipped
        if seen == number:
            return start + line
    return None


def _cell_start(lines: list[str], index: int) -> tuple[int, bool]:
    """Number of lines before the first line of code, and whether the cell's tags keep it from being executed."""
    first = index
    if lines[index].strip() == "---":
        index = next(place for place in range(index + 1, len(lines)) if lines[place].strip() == "---") + 1
    while lines[index].startswith(":"):
        index += 1
    skipped = "skip-execution" in "\n".join(lines[first:index])
    while not lines[index].strip():
        index += 1
    return index, skipped


def _expression_line(text: str) -> int | None:
    """The line of the first inline value, where an inline value raised and the engine does not say which."""
    return next((number for number, line in enumerate(text.splitlines(), 1) if "{eval}`" in line), None)
