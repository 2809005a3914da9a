"""The site check passes a sound site and finds each fault that is put into it."""

import io
import json
import random
import re
import shutil
import socket
import string
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest
from rich.console import Console

from course.errors import CourseError
from course.site.checks import CHECKS, check_site
from course.site.checks.browser import find_chromium
from course.site.checks.hosting import hosted

FILES_ONLY = ("links", "markup")
BROWSER = ("external", "console", "widgets", "axe", "phone", "weight")

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><meta name="description" content="About {title}."><link rel="icon" href="{root}icon.svg">
<link rel="stylesheet" href="{root}style.css"><script type="module" src="{root}site.mjs"></script></head>
<body><header><a href="{root}index.html">Home</a></header>
<main><h1>{title}</h1>{body}</main></body></html>
"""
STYLE = """:root { color-scheme: light dark }
body { font: 16px/1.5 sans-serif; color: light-dark(#111, #eee); background: light-dark(#fff, #111) }
a { color: light-dark(#0645ad, #8ab8ff) }
header { background: url("icon.svg") no-repeat right }
"""
LECTURE = """<h2 id="aliasing">Aliasing</h2><p>A tone at 7 kHz is heard at 1 kHz.
<a href="../../labs/lab01/#task">The lab</a></p>
<figure><img src="tone.svg" alt="A sine wave" width="10" height="10"></figure>
<details><summary>Answer</summary><p>One kilohertz.</p></details>
<div class="widget" data-module="../../widget.mjs"><p class="widget-note">Loading</p></div>"""
ICON = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><path d="M0 0h8v8z"/></svg>'


@pytest.fixture
def site(tmp_path) -> Path:
    """A small site with one page of each kind, a widget, a figure and a stylesheet, and nothing to mend."""
    folder = tmp_path / "site"
    _write(folder / "index.html", PAGE.format(title="Course", root="", body='<p><a href="lectures/one/">One</a></p>'))
    _write(folder / "lectures/one/index.html", PAGE.format(title="Lecture one", root="../../", body=LECTURE))
    lab = '<h2 id="task">Task</h2><p><a href="../../lectures/one/#aliasing">Aliasing</a></p>'
    _write(folder / "labs/lab01/index.html", PAGE.format(title="Lab one", root="../../", body=lab))
    _write(folder / "style.css", STYLE)
    _write(folder / "icon.svg", ICON)
    _write(folder / "lectures/one/tone.svg", ICON)
    _write(folder / "widget.mjs", "export default { render({ el }) { el.innerHTML = '<p>drawn</p>'; } };")
    loader = """import { mark } from './mark.mjs';
    for (const el of document.querySelectorAll('.widget')) {
      const { default: widget } = await import(new URL(el.dataset.module, document.baseURI));
      const host = document.createElement('div');
      widget.render({ el: host });
      mark(host);
      el.replaceChildren(...host.childNodes);
    }"""
    _write(folder / "site.mjs", loader)
    _write(folder / "mark.mjs", "export const mark = element => { element.dataset.loaded = 'yes'; };")
    return folder


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def _findings(report) -> dict[str, list[str]]:
    return {check.name: [f"{item.page}: {item.message}" for item in check.findings] for check in report.checks}


def test_sound_site_passes_every_check_of_its_files(site):
    report = check_site(site, only=FILES_ONLY)
    assert report.passed, _findings(report)
    assert [check.name for check in report.checks] == list(FILES_ONLY)


FILE_FAULTS = {
    "dead link": ("lectures/one/index.html", "labs/lab01/#task", "labs/lab02/", "links", "labs/lab02"),
    "dead fragment": ("lectures/one/index.html", "lab01/#task", "lab01/#tusk", "links", "the id tusk"),
    "dead fragment on the same page": ("index.html", "lectures/one/", "#nowhere", "links", "the id nowhere"),
    "dead image": ("lectures/one/index.html", "tone.svg", "tune.svg", "links", "tune.svg"),
    "dead candidate of a srcset": ("lectures/one/index.html", 'alt="A', 'srcset="no.svg 2x" alt="A', "links", "no.svg"),
    "dead url in a stylesheet": ("style.css", "icon.svg", "gone.svg", "links", "gone.svg"),
    "dead import in a module": ("site.mjs", "./mark.mjs", "./park.mjs", "links", "park.mjs"),
    "dead widget": ("lectures/one/index.html", "widget.mjs", "gadget.mjs", "links", "gadget.mjs"),
    "path from the top of the host": ("index.html", "lectures/one/", "/lectures/one/", "links", "sub-path"),
    "path out of the site": ("index.html", "lectures/one/", "../secret.html", "links", "out of the site"),
    "two h1": ("index.html", "<p>", "<h1>Again</h1><p>", "markup", "2 h1"),
    "skipped heading level": ("lectures/one/index.html", "h2", "h3", "markup", "h3 right under an h1"),
    "id twice": ("lectures/one/index.html", "<details>", '<details id="aliasing">', "markup", "used 2 times"),
    "no language": ("index.html", ' lang="en"', "", "markup", "language"),
    "no title": ("index.html", "<title>Course</title>", "", "markup", "<title>"),
    "shared title": ("labs/lab01/index.html", "<title>Lab one", "<title>Course", "markup", "title of index.html"),
    "no description": ("index.html", "About Course.", "", "markup", "description"),
    "long description": ("index.html", "About Course.", "word " * 40, "markup", "160"),
    "image without alt": ("lectures/one/index.html", 'alt="A sine wave"', "", "markup", "alternative text"),
    "unbalanced tags": ("index.html", "</a></p>", "</p>", "markup", "</p> ends while <a>"),
    "no viewport": ("index.html", 'name="viewport"', 'name="other"', "markup", "viewport"),
    "no doctype": ("index.html", "<!doctype html>", "", "markup", "doctype"),
}


@pytest.mark.parametrize("fault", FILE_FAULTS)
def test_fault_in_a_file_is_found_by_its_check_alone(site, fault):
    file, old, new, check, words = FILE_FAULTS[fault]
    _edit(site / file, old, new)
    report = check_site(site, only=FILES_ONLY)
    failed = {name: messages for name, messages in _findings(report).items() if messages}
    assert not report.passed
    assert list(failed) == [check]
    assert any(words in message and message.startswith(file) for message in failed[check]), failed


def test_misspelt_word_is_found_in_prose_and_not_in_code(site):
    assert check_site(site, only=["spelling"]).passed
    _edit(site / "index.html", "<p>", "<pre>recieve</pre><p>You recieve it. ")
    _edit(site / "lectures/one/index.html", "A sine wave", "A seperate wave")
    messages = _findings(check_site(site, only=["spelling"]))["spelling"]
    assert len(messages) == 2
    assert "recieve ==> receive" in messages[0] and messages[0].startswith("index.html")
    assert "seperate ==> separate" in messages[1] and messages[1].startswith("lectures/one/index.html")


@pytest.fixture
def browser_needed():
    try:
        find_chromium()
    except CourseError as error:
        pytest.skip(str(error))


def test_sound_site_passes_in_the_browser_and_leaves_no_process(site, browser_needed):
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    report = check_site(site, only=BROWSER)
    assert report.passed, _findings(report)
    assert [check.name for check in report.checks] == list(BROWSER)
    lecture = next(weight for weight in report.weights if weight.kind == "lecture")
    assert 0 < lecture.figures < 1000 < lecture.text < 5000
    left = [process for process in psutil.Process().children(recursive=True) if process.pid not in before]
    assert [process.name() for process in left if process.status() != psutil.STATUS_ZOMBIE] == []


def test_every_fault_in_the_browser_is_found(site, browser_needed, monkeypatch):
    """One site with a fault for each check; each check names the page and what it saw there."""
    monkeypatch.setattr("course.site.checks.browser.WIDGET_PATIENCE", 1000)
    shutil.rmtree(site / "labs")
    _edit(site / "index.html", "<p>", '<p><img src="https://example.org/logo.png" alt="Logo" width="1" height="1">')
    _edit(site / "index.html", "</h1>", '</h1><script>throw new Error("broken module")</script>')
    _edit(site / "style.css", "light-dark(#111, #eee)", "light-dark(#111, #222)")
    wide = '<p style="width: 900px">A line too long for a phone.</p><h2'
    _edit(site / "lectures/one/index.html", "<h2", wide)
    _edit(site / "lectures/one/index.html", "<p>One kilohertz.", '<p style="color: #888; background: #777">Folded')
    _edit(site / "widget.mjs", "'<p>drawn</p>'", "''")
    noise = "".join(random.Random(0).choices(string.ascii_letters + string.digits, k=400_000))
    _edit(site / "lectures/one/index.html", "</h1>", f"</h1><!-- {noise} -->")
    found = _findings(check_site(site, only=BROWSER))
    assert any("example.org/logo.png" in message and "index.html" in message for message in found["external"])
    assert any(message.startswith("index.html (light)") and "broken module" in message for message in found["console"])
    assert any(message.startswith("index.html (dark): color-contrast") for message in found["axe"])
    assert not any(message.startswith("index.html (light)") for message in found["axe"])
    assert any("(light): color-contrast" in message and "Folded" in message for message in found["axe"])
    assert len(found["phone"]) == 1 and "lectures/one" in found["phone"][0] and "px wide" in found["phone"][0]
    assert found["widgets"] and all("lectures/one" in message for message in found["widgets"])
    assert len(found["weight"]) == 1 and re.search(r"weighs \d{3} KiB of 250 KiB", found["weight"][0])


def test_lighthouse_scores_are_read_and_a_fault_lowers_them(site, browser_needed):
    _edit(site / "index.html", '<meta name="description" content="About Course.">', "")
    shutil.rmtree(site / "labs")
    shutil.rmtree(site / "lectures")
    report = check_site(site, only=["lighthouse"])
    (score,) = report.scores
    assert score.page == "index.html" and score.seo < 100 and score.accessibility == 100
    messages = _findings(report)["lighthouse"]
    assert any("seo" in message and "meta-description" in message for message in messages)
    assert sum("there is no" in message for message in messages) == 2


def test_screenshots_show_three_kinds_on_two_screens_in_two_schemes(site, tmp_path, browser_needed):
    check_site(site, only=[], screenshots=tmp_path / "shots")
    names = {file.name for file in (tmp_path / "shots").iterdir()}
    views = ("light", "dark", "phone", "phone-dark")
    assert names == {f"{kind}-{view}.png" for kind in ("landing", "lecture", "lab") for view in views}
    light, dark = ((tmp_path / f"shots/landing-{scheme}.png").read_bytes() for scheme in ("light", "dark"))
    assert light.startswith(b"\x89PNG") and light != dark


def test_hosting_serves_below_a_sub_path_only(site):
    with hosted(site) as address:
        request = Request(address, headers={"Accept-Encoding": "gzip"})
        with urlopen(request) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
        with urlopen(address + "lectures/one/index.html") as answer:
            assert answer.read() == (site / "lectures/one/index.html").read_bytes()
        host = "/".join(address.split("/")[:3])
        with pytest.raises(HTTPError, match="404"):
            urlopen(host + "/index.html")
    port = int(host.rsplit(":", 1)[1])
    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.1", port))


def test_report_prints_and_serialises_what_it_found(site):
    _edit(site / "index.html", "lectures/one/", "lectures/two/")
    report = check_site(site, only=["links"])
    console = Console(record=True, width=120, file=io.StringIO())
    report.print(console)
    text = console.export_text()
    assert "1 to mend" in text and "lectures/two" in text
    stored = json.loads(report.model_dump_json())
    assert stored["passed"] is False
    assert stored["checks"][0]["findings"][0]["page"] == "index.html"


def test_folder_without_a_site_and_unknown_check_are_one_sentence(tmp_path, site):
    with pytest.raises(CourseError, match="course site build"):
        check_site(tmp_path)
    with pytest.raises(CourseError, match="beauty is none of them"):
        check_site(site, only=["beauty"])
    assert {"links", "spelling", "axe", "lighthouse"} <= set(CHECKS)


def test_missing_browser_says_what_to_install(monkeypatch, site):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CourseError, match="apt-get install chromium"):
        check_site(site, only=["axe"])
