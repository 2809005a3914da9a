"""`course bench site`: what is copied, what is changed and when, and how build times and weights are judged."""

import json
import shutil

import pytest

from course.bench.record import Sample
from course.errors import CourseError
from course.site import build_times
from course.site.build_times import CHANGED, COLD, SAME, build_three_times, change_a_sentence, copy_kit, judge

LECTURE = "---\ntitle: Tones\nkernelspec: {name: python3}\n---\n\n# Tones\n\nA tone is a sine.\n\n---\n\nThe end.\n"


@pytest.fixture
def kit(tmp_path):
    """A kit with a lecture, the theme's packages and something that no site is made from."""
    kit = tmp_path / "kit"
    for file, text in {
        "pyproject.toml": "",
        "book/myst.yml": "project: {}",
        "book/theme/template.yml": "",
        "book/theme/node_modules/axe/package.json": "{}",
        "notebooks/01-tones/lecture.md": LECTURE,
        "notebooks/02-more/lecture.md": LECTURE,
        "labs/lab01/lab.md": "",
        "build/site/index.html": "",
    }.items():
        (kit / file).parent.mkdir(parents=True, exist_ok=True)
        (kit / file).write_text(text)
    return kit


def test_a_copy_has_what_a_site_is_made_from(kit, tmp_path):
    copy_kit(kit, tmp_path / "copy")
    assert {path.name for path in (tmp_path / "copy").iterdir()} == {"pyproject.toml", "book", "notebooks", "labs"}
    linked = tmp_path / "copy" / "book" / "theme" / "node_modules"
    assert linked.is_symlink()
    assert json.loads((linked / "axe" / "package.json").read_text()) == {}


def test_a_changed_sentence_is_one_line_of_the_first_lecture(kit):
    change_a_sentence(kit)
    changed = (kit / "notebooks" / "01-tones" / "lecture.md").read_text()
    assert changed.replace("\nThis sentence is new.\n", "", 1) == LECTURE
    assert changed.index("This sentence is new.") < changed.index("# Tones")
    assert (kit / "notebooks" / "02-more" / "lecture.md").read_text() == LECTURE


def test_a_kit_without_a_lecture_is_said_so(kit):
    shutil.rmtree(kit / "notebooks")
    with pytest.raises(CourseError, match="A lecture was expected"):
        change_a_sentence(kit)


def test_the_third_build_alone_sees_the_new_sentence(kit, tmp_path, monkeypatch):
    """Each build is a command on the copy, in a build folder that does not exist before the first."""
    seen = []

    def look(commands):
        (command,) = commands
        text = (command.folder / "notebooks" / "01-tones" / "lecture.md").read_text()
        seen.append((text == LECTURE, command.environment["COURSE_BUILD"], command.folder))
        return 10.0 / len(seen)

    monkeypatch.setattr(build_times, "seconds_of", look)
    samples = build_three_times(kit, tmp_path)
    assert [unchanged for unchanged, _, _ in seen] == [True, True, False]
    assert len({(build, folder) for _, build, folder in seen}) == 1
    assert kit not in {folder for _, _, folder in seen}
    assert {one.variant: one.value for one in samples} == {COLD: 10.0, SAME: 5.0, CHANGED: pytest.approx(10 / 3)}
    assert (kit / "notebooks" / "01-tones" / "lecture.md").read_text() == LECTURE
    assert [path.name for path in tmp_path.iterdir()] == ["kit"]


def builds(cold, changed, rounds=6):
    times = {COLD: cold, CHANGED: changed, SAME: 1.0}
    return [
        Sample(trial=place, quantity="build", variant=name, unit="s", value=seconds + place / 100)
        for name, seconds in times.items()
        for place in range(rounds)
    ]


@pytest.mark.parametrize(
    ("cold", "changed", "rounds", "heavy", "met"),
    [
        (60, 15, 6, [], [True, True]),
        (60, 40, 6, [], [False, True]),
        (60, 15, 5, [], [None, True]),
        (60, 15, 6, ["lectures/01/index.html"], [True, False]),
    ],
)
def test_build_times_and_weights_are_judged(cold, changed, rounds, heavy, met):
    ratios, verdicts = judge(builds(cold, changed, rounds), {build_times.HEAVY: heavy})
    assert [verdict.met for verdict in verdicts] == met
    assert (ratios[0].value is None) == (rounds < 6)


def test_without_a_browser_the_weights_are_not_judged():
    assert [verdict.met for verdict in judge(builds(60, 15), {})[1]] == [True]
