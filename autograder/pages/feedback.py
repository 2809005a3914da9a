"""The pages that people read: a student's feedback, and for the instructor a page for each lab and one for the class.

A feedback page tells what was right and gives a hint for what was not; names and contents of hidden checks stay away,
and so do plots of what a check expected, which would hand out its inputs and answers. Names, code and error messages
come from people whom nobody vouches for: whatever is shown goes through an escaping template, no page runs a script.
"""

import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment

from autograder.pages.charts import segments
from autograder.pages.class_view import NOT_RUN, LabView, lab_view, mark, read_events
from autograder.pages.similarity import Similar, similar_in_class
from autograder.pages.theme import pages_environment, style_sheet, write_faces
from autograder.records.gradebook import ByHand
from autograder.result import Hint, Result, TaskResult, digest
from autograder.sandbox import Trusted
from course.storage import write_atomic

NOT_READ = Path("summary", "not-read.json")
LONGEST_NAME = 255  # bytes of a folder's name
NAME_SHOWN = 60  # characters
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
JOINERS = " \u200c\u200d"  # unprintable, and part of names and of emoji
MESSAGE = 200  # characters of an error's message that are shown


def feedback_page(result: Result, by_hand: Mapping[str, ByHand]) -> str:
    """The HTML page of a submission: what was right, a hint for what was not, and what a person added."""
    tasks = [(task.title, mark(task), task.score, task.max_score) for task in result.tasks]
    given = [entry.score for entry in by_hand.values() if entry.score is not None]
    return _rendered(
        "feedback.html",
        "../../../",
        result=result,
        segments=segments(tasks),
        by_hand=by_hand,
        given=sum(given) if given else None,
        manual_points=sum(question.max_score for question in result.manual),
        ran=result.status not in NOT_RUN,
        trusted=result.environment["sandbox"] == Trusted.name,
    )


def class_page(labs: Sequence[LabView], strangers: Sequence[str]) -> str:
    """The HTML page of a class: how each lab went, and who is stuck."""
    return _rendered("summary.html", "", labs=labs, strangers=strangers)


def lab_page(lab: LabView, similar: Similar | None) -> str:
    """The HTML page of a lab: scores, what people miss and how, who is stuck or was refused, and the time it took."""
    return _rendered("lab.html", "../", lab=lab, similar=similar)


def similar_page(lab: LabView, similar: Similar) -> str:
    """The HTML page of submissions that are alike, side by side."""
    return _rendered("similar.html", "../", lab=lab, similar=similar)


def write_class_pages(
    root: Path, results: Sequence[Result], by_hand: Mapping[str, Mapping[str, dict[str, ByHand]]], strangers: list[str]
) -> None:
    """Write the pages of a class that are new or changed.

    Args:
        root: the class folder.
        results: of all labs and students.
        by_hand: what persons entered, by lab, student and task or question.
        strangers: a sentence for each entry among the submissions that was not read.
    """
    write_faces(root)
    for result in results:
        page = feedback_page(result, by_hand.get(result.lab, {}).get(result.student, {}))
        write_if_changed(feedback_path(root, result), page)
    events = read_events(root / "ledger.jsonl")
    views = []
    for lab in sorted({result.lab for result in results}):
        own = [result for result in results if result.lab == lab]
        views.append(lab_view(own, events.get(lab, [])))
        similar = similar_in_class(root, lab, own)
        write_if_changed(root / "summary" / f"{lab}.html", lab_page(views[-1], similar))
        if similar:
            write_if_changed(root / "summary" / f"{lab}-similar.html", similar_page(views[-1], similar))
    write_if_changed(root / "summary.html", class_page(views, strangers))
    write_if_changed(root / NOT_READ, json.dumps(list(strangers), indent=1))


def feedback_path(root: Path, result: Result) -> Path:
    """The file of a student's feedback, always inside of the class's ``feedback`` folder."""
    return root / "feedback" / folder_name(result.student) / folder_name(result.lab) / f"{folder_name(result.lab)}.html"


def folder_name(name: str) -> str:
    """The name itself where it can be a folder's, as nbgrader has it; otherwise a harmless one of its own."""
    try:
        fits = len(os.fsencode(name)) <= LONGEST_NAME
    except UnicodeEncodeError:
        fits = False
    if fits and name.strip(".") and not {"/", "\0"} & set(name):
        return name
    letters = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name)
    return f"{letters[:40]}-{digest(name.encode(errors='replace'))[:12]}"


def address(student: str, lab: str) -> str:
    """The address of a feedback page, from the class folder."""
    folders = [quote(os.fsencode(folder_name(name)), safe="") for name in (student, lab)]
    return f"feedback/{folders[0]}/{folders[1]}/{folders[1]}.html"


def shown(name: str) -> str:
    """A name as pages show it: of a bearable length, and what turns the direction of writing made visible."""
    letters = [letter if letter.isprintable() or letter in JOINERS else REPLACEMENT for letter in name]
    return "".join(letters if len(letters) <= NAME_SHOWN else [*letters[: NAME_SHOWN - 1], "…"])


def stops(task: TaskResult) -> list[tuple[Hint, list[str]]]:
    """The exceptions of a task, each once with the student's lines, and the hints of the checks that it stopped."""
    found: dict[tuple[str, tuple[str, ...]], tuple[Hint, list[str]]] = {}
    for detail in task.details:
        if detail.error:
            found.setdefault((detail.error, detail.lines), (detail, []))[1].append(detail.text)
    return list(found.values())


def plain_hints(task: TaskResult) -> list[str]:
    """The hints of a task that no exception led to."""
    return list(dict.fromkeys(detail.text for detail in task.details if not detail.error))


@cache
def _templates() -> Environment:
    templates = pages_environment()
    templates.filters |= {
        "mark": mark,
        "stops": stops,
        "plain_hints": plain_hints,
        "shown": shown,
        "points": lambda score: f"{score:g}",
        "message": lambda text: text if len(text) <= MESSAGE else text[:MESSAGE] + " …",
    }
    templates.globals["address"] = address
    return templates


def _rendered(template: str, root: str, **values) -> str:
    return _templates().get_template(template).render(root=root, styles=style_sheet(root), **values)


def write_if_changed(path: Path, page: str) -> None:
    """Write a page, unless it is there already as it should be."""
    # A name that is no UTF-8 comes as half characters, which no page can hold.
    content = page.encode(errors="replace")
    if not path.exists() or path.read_bytes() != content:
        write_atomic(path, content)
