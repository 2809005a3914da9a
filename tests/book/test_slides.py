"""The slides of a lecture: what is shown and what is said, and that the deck works in a browser without a network."""

import re
import shutil
from html import escape
from pathlib import Path

import pytest

from course.errors import CourseError
from course.site.checks.browser import LIGHT, chromium, find_chromium, opened, settle
from course.site.checks.hosting import hosted
from course.site.slides import Deck, has_slides, write_deck

THEME = Path(__file__).parents[2] / "book/theme"
SITE = {"title": "From Waveform to Cloud"}


class PlainPage:
    """A renderer of the few node types that these tests use."""

    url = "lectures/one/slides/"
    root = "../../../"

    def render(self, node: dict) -> str:
        inner = "".join(self.render(child) for child in node.get("children", []))
        match node["type"]:
            case "text":
                return escape(node["value"])
            case "code":
                return f'<div class="code"><pre>{escape(node["value"])}</pre></div>'
            case "outputs":
                return f'<div class="outputs">{node["html"]}</div>'
            case "predict":
                return f'<form class="box predict">{inner}</form>'
            case "checkpoint":
                return f'<section class="box checkpoint" aria-label="Checkpoint">{inner}</section>'
            case "link":
                return f'<a href="{node["url"]}">{inner}</a>'
            case "heading":
                return f"<h2>{inner}</h2>"
        return f"<{node.get('tag', 'p')}>{inner}</{node.get('tag', 'p')}>"


def text(value: str) -> dict:
    return {"type": "text", "value": value}


def paragraph(value: str, lead: str = "") -> dict:
    strong = [{"type": "strong", "tag": "b", "children": [text(lead)]}] if lead else []
    return {"type": "paragraph", "children": [*strong, text(value)]}


def heading(value: str) -> dict:
    return {"type": "heading", "depth": 2, "children": [text(value)]}


def block(*children, slide: str | None = None, **fields) -> dict:
    data = {"slideshow": {"slide_type": slide}} if slide else {}
    return {"type": "block", "children": list(children), "data": data, **fields}


def cell(code: str, output: str = "") -> dict:
    return block({"type": "code", "value": code}, {"type": "outputs", "html": output}, kind="notebook-code")


def frames(*blocks) -> list[list]:
    deck = Deck(PlainPage())
    for entry in blocks:
        deck.add_block(entry)
    return list(deck.finished())


def shown(frame) -> str:
    return frame.title + frame.body


def test_a_section_is_a_stack_and_prose_is_said():
    (stack,) = frames(
        block(heading("One"), paragraph(" Why?", lead="Question."), paragraph("Much to say."), slide="slide"),
        block(paragraph("Time: 5 minutes."), slide="notes"),
    )
    (frame,) = stack
    assert frame.title == "One" and "Why?" in frame.body and "Much to say." not in frame.body
    assert frame.notes == "<p>Time: 5 minutes.</p>\n<p>Much to say.</p>"


def test_notes_of_a_section_stand_on_its_first_slide():
    first, second = frames(
        block(heading("One"), slide="slide"),
        block(paragraph(" So.", lead="Explain."), slide="slide"),
        block(paragraph("Ask first."), slide="notes"),
        block(heading("Two"), slide="slide"),
    )
    assert "Ask first." in first[0].notes and "Ask first." not in first[1].notes
    assert len(first) == 2 and second[0].title == "Two" and first[1].name == "One"


def test_answer_never_stands_under_a_prediction():
    (stack,) = frames(
        block(heading("One"), {"type": "predict", "children": [text("How loud?")]}, slide="slide"),
        cell("print(6)", "<pre>6</pre>"),
    )
    assert "How loud?" in shown(stack[0]) and "print(6)" not in shown(stack[0]) and "print(6)" in shown(stack[1])


def test_code_stands_beside_its_figure_and_long_slides_are_split():
    long = "\n".join(f"x{i} = {i}" for i in range(12))
    (stack,) = frames(
        block(heading("One"), slide="slide"), cell(long), cell("plot()", '<img alt="A">'), cell(long, "<pre>1</pre>")
    )
    assert len(stack) == 3
    assert '<div class="cell beside">' in stack[1].body and "beside" not in stack[0].body + stack[2].body


def test_sentence_that_introduces_a_result_goes_with_it():
    long = "\n".join(f"x{i} = {i}" for i in range(16))
    (stack,) = frames(
        block(heading("One"), slide="slide"), cell(long), block(paragraph(" See:", lead="Compare.")), cell(long)
    )
    assert "See:" not in stack[0].body and "See:" in stack[1].body and "x15" in stack[1].body


def test_skipped_and_removed_blocks_are_neither_shown_nor_said():
    (stack,) = frames(
        block(heading("One"), slide="slide"),
        block(paragraph(" no", lead="Hidden"), slide="skip"),
        block(paragraph(" no", lead="Hidden"), visibility="remove"),
    )
    assert "Hidden" not in shown(stack[0]) + stack[0].notes


def test_section_of_prose_alone_is_shown():
    (stack,) = frames(block(heading("Summary"), paragraph("Samples are numbers."), slide="slide"))
    assert "Samples are numbers." in stack[0].body and not stack[0].notes


def test_fragment_comes_one_by_one():
    (stack,) = frames(block(heading("One"), slide="slide"), block(paragraph(" later", lead="Then"), slide="fragment"))
    assert '<div class="fragment"><div class="lead-part">' in stack[0].body


def test_box_of_the_page_is_no_slide_of_its_own():
    (stack,) = frames(block(heading("One"), {"type": "checkpoint", "children": [text("Why?")]}, slide="slide"))
    assert "<section" not in stack[0].body and '<div role="group" class="box checkpoint"' in stack[0].body


def test_only_marked_pages_have_slides():
    assert has_slides({"children": [block(slide="slide")]})
    assert not has_slides({"children": [block(), block(slide="notes")]})


def test_missing_reveal_says_how_to_install_it(tmp_path):
    (tmp_path / "theme/slides").mkdir(parents=True)
    (tmp_path / "theme/slides/deck.html").write_text("")
    with pytest.raises(CourseError, match="npm ci"):
        write_deck({"children": []}, PlainPage(), tmp_path, tmp_path / "theme", title="", subtitle="", site=SITE)


@pytest.fixture
def site(tmp_path) -> Path:
    """A site with a deck of five slides and the theme's styles."""
    tall = block({"type": "code", "value": "\n".join("tall" for _ in range(34))}, kind="notebook-code")
    tree = {
        "children": [
            block(heading("One"), paragraph(" Why?", lead="Question."), slide="slide"),
            block(paragraph("Secret timing."), slide="notes"),
            cell("print(1)", "<pre>1</pre>"),
            tall,
            block(heading("Two"), {"type": "link", "url": "#cite-x", "children": [text("X")]}, slide="slide"),
        ]
    }
    out = tmp_path / "site"
    write_deck(tree, PlainPage(), out, THEME, title="Sound", subtitle="Numbers", site=SITE)
    shutil.copytree(THEME / "static", out / "files", dirs_exist_ok=True)
    for font in re.findall(r'url\("([^"]+\.woff2)"\)', (THEME / "static/site.css").read_text()):
        (out / "files" / font).touch()  # the site's renderer takes fonts from a package, the deck needs none
    (out / "lectures/one/index.html").write_text("<!doctype html><title>One</title>")
    return out


@pytest.fixture(scope="module")
def browser():
    try:
        find_chromium()
    except CourseError as error:
        pytest.skip(str(error))
    with chromium() as browser:
        yield browser


def test_deck_in_the_browser(site, browser):
    """Keys turn the slides, what is too tall shrinks, nothing fails and nothing leaves the machine."""
    seen, faults = [], []
    with hosted(site) as address, opened(browser, LIGHT) as tab:
        tab.on("request", lambda request: faults.append(request.url) if not request.url.startswith(address) else None)
        tab.on("response", lambda response: faults.append(response.url) if response.status >= 400 else None)
        tab.on("pageerror", lambda error: faults.append(error.message))
        tab.goto(address + "lectures/one/slides/")
        tab.wait_for_selector(".reveal.ready")
        for _ in range(4):
            seen.append(tab.text_content("section.present > section.present :is(h1, h2, pre)"))
            tab.keyboard.press("ArrowRight")
        assert [words.split()[0] for words in seen] == ["Sound", "One", "tall", "Two"]
        tab.keyboard.press("ArrowLeft")
        tab.wait_for_function("document.querySelector('section.present > section.present .scaled').style.zoom < 1")
        sheet = "document.querySelector('section.present > section.present .sheet')"
        assert tab.evaluate(f"{sheet}.scrollHeight <= {sheet}.clientHeight + 1")
        notes = tab.query_selector_all("aside.notes")
        assert ["Secret timing." in note.text_content() for note in notes] == [True]
        assert not tab.is_visible("aside.notes")
        assert tab.get_attribute("text=X", "href") == "../#cite-x"
        settle(tab)
    assert faults == []


def test_speaker_view_opens_with_the_notes(site, browser):
    with hosted(site) as address, opened(browser, LIGHT) as tab:
        tab.goto(address + "lectures/one/slides/#/1")
        tab.wait_for_selector(".reveal.ready")
        with tab.expect_popup() as speaker:
            tab.keyboard.press("s")
        speaker.value.wait_for_function("document.body.innerText.includes('Secret timing.')")


def test_deck_prints_a_page_per_slide(site, browser):
    with hosted(site) as address, opened(browser, LIGHT) as tab:
        tab.goto(address + "lectures/one/slides/?print-pdf")
        tab.wait_for_selector(".pdf-page")
        assert len(tab.query_selector_all(".pdf-page")) == 4
        pages = tab.pdf(prefer_css_page_size=True)
    assert pages.count(b"/Type /Page\n") == 4
