"""What a build does again and what it does not, and what it leaves behind when it fails."""

import json

import psutil
import pytest
from click.testing import CliRunner

from course.errors import CourseError
from course.site.build import Built, recover, swap
from course.site.command import site
from course.site.library import library_hash
from course.site.serve import open_server

LAUNCH = {"repository": "https://github.com/someone/speech", "hub": "https://hub.example.org/"}


def executions(kit) -> dict[str, int]:
    """The engine's stored executions, with the time at which each was written."""
    folder = kit.root / "build" / "site-source" / "_build" / "execute"
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def published(kit) -> dict[str, bytes]:
    return {path.relative_to(kit.site).as_posix(): path.read_bytes() for path in kit.site.rglob("*") if path.is_file()}


def test_nothing_is_done_twice_and_a_changed_sentence_executes_nothing(changed):
    before = executions(changed)
    assert before, "the lectures were executed"
    changed.build()
    again = changed.build()
    assert not again.changed
    changed.lecture.write_text(changed.lecture.read_text().replace("A tone is a *list*", "A note is a *list*"))
    built = changed.build()
    assert built.changed
    assert "A note is a" in (changed.site / "lectures/01-tone/index.html").read_text()
    assert executions(changed) == before


def test_building_again_gives_the_same_bytes(changed):
    before = published(changed)
    assert changed.build(force=True).changed
    after = published(changed)
    assert sorted(after) == sorted(before)
    assert [name for name in after if after[name] != before[name]] == []


def test_a_failed_build_keeps_the_last_good_site_and_leaves_no_process(changed):
    before = published(changed)
    changed.lecture.write_text(changed.lecture.read_text() + "\n```{code-cell} python\n1 / 0\n```\n")
    with pytest.raises(CourseError, match="ZeroDivisionError"):
        changed.build()
    assert published(changed) == before
    folder = str(changed.root)
    left = [
        process for process in psutil.process_iter(["cmdline"]) if folder in " ".join(process.info["cmdline"] or [])
    ]
    assert left == []


def test_a_page_that_is_gone_from_the_contents_is_gone_from_the_site(changed):
    config = changed.root / "book" / "myst.yml"
    config.write_text(config.read_text().replace("        - file: ../notebooks/02-peaks/lecture.md\n", ""))
    changed.build()
    assert not (changed.site / "lectures/02-peaks").exists()
    assert not changed.page("").select('[href*="02-peaks"]')


def test_launch_links_come_from_one_setting_and_are_absent_without_it(changed):
    assert [link.get_text() for link in changed.page("lectures/01-tone").select(".actions a")] == ["Notebook (.ipynb)"]
    config = changed.root / "book" / "myst.yml"
    config.write_text(config.read_text() + f"course:\n  launch: {json.dumps(LAUNCH)}\n")
    changed.build()
    links = {link.get_text(): link["href"] for link in changed.page("lectures/01-tone").select(".actions a")}
    notebook = "lectures/01-tone/01-tone.ipynb"
    assert links["Colab"] == f"https://colab.research.google.com/github/someone/speech/blob/gh-pages/{notebook}"
    assert links["Binder"].startswith("https://mybinder.org/v2/gh/someone/speech/gh-pages?labpath=lectures%2F01-tone")
    assert links["JupyterHub"].startswith(
        "https://hub.example.org/hub/user-redirect/git-pull?repo=https%3A%2F%2Fgithub"
    )
    assert not changed.page("").select(".actions"), "a page without a notebook has nothing to launch"


def test_a_lecture_depends_on_the_modules_that_it_imports_and_on_no_others(tmp_path):
    package = tmp_path / "course"
    package.mkdir()
    for name, text in {"__init__": "", "near": "from course import far", "far": "x = 1", "other": "y = 1"}.items():
        (package / f"{name}.py").write_text(text)
    lecture = "# T\n\n```{code-cell} python\n:tags: [hide-input]\n%time 1\nfrom course.near import x\n```\n"
    start = library_hash(tmp_path, lecture)
    (package / "other.py").write_text("y = 2")
    assert library_hash(tmp_path, lecture) == start
    (package / "far.py").write_text("x = 2")
    assert library_hash(tmp_path, lecture) != start, "imported by what is imported"


def test_a_lecture_depends_on_the_reference_records_that_it_names(tmp_path):
    records = tmp_path / "labs" / "lab90-made-up" / "reference"
    records.mkdir(parents=True)
    (tmp_path / "course").mkdir()
    reads, silent = "```{code-cell} python\nfolder = 'labs/lab90-made-up/reference'\n```\n", "# T\n"
    before = [library_hash(tmp_path, lecture) for lecture in (reads, silent)]
    (records / "cpu.json").write_text("{}")
    after = [library_hash(tmp_path, lecture) for lecture in (reads, silent)]
    assert after[0] != before[0] and after[1] == before[1]


def test_a_lecture_depends_on_the_services_that_it_starts_or_names(tmp_path):
    service, manifests, serving = (
        tmp_path / name for name in ("services/inference", "services/deploy", "course/serving")
    )
    for folder in (service, manifests, serving):
        folder.mkdir(parents=True)
    (serving / "process.py").write_text("")
    lectures = {
        "starts": "```{code-cell} python\nfrom course.serving.process import started\n```\n",
        "names": "```{code-cell} python\nfile = 'services/deploy/scaler.yaml'\n```\n",
        "silent": "# T\n",
    }

    def changed_by(file):
        before = {name: library_hash(tmp_path, text) for name, text in lectures.items()}
        file.write_text("changed")
        return {name for name, text in lectures.items() if library_hash(tmp_path, text) != before[name]}

    assert changed_by(service / "batching.py") == {"starts"}
    assert changed_by(manifests / "scaler.yaml") == {"names"}
    assert changed_by(manifests / "other.yaml") == set()


def test_serving_says_what_is_missing(tmp_path):
    with pytest.raises(CourseError, match="course site build"):
        open_server(tmp_path, 0)
    (tmp_path / "index.html").write_text("x")
    with open_server(tmp_path, 0) as server, pytest.raises(CourseError, match="--port"):
        open_server(tmp_path, server.server_port)


def test_a_swap_that_was_cut_off_is_finished(tmp_path):
    """Between the two renames there is no site for a moment; whoever comes next puts the old one back."""
    site, new = tmp_path / "site", tmp_path / "new"
    for folder, text in ((site, "old"), (new, "new")):
        folder.mkdir()
        (folder / "index.html").write_text(text)
    site.rename(tmp_path / "site.old")
    recover(site)
    assert (site / "index.html").read_text() == "old"
    swap(new, site)
    recover(site)
    assert (site / "index.html").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["site"]


@pytest.mark.parametrize(("options", "asked"), [([], (False, False)), (["--quick"], (False, True))])
def test_only_a_quick_build_is_content_with_a_small_ladder(options, asked, monkeypatch, tmp_path):
    seen = []

    def build_site(console, force, quick):
        seen.append((force, quick))
        return Built(tmp_path, True, 1.0)

    monkeypatch.setattr("course.site.build.build_site", build_site)
    assert CliRunner().invoke(site, ["build", *options]).exit_code == 0 and seen == [asked]
