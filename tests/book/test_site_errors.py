"""What stops a build: each mistake is named with its file, its line and what to do."""

import pytest

from course.errors import CourseError
from course.site.issues import read_issues
from course.site.lines import LineMap
from course.site.new import new_lecture

ENGINE = {
    "{nosuchrole}`x`": "unknown role: nosuchrole",
    "[](#no-such-label)": 'No target for internal reference "#no-such-label"',
    "{cite:p}`nobody2000`": 'Could not link citation with label "nobody2000"',
    "$\\frac{a$": "\\frac{a",
}


def refused(kit) -> str:
    """The build's complaint."""
    with pytest.raises(CourseError) as error:
        kit.build()
    return str(error.value)


def append(kit, text: str) -> int:
    """Add text to the fixture's lecture; returns the number of its first line."""
    before = kit.lecture.read_text()
    kit.lecture.write_text(before + "\n" + text)
    return before.count("\n") + 2


def without_lint(monkeypatch):
    """Let sources through that the quick check of the sources would stop first."""
    monkeypatch.setattr("course.site.build.lint_sources", lambda root: [])


def test_mistakes_that_reading_finds_stop_before_anything_runs(changed):
    line = append(changed, "```{nosuchdirective}\nx\n```\n\n![](tone.svg)\n")
    message = refused(changed)
    assert f"01-tone/lecture.md:{line}: " in message and "nosuchdirective" in message
    assert f"01-tone/lecture.md:{line + 4}: " in message and "alt" in message


def test_mistakes_that_the_engine_finds_are_told_at_the_authors_line(changed, monkeypatch):
    without_lint(monkeypatch)
    lines = {append(changed, source + "\n"): words for source, words in ENGINE.items()}
    line = append(changed, "```{note}\n:badoption: 3\nx\n```\n\n```{exercise} again\n:label: ex-one\nx\n```\n")
    message = refused(changed)
    for number, words in lines.items():
        assert f"01-tone/lecture.md:{number}: " in message and words in message
    assert f"01-tone/lecture.md:{line + 1}: " in message and "badoption" in message
    assert f"01-tone/lecture.md:{line + 6}: " in message and 'Duplicate identifier in file "ex-one"' in message
    assert "give one of the two another label" in message


def test_what_the_theme_refuses_stops_the_build(changed, monkeypatch):
    without_lint(monkeypatch)
    lines = [
        append(changed, "[gone](missing.md)\n"),
        append(changed, "![](tone.svg)\n"),
        append(changed, "```{iframe} https://example.org\n```\n"),
        append(changed, "```{image} tone.svg\n:alt: A sine.\n:align: left\n```\n"),
        append(changed, "```{code-block} nosuchlanguage\nx\n```\n"),
        append(changed, ":::{div}\n:class: nosuchclass\nx\n:::\n"),
    ]
    words = ["missing.md does not exist", "has no alt text", "node type 'iframe'", "option 'align' of 'image'"]
    words += ["language 'nosuchlanguage'", "class 'nosuchclass'"]
    message = refused(changed)
    for line, said in zip(lines, words, strict=True):
        told = [part for part in message.splitlines() if said in part]
        assert told, said
        number = int(told[0].split("lecture.md:")[1].split(":")[0])
        assert line <= number <= line + 3, told


def test_a_cell_that_raises_and_one_that_shows_too_much(changed, monkeypatch):
    """A cell that raises ends the run; only a run without one gets as far as what the theme refuses to show."""
    without_lint(monkeypatch)
    text = changed.lecture.read_text()
    line = append(changed, "```{code-cell} python\n:tags: [hide-input]\n\nx = 1\n\n1 / 0\n```\n") + 5
    message = refused(changed)
    assert f"01-tone/lecture.md:{line}: this code raised ZeroDivisionError: division by zero" in message
    assert "raises-exception" in message

    changed.lecture.write_text(text)
    show = "from IPython.display import display\ndisplay({'application/x-odd': '1', 'text/plain': 'x'}, raw=True)"
    figure = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.gcf()"
    html = "from IPython.display import HTML\nHTML('<script>1</script>')"
    lines = [append(changed, f"```{{code-cell}} python\n{code}\n```\n") + 1 for code in (show, figure, html)]
    message = refused(changed)
    for line, words in zip(lines, ("application/x-odd", "figure without alt text", "<script>"), strict=True):
        assert any(f"lecture.md:{line}: " in part and words in part for part in message.splitlines()), message


def test_config_mistakes_name_the_line(changed):
    config = changed.root / "book" / "myst.yml"
    text = config.read_text()
    config.write_text(text.replace("../notebooks/01-tone/lecture.md", "../notebooks/01-gone/lecture.md"))
    line = text.splitlines().index("        - file: ../notebooks/01-tone/lecture.md") + 1
    assert f"myst.yml:{line}: ../notebooks/01-gone/lecture.md does not exist" in refused(changed)
    config.write_text("project: [")
    assert "myst.yml:1: expected YAML" in refused(changed)
    config.write_text("version: 1")
    assert "expected `project: toc:`" in refused(changed)


def test_directives_of_the_course_say_what_they_need(changed, monkeypatch):
    without_lint(monkeypatch)
    mistakes = {
        append(changed, "```{predict} What?\n- [ ] a :: b\n- [ ] c :: d\n```\n"): "exactly one of them marked [x]",
        append(changed, "```{predict} What?\n- [x] a\n```\n"): 'the answer "a" lacks its reason',
        append(changed, "```{predict} What?\n:answer: 3\n:tolerance: -1\nBecause.\n```\n"): "tolerance not negative",
        append(changed, "```{checkpoint}\nno answer below\n```\n"): "the answer below it",
        append(changed, "```{syllabus}\n01-tone | A tone\n```\n"): "the one idea",
    }
    told = refused(changed).splitlines()
    for line, words in mistakes.items():
        assert any(f"lecture.md:{line}: " in part and words in part for part in told), (line, words, told)


def test_line_maps_lead_back_to_the_source():
    lines = LineMap([(1, 1), (2, 1), (3, 2), (40, 90)])
    assert [lines.source_line(staged) for staged in (1, 2, 3, 10, 39, 40, 45)] == [1, 1, 2, 9, 38, 90, 95]


def test_issues_are_read_out_of_the_engines_log():
    log = [
        "📖 Built a/b.md in 3 s.\n",
        "⛔️ a/b.md:12 unknown directive: x\n",
        "⚠️  a/b.md Something odd\n",
        "\x1b[31m   more about it\x1b[0m\n",
        "a/c.md:cell 3: figure without alt text\n",
        "\n",
        "a/b.md\n",
        "  - ⛔ unknown directive: x\n",
    ]
    issues = read_issues(log)
    assert [(issue.path, issue.line, issue.cell) for issue in issues] == [
        ("a/b.md", 12, None),
        ("a/b.md", None, None),
        ("a/c.md", None, 3),
    ]
    assert issues[1].details == ["   more about it"]


@pytest.mark.parametrize("name", ["2-features", "02_features", "02-Features", "02-", "../02-features"])
def test_a_new_lecture_needs_a_proper_name(kit, name):
    with kit.chosen(), pytest.raises(CourseError, match="NN-subject"):
        new_lecture(name)


def test_a_lecture_is_never_overwritten(kit):
    with kit.chosen(), pytest.raises(CourseError, match="exists already"):
        new_lecture("01-tone")
