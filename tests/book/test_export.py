"""The exported notebook is valid, runs, and shows in plain Markdown everything that the page has."""

import json
from pathlib import Path

import nbformat
import pytest
from markdown_it import MarkdownIt
from nbclient import NotebookClient

from course.errors import SourceError
from course.site.bibliography import read_bibliography
from course.site.export import export_notebook, inline_values
from course.site.lint import DIRECTIVES, ROLES
from course.site.source import read_source

PAGE = """---
title: Sound as numbers
description: What sampling keeps.
kernelspec: {display_name: Python 3, language: python, name: python3}
---

Opening words{cite:p}`shannon,nyquist` after {cite:t}`three`.[^why] A `{cite:p}` in code stays, as does $a_{eval}$.

:::{figure} tone.svg
:label: fig-tone
:alt: A tone: dots
The tone of {eq}`eq-one`.
:::

```{math}
:label: eq-one
x[n] = n
```

[^why]: A reason.

```{code-cell} python
:label: cell
:tags: [remove-cell]
rate = 8000
```

+++ {"slideshow": {"slide_type": "notes"}}

Secret timing: five minutes.

+++

% A comment for authors.

(start)=
## Questions

```{predict} What do you *hear*?
:label: predict
- [ ] 7 kHz :: No, the samples
  cannot.
- [x] 1 kHz :: It folds, by {eq}`eq-one`.
```

```{predict} How many samples?
:answer: 8000
:tolerance: 1
:unit: Hz
One second of them.
```

:::{checkpoint} Where does `f` fold?

---

To {eval}`f"{rate / 2:.0f}"` and {eval}`rate`.
:::

````{warning}
Loud.

```{exercise} One minute
:label: ex
Fold 6 kHz, {numref}`Fig. %s <fig-tone>`, {ref}`start`, [](#ex), [](#fig-tone), [the lab](../lab.md), [out](https://example.org).
```
````

```{solution} ex
2 kHz.
```

:::{list-table} Rates
:label: tab
* - line
  - rate
* - telephone
  - {eval}`rate`
:::

::::{tab-set}
:::{tab-item} Python
`rate`
:::
::::

```{dropdown} More
{abbr}`FFT (fast transform)`, H{sub}`2`O, {kbd}`Enter`, {math}`x^2`
```

```{anywidget} ../../book/widgets/spectrum.mjs
{}
```

- item

  ```python
  kept = 1
  ```

```{code-cell} python
assert rate == 8000
```
"""

BIBLIOGRAPHY = r"""% comment
@article{shannon, author = {Shannon, Claude E.}, title = {Communication in the {Presence} of Noise}, year = 1949,
  journal = "Proceedings of the IRE", doi = {10.1/x}}
@book{nyquist, author = {Harry Nyquist and J. B. Johnson}, title = {Telegraph}, year = {1928},
  publisher = {Bell \& Co.},}
@misc{three, author = {M{\"u}ller, A. and {Digium, Inc.} and \'Alvarez, C.}, title = {Three}, year = {2001}}
"""


@pytest.fixture
def kit(tmp_path, monkeypatch) -> Path:
    """A kit with one page, its figure and a bibliography; ``course.kit.root`` points at it."""
    for room in ("notebooks/01-sound", "book", "labs"):
        (tmp_path / room).mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "book/references.bib").write_text(BIBLIOGRAPHY)
    (tmp_path / "notebooks/01-sound/tone.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (tmp_path / "notebooks/01-sound/lecture.md").write_text(PAGE)
    monkeypatch.setenv("COURSE_ROOT", str(tmp_path))
    return tmp_path


def export(kit: Path, **options) -> nbformat.NotebookNode:
    target = kit / "build/lecture.ipynb"
    export_notebook(kit / "notebooks/01-sound/lecture.md", target, **options)
    return nbformat.read(target, as_version=4)


def text_of(notebook) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_notebook_is_valid_and_its_bytes_repeat(kit):
    notebook = export(kit)
    nbformat.validate(notebook)
    first = (kit / "build/lecture.ipynb").read_bytes()
    export(kit)
    assert (kit / "build/lecture.ipynb").read_bytes() == first
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert notebook.metadata.kernelspec.name == "python3"
    assert all(not cell.outputs and cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")


def test_nothing_of_myst_is_left(kit):
    """An independent CommonMark parser sees neither directive nor role nor target outside code and formulas."""
    notebook = export(kit)
    for token in MarkdownIt("commonmark").enable("table").parse(text_of(notebook)):
        assert not (token.type == "fence" and token.info.startswith("{"))
        for child in token.children or []:
            if child.type == "text":
                plain = child.content.replace("$a_{eval}$", "")
                assert "{" not in plain or "$" in plain or "tag" in plain, child.content
                assert ":::" not in plain and ")=" not in plain


def test_text_shows_every_element(kit):
    text = text_of(export(kit))
    assert text.startswith("# Sound as numbers\n\nWhat sampling keeps.")
    for expected in (
        "words(Shannon, 1949; Nyquist and Johnson, 1928) after Müller et al. (2001).<sup>1</sup>",
        "A `{cite:p}` in code stays, as does $a_{eval}$",
        "![A tone: dots](attachment:tone.svg)\n\n*Figure 1.* The tone of (1).",
        "$$\nx[n] = n \\tag{1}\n$$",
        "<sup>1</sup> A reason.",
        "> What do you *hear*?\n>\n> - 7 kHz\n> - 1 kHz",
        "- “7 kHz”: wrong. No, the samples cannot.",
        "- “1 kHz”: **right.** It folds, by (1).",
        "**8000 ± 1 Hz.** One second of them.",
        "> Where does `f` fold?",
        "To `rate / 2` and `rate`.",
        "> **Warning**\n>\n> Loud.",
        "> **Exercise 1 (One minute).**\n>\n> Fold 6 kHz, Fig. 1, “Questions”, Exercise 1, Figure 1, the lab, "
        "[out](https://example.org).",
        "<details><summary>Solution to Exercise 1</summary>\n\n2 kHz.\n\n</details>",
        "**Table 1.** Rates\n\n| line | rate |\n| --- | --- |\n| telephone | `rate` |",
        "**Python**\n\n`rate`",
        "<details><summary>More</summary>\n\nFFT, H<sub>2</sub>O, <kbd>Enter</kbd>, $x^2$",
        "the course page “Sound as numbers” has an interactive widget",
        "```python\n  kept = 1\n  ```",
        "## References\n\n- Müller, Digium, Inc., Álvarez (2001). *Three*.",
        "- Nyquist, Johnson (1928). *Telegraph*. Bell & Co.\n",
        "- Shannon (1949). *Communication in the Presence of Noise*. Proceedings of the IRE. https://doi.org/10.1/x",
    ):
        assert expected in text, f"{expected}\n---\n{text}"
    for gone in ("Secret timing", "comment for authors", "(start)=", ":label:"):
        assert gone not in text


def test_figure_travels_as_attachment(kit):
    cell = next(cell for cell in export(kit).cells if "attachment:" in cell.source)
    assert list(cell.attachments) == ["tone.svg"] and list(cell.attachments["tone.svg"]) == ["image/svg+xml"]


def test_values_of_the_build_replace_expressions(kit):
    result = {"status": "ok", "data": {"text/plain": "'4000'"}}
    node = {"type": "inlineExpression", "value": 'f"{rate / 2:.0f}"', "result": result}
    tree = {"type": "root", "children": [{"type": "paragraph", "children": [node]}]}
    assert inline_values(tree) == {'f"{rate / 2:.0f}"': "4000"}
    assert "To 4000 and `rate`." in text_of(export(kit, values=inline_values(tree)))


def test_exported_page_runs_and_folds_hidden_code(kit):
    notebook = export(kit)
    hidden = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert hidden.metadata == {"jupyter": {"source_hidden": True}}
    NotebookClient(notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(kit)}}).execute()
    assert [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"] == [1, 2]


FAULTS = {
    "unknown directive": ("{warning}", "{warming}", "{warming} cannot be written"),
    "unknown role": ("{kbd}", "{kbt}", "{kbt} cannot be written"),
    "unknown citation": ("nyquist`", "nyquits`", "key nyquits"),
    "unknown label": ("{ref}`start`", "{ref}`stert`", "label stert"),
    "missing figure": ("{figure} tone.svg", "{figure} tune.svg", "no file tune.svg"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_has_no_plain_form_is_refused_with_its_line(kit, fault):
    old, new, words = FAULTS[fault]
    page = kit / "notebooks/01-sound/lecture.md"
    page.write_text(PAGE.replace(old, new, 1))
    line = PAGE[: PAGE.index(old)].count("\n") + 1
    with pytest.raises(SourceError, match=words.replace("{", r"\{")) as caught:
        export(kit)
    assert caught.value.path == page and abs(caught.value.line - line) <= 1
    assert not (kit / "build/lecture.ipynb").exists()


def test_every_directive_and_role_that_lint_allows_has_a_plain_form():
    from course.site import plain

    only_at_the_top = {"code-cell", "syllabus"}
    assert set(plain.DIRECTIVES) == DIRECTIVES - only_at_the_top
    assert set(plain.CITATIONS) | set(plain.TAGS) <= ROLES


def test_broken_bibliography_is_named_with_its_line(tmp_path):
    file = tmp_path / "references.bib"
    file.write_text("@book{a, title = {One}}\n@book{b, title {Two}}\n")
    with pytest.raises(SourceError, match="BibTeX") as caught:
        read_bibliography(file)
    assert caught.value.line == 2


def lectures() -> list[Path]:
    return sorted((Path(__file__).parents[2] / "notebooks").glob("*/lecture.md"))


@pytest.mark.parametrize("lecture", lectures(), ids=lambda path: path.parent.name)
def test_lecture_keeps_every_code_cell_in_a_plain_notebook(lecture, tmp_path):
    """That these cells run in a folder of their own, `test_lectures` shows: a lecture takes a minute."""
    target = tmp_path / "lecture.ipynb"
    export_notebook(lecture, target)
    notebook = nbformat.read(target, as_version=4)
    nbformat.validate(notebook)
    source = read_source(lecture)
    kept = [cell.text for cell in source.cells if cell.kind == "code" and cell.slide != "notes"]
    assert [cell.source for cell in notebook.cells if cell.cell_type == "code"] == kept
    assert "{cite" not in text_of(notebook) and "{eval}" not in text_of(notebook)
    assert json.loads(target.read_text())["nbformat"] == 4
