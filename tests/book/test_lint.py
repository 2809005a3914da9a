"""Each mistake an author can make in a page's source is found with its line; a sound source raises no alarm."""

from pathlib import Path

import pytest

from course.site.lint import lint_sources

FRONT = """---
title: Sound as numbers
description: What sampling keeps and what it loses.
kernelspec: {display_name: Python 3, language: python, name: python3}
---
"""
BODY = """
(first)=
## A question

:::{figure} tone.svg
:label: fig-tone
:alt: A tone: its samples as dots
A tone. See {numref}`fig-tone`, {cite:p}`shannon1949` and {eval}`rate`.
:::

```{predict} What do you hear?
:label: predict-tone
- [ ] 7 kHz :: The samples know
  only 4 kHz.
- [x] 1 kHz ::
  It folds.
```

```{predict} How many samples?
:answer: 8000
:tolerance: 1
One second at 8 kHz.
```

```{code-cell} python
:label: cell-tone
:tags: [hide-output]
rate = 8000
print(rate)
```

+++ {"slideshow": {"slide_type": "notes"}}

Ask before you run it.

+++

$$ x[n] = x(n T) $$ (eq-sampling)

````{admonition} Nested
```{checkpoint}
Where does 5 kHz fold to?
---
To 3 kHz, see {eq}`eq-sampling`.
```
````

## Exercises

```{exercise} One minute
:label: ex-one
Fold 6 kHz.
```

```{solution} ex-one
2 kHz.
```

## Summary

Samples are numbers.

## Further reading

A footnote[^one], a [link](https://example.org) and `{nothing}` in code.

[^one]: Text.
"""


@pytest.fixture
def kit(tmp_path) -> Path:
    """A kit with one sound lecture and one sound front page."""
    lecture = tmp_path / "notebooks/01-sound/lecture.md"
    lecture.parent.mkdir(parents=True)
    lecture.write_text(FRONT + BODY)
    (lecture.parent / "tone.svg").write_text("<svg/>")
    (tmp_path / "book").mkdir()
    (tmp_path / "book/index.md").write_text("---\ntitle: Course\n---\n\n# Course\n\n{abbr}`FFT (fast)` and **text**.\n")
    return tmp_path


def change(kit: Path, old: str, new: str) -> tuple[Path, int]:
    """Replace ``old`` in the lecture; returns the file and the line at which ``new`` begins."""
    lecture = kit / "notebooks/01-sound/lecture.md"
    text = lecture.read_text()
    assert old in text
    lecture.write_text(text.replace(old, new, 1))
    return lecture, text[: text.index(old)].count("\n") + 1


def test_sound_sources_raise_no_alarm(kit):
    assert [str(error) for error in lint_sources(kit)] == []


LONG_CELL = "```{code-cell} python\n" + "\n".join(f"x{i} = {i}" for i in range(21)) + "\n```\n\n(first)="

CASES = {
    "figure without alt": (":alt: A tone: its samples as dots\n", "", -2, "no alternative text"),
    "Markdown image without alt": ("Ask before", "![](tone.svg)\n\nAsk before", 0, "no alternative text"),
    "image from another host": (
        "Ask before",
        "![Tone](https://example.org/tone.png)\n\nAsk before",
        0,
        "lies on another host",
    ),
    "image as data URI": ("Ask before", "![Tone](data:image/png;base64,AAAA)\n\nAsk before", 0, "data: URI"),
    "image file that is not there": ("{figure} tone.svg", "{figure} tune.svg", 0, "no file tune.svg"),
    "unknown directive": ("{admonition} Nested", "{admonitoin} Nested", 0, "directive {admonitoin}"),
    "unknown directive in a directive": ("```{checkpoint}", "```{chekpoint}", 0, "directive {chekpoint}"),
    "unknown role": ("{eval}`rate`", "{evil}`rate`", 0, "role {evil}"),
    "duplicate label of a directive": (":label: ex-one", ":label: fig-tone", -1, "label fig-tone is taken by"),
    "duplicate label of an equation": ("(eq-sampling)\n", "(first)\n", 0, "label first is taken by"),
    "duplicate label of a cell": (":label: cell-tone", ":label: Fig-Tone", -1, "label Fig-Tone is taken by"),
    "predict without a right answer": ("- [x]", "- [ ]", -4, "0 right answers"),
    "predict with two right answers": ("- [ ]", "- [x]", -2, "2 right answers"),
    "predict without a reason": (" ::\n  It folds.", "", -4, "no reason for “1 kHz”"),
    "predict with one answer": ("- [x] 1 kHz ::\n  It folds.\n", "", -4, "offers 1 answers"),
    "predict that explains nothing": ("One second at 8 kHz.\n", "", -3, "explains nothing"),
    "fence with a backtick": ("{predict} What do", "{predict} What `do`", 0, "opens no directive"),
    "checkpoint without an answer": ("---\nTo 3 kHz, see {eq}`eq-sampling`.\n", "", -2, "checkpoint needs a question"),
    "solution of no exercise": ("{solution} ex-one", "{solution} ex-two", 0, "exercise 'ex-two'"),
    "long cell": ("(first)=", LONG_CELL, 0, "over 20 lines, this one has 21"),
    "broken block metadata": ('{"slideshow"', "{slideshow", 0, "could not be read"),
    "broken cell options": (":tags: [hide-output]", ":tags: [hide-output", None, "could not be read"),
}


@pytest.mark.parametrize("case", CASES)
def test_mistake_is_found_at_its_line(kit, case):
    old, new, offset, words = CASES[case]
    lecture, line = change(kit, old, new)
    errors = [error for error in lint_sources(kit) if words in error.message]
    assert len(errors) == 1, list(map(str, lint_sources(kit)))
    assert errors[0].path == lecture
    if offset is not None:
        assert errors[0].line == line + offset


@pytest.mark.parametrize("part", ["Summary", "Exercises", "Further reading"])
def test_lecture_without_a_required_part(kit, part):
    change(kit, f"## {part}", "## Other")
    (error,) = lint_sources(kit)
    assert f"“{part.lower()}”" in error.message


def test_cell_id_used_twice(kit):
    cell = "```{code-cell} python\n:id: tone\nrate\n```\n\n"
    lecture, line = change(kit, "(first)=", cell + cell + "(first)=")
    (error,) = lint_sources(kit)
    assert (error.path, error.line) == (lecture, line + 5)
    assert f"cell id tone is taken by line {line}" in error.message


def test_label_used_on_two_pages(kit):
    (kit / "book/index.md").write_text("(fig-tone)=\n# Course\n")
    (error,) = lint_sources(kit)
    assert error.path == kit / "book/index.md" or error.path == kit / "notebooks/01-sound/lecture.md"
    assert "fig-tone" in error.message and ":" in error.message


def test_median_of_nine_lines_is_too_long_and_hidden_cells_do_not_count(kit):
    cell = "```{code-cell} python\n" + "\n".join(f"x{i} = {i}" for i in range(9)) + "\n```\n\n"
    change(kit, "(first)=", 3 * cell + "(first)=")
    (error,) = lint_sources(kit)
    assert "median code cell has 9 lines" in error.message
    lecture = kit / "notebooks/01-sound/lecture.md"
    lecture.write_text(lecture.read_text().replace("python\nx0", "python\n:tags: [remove-cell]\nx0"))
    assert lint_sources(kit) == []


def test_front_matter_without_description_and_with_a_long_one(kit):
    change(kit, "description: What", "subject: What")
    assert "title and a description" in lint_sources(kit)[0].message
    change(kit, "subject: What", f"description: {'word ' * 40} What")
    assert "of 160 characters" in lint_sources(kit)[0].message


def test_notebook_among_the_sources(kit):
    stray = kit / "notebooks/01-sound/lecture.ipynb"
    stray.write_text("{}")
    checkpoint = kit / "notebooks/01-sound/.ipynb_checkpoints/lecture.ipynb"
    checkpoint.parent.mkdir()
    checkpoint.write_text("{}")
    (error,) = lint_sources(kit)
    assert error.path == stray and "remove it" in error.message
