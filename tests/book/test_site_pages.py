"""What the theme makes of every kind of node, read out of the built fixture."""

import io
import json
import re
import wave

import nbformat
import pytest

LECTURE = "lectures/01-tone"
SHOWN = [
    ("article em", "list"),
    ("article strong", "numbers"),
    ("article sub", "2"),
    ("article del", "gone"),
    ("article u", "under"),
    ('abbr[title="discrete Fourier transform"]', "DFT"),
    ("article kbd", "Ctrl"),
    ("p > code", "samples"),
    ("h2#sampling .number", "1"),
    ('a[href="#sampling"]', "Lab"),
    (".footnotes #fn-why", "Because a converter measured it."),
    ('a.cite[href="#cite-shannon1949"]', "Shannon (1949)"),
    (".references #cite-oppenheim2010", "Discrete-Time Signal Processing"),
    ("#eq-tone .number", "(1)"),
    ('a.ref[href="#eq-tone"]', "(1)"),
    (".cell .code .kn", "import"),
    (".outputs .printed", "80"),
    (".value", "80"),
    (".outputs .loud", "IndexError"),
    ("#predict-alias legend", "A 7 kHz tone is sampled at 8 kHz"),
    ("#predict-alias .outcome [data-right=true]", "The alias lies at"),
    ("#predict-count .outcome", "8,000 samples"),
    (".checkpoint details", "Half of it, 4 kHz"),
    ("#ex-one .title", "Exercise 1 one minute"),
    ("details.solution summary", "Solution to Exercise 1"),
    ("#fig-tone figcaption", "Figure 1: A drawn sine"),
    ("#fig-tone .legend", "The line below zero"),
    ("#tab-rates td.align-right", "8000"),
    ("aside.box.note", "A note."),
    ("aside.box.warning .title", "Mind"),
    ("details.box.tip", "A folded tip."),
    ("details.box", "Folded text."),
    ("[role=tab][aria-selected=true]", "One"),
    ("ol > li > ul > li", "nested"),
    ("ul.tasks li", "open"),
    ("dl dt", "Term"),
    ("blockquote", "Quoted."),
    ("#code-shell figcaption", "A caption"),
    ("#code-shell .line.strong", "make course"),
    ("aside.box.aside", "An aside."),
    (".widget noscript", "needs JavaScript"),
]


@pytest.mark.parametrize(("selector", "words"), SHOWN)
def test_every_kind_of_node_is_on_the_page(kit, selector, words):
    found = kit.page(LECTURE).select(selector)
    texts = [re.sub(r"\s+", " ", element.get_text().replace("\xa0", " ")) for element in found]
    assert any(words in text for text in texts), texts


def test_fixture_covers_every_node_type_that_the_theme_declares(kit, theme):
    seen = set()
    for path in (kit.root / "build" / "site-source" / "_build" / "site" / "content").glob("*.json"):
        pending = [json.loads(path.read_text())["mdast"]]
        while pending:
            node = pending.pop()
            seen.add(node["type"])
            pending += node.get("children", [])
    assert set(theme.RENDERERS) - seen == set()


def test_formulas_are_mathml_without_the_tex_that_would_be_read_aloud(kit):
    formula = kit.page(LECTURE).select_one("#eq-tone math")
    assert formula["display"] == "block"
    assert "sin" in formula.get_text()
    assert not formula.select("annotation")


def test_what_authors_hide_is_hidden(kit):
    html = (kit.site / LECTURE / "index.html").read_text()
    assert "hidden = 1" not in html
    assert "Speaker note" not in html
    assert "A remark for authors" not in html
    assert "class Player" not in html, "remove-input"
    folded = [details for details in kit.page(LECTURE).select("details.fold") if "class Described" in details.text]
    assert len(folded) == 1, "hide-input"


def test_figures_have_words_a_size_and_a_dark_twin(kit):
    light, dark = kit.page(LECTURE).select('img[alt^="One period"]')
    assert (light["width"], light["height"]) == ("533", "160"), "400 by 120 pt in CSS pixels"
    drawings = [(kit.site / LECTURE / image["src"]).resolve().read_text() for image in (light, dark)]
    assert "#1f2933" in drawings[0] and "#d5dbe1" in drawings[0]
    assert drawings[1] == drawings[0].replace("#1f2933", "#e6e9ef").replace("#d5dbe1", "#3a4452")
    assert all(image.get("alt") and image["loading"] == "lazy" for image in kit.page(LECTURE).select("img"))


def test_sound_is_a_file_and_its_length_is_known(kit):
    player = kit.page(LECTURE).select_one("figure.player")
    sound = (kit.site / LECTURE / player.audio["src"]).resolve().read_bytes()
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getnframes(), file.getframerate()) == (4000, 8000)
    assert float(player["data-seconds"]) == pytest.approx(0.5)
    assert "data:" not in (kit.site / LECTURE / "index.html").read_text()


def test_headings_number_the_contents_and_link_to_themselves(kit):
    page = kit.page(LECTURE)
    outline = page.select_one("nav.contents")
    assert [link["href"] for link in outline.select("a")] == [
        "#" + heading["id"] for heading in page.select("article > h2[id], article > h3[id]")
    ]
    assert outline.select_one("a").get_text() == "1 Sampling"


def test_pages_know_their_place_in_the_course(kit):
    page = kit.page(LECTURE)
    current = page.select('nav.book [aria-current="page"]')
    assert [link.get_text() for link in current] == ["1. A tone, in numbers"]
    assert page.select_one(".around [rel=prev]")["href"] == "../../"
    assert page.select_one(".around [rel=next]")["href"] == "../../lectures/02-peaks/"
    assert page.select_one(".kicker").get_text() == "Lecture 1"


def test_landing_page_links_what_exists_and_marks_what_is_planned(kit):
    ready, planned = kit.page("").select(".syllabus li")
    assert [link["href"] for link in ready.select("a")] == ["lectures/01-tone/", "labs/lab01-tone/"]
    assert "planned" in planned.get_text() and not planned.select("a")
    assert kit.page("").select_one('a.ref[href="lectures/01-tone/#sampling"]')


def test_lab_page_is_the_release_and_nothing_more(kit):
    page = kit.page("labs/lab01-tone")
    source = (kit.root / "labs" / "lab01-tone" / "lab.md").read_text()
    solution = re.search(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", source, re.S)[1].strip()
    assert "NotImplementedError" in page.get_text()
    staged = [path for path in (kit.root / "build" / "site-source").rglob("*") if path.is_file()]
    published = [path for path in kit.site.rglob("*") if path.is_file()]
    for path in (*staged, *published):
        content = path.read_bytes()
        assert solution.encode() not in content, path
        assert b"BEGIN SOLUTION" not in content, path
    assert not [path for path in staged if path.name in ("checks.py", "instructor.md") or "wrong" in path.parts]


def test_lab_page_runs_its_cells_and_gives_no_verdict_on_unsolved_tasks(kit):
    page = kit.page("labs/lab01-tone")
    checks = [cell for cell in page.select(".cell") if "with check(" in cell.get_text()]
    assert checks and all([child["class"] for child in cell.find_all(recursive=False)] == [["code"]] for cell in checks)
    folds = {summary.get_text() for summary in page.select("details.fold summary")}
    assert "Code that prepares the lab" in folds
    assert any(fold.startswith("Fallback") for fold in folds)


@pytest.mark.parametrize("page", ["lectures/01-tone", "lectures/02-peaks", "labs/lab01-tone"])
def test_every_lecture_and_lab_can_be_downloaded_as_a_valid_notebook(kit, page):
    name = page.split("/")[1] + ".ipynb"
    assert kit.page(page).select_one(f'.actions a[download][href="{name}"]')
    notebook = nbformat.read(kit.site / page / name, as_version=4)
    nbformat.validate(notebook)
    assert any(cell.cell_type == "code" for cell in notebook.cells)


def test_no_page_script_or_style_asks_another_host_for_anything(kit):
    for path in kit.site.rglob("*.html"):
        page = kit.page(path.parent.relative_to(kit.site))
        asked = page.select("[src], link[href], [srcset], [poster], object[data], form[action]")
        addresses = [element.get(name) for element in asked for name in ("src", "href", "srcset", "poster", "action")]
        assert not [address for address in addresses if address and re.match(r"([a-z]+:)?//", address)], path
    for path in kit.site.glob("files/*.css"):
        assert not re.search(r"url\(['\"]?([a-z]+:)?//|@import", path.read_text()), path


def test_addresses_are_relative_and_lead_to_files(kit):
    """Hence the site works under any path and from any plain file server."""
    for path in kit.site.rglob("*.html"):
        for element in kit.page(path.parent.relative_to(kit.site)).select("[href], [src]"):
            address = (element.get("href") or element["src"]).split("#")[0]
            if not address or re.match(r"[a-z]+:", address):
                continue
            assert not address.startswith("/"), f"{path}: {address}"
            target = (path.parent / address).resolve()
            assert (target / "index.html").is_file() if target.is_dir() else target.is_file(), f"{path}: {address}"


def test_search_index_has_a_record_for_each_section_and_nothing_hidden(kit):
    records = json.loads((kit.site / "search.json").read_text())
    sections = {record["id"]: record for record in records}
    assert "Equation (1) says it" in sections["lectures/01-tone/#sampling"]["text"]
    assert len(sections) == len(records), "ids are unique"
    text = json.dumps(records)
    assert "Speaker note" not in text
    assert "The alias lies at" not in text, "answers to predictions are not found by searching"
    assert "Half of it, 4 kHz" not in text, "nor are answers to checkpoints"


def test_every_page_names_its_version(kit):
    assert all(
        re.search(r"Tiny Course, version \d", page.select_one("footer.bottom").get_text())
        for page in map(kit.page, ("", LECTURE, "labs/lab01-tone"))
    )


def test_an_empty_corner_of_a_table_is_no_heading(theme):
    page = theme.Page("page.md", "", None)

    def cell(*children):
        return page.render({"type": "tableCell", "header": True, "children": list(children)}).strip()

    assert cell() == "<td></td>"
    assert cell({"type": "text", "value": "Rate"}) == '<th scope="col">Rate</th>'
