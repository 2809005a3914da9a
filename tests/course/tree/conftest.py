"""Pages with the tree in headless Chromium, and conversations with something of everything."""

from pathlib import Path

import pytest

from course.errors import CourseError
from course.site.checks.browser import LIGHT, chromium, find_chromium, opened
from course.tree.made_up import made_up
from course.tree.page import ADDRESS, mount, open_page
from course.tree.widget import module_text

BOOKS_HOST = Path(__file__).parents[3] / "book" / "theme" / "static" / "widgets.js"
SOUND = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0"


@pytest.fixture(scope="session", autouse=True)
def built():
    """The component; a missing one fails with the command that builds it."""
    return module_text()


@pytest.fixture(scope="module")
def browser():
    try:
        find_chromium()
    except CourseError as error:
        pytest.skip(str(error))
    with chromium() as found:
        yield found


@pytest.fixture
def visit(browser):
    """Opens the tree in a view; in the end nothing may have gone wrong in the page or been asked of another host."""
    tabs, problems = [], []

    def open_tree(conversation, view=LIGHT, **options):
        context = opened(browser, view)
        tab = context.__enter__()
        tabs.append(context)
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        tab.on("request", lambda request: request.url.startswith((ADDRESS, "data:")) or problems.append(request.url))
        open_page(tab, {"call.wav": ("audio/wav", SOUND), "widgets.js": ("text/javascript", BOOKS_HOST.read_bytes())})
        mount(tab, conversation, **options)
        return tab

    yield open_tree
    for context in tabs:
        context.__exit__(None, None, None)
    assert not problems


@pytest.fixture
def call():
    """Five turns: hello, two answers of which the second was chosen, and what followed each; every kind of mark."""
    nodes = [
        turn("hello", None, "caller", "Hello, I lost my card.", chosen=True, audio="call.wav"),
        turn("first", "hello", "agent", "Which card?", scores={"helpfulness": 0.25, "wer": 1.5}),
        turn("second", "hello", "agent", "I have blocked it.", chosen=True, model="model-b", seconds=1.25)
        | {"prompt_tokens": 31, "completion_tokens": 7},
        turn("debit", "first", "caller", "The debit card."),
        turn("thanks", "second", "caller", "Thank you.", chosen=True, status="error"),
    ]
    problems = [{"node": "debit", "kind": "clock", "message": "By its clock it is 3.0 s older than what it follows."}]
    return {"version": 1, "id": "call", "title": "A lost card", "nodes": nodes, "problems": problems}


def turn(name, parent, role, text, **more):
    return {"id": name, "parent": parent, "role": role, "text": text} | more


@pytest.fixture(scope="session")
def five_thousand():
    return made_up(5_000)
