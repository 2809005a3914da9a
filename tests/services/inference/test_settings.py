"""The configuration, the command's help, and the README, which says what the code says."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from course.errors import CourseError
from services.inference.command import engines, listen, serve
from services.inference.problems import KINDS, Problem
from services.inference.settings import PREFIX, Settings

KIT = Path(__file__).parents[3]
README = (KIT / "services" / "inference" / "README.md").read_text()


def test_variables_are_read_and_the_command_line_wins(monkeypatch):
    monkeypatch.setenv("INFERENCE_PORT", "9001")
    monkeypatch.setenv("INFERENCE_MAX_BATCH", "4")
    assert Settings.from_environment(port=None).port == 9001
    chosen = Settings.from_environment(port=9002, engine="fake")
    assert (chosen.port, chosen.max_batch, chosen.engine) == (9002, 4, "fake")
    chat, speech = engines(chosen)
    assert chat.slots == 4 and speech.model == "fake-speech"


@pytest.mark.parametrize(
    "name, value, sentence",
    [
        ("MAX_BATCHES", "1", "Is INFERENCE_MAX_BATCH meant"),
        ("ZZZZZZZ", "1", "There is no setting INFERENCE_ZZZZZZZ."),
        ("MAX_BATCH", "0", "INFERENCE_MAX_BATCH='0' cannot be: "),
        ("MAX_BATCH", "many", "cannot be: "),
        ("ANSWER_SECONDS", "inf", "cannot be: "),
        ("BODY_SECONDS", "-1", "cannot be: "),
        ("PROJECT", "My Project", "cannot be: "),
        ("ENGINE", "better", "'real' or 'fake'"),
    ],
)
def test_a_setting_that_is_none_or_cannot_be_is_one_sentence(monkeypatch, name, value, sentence):
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(CourseError) as found:
        Settings.from_environment()
    assert sentence in str(found.value) and "\n" not in str(found.value)


def test_the_help_names_what_can_be_chosen():
    shown = CliRunner().invoke(serve, ["--help"])
    assert shown.exit_code == 0
    assert all(word in shown.output for word in ("--host", "--port", "--engine", "README.md"))


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(CourseError, match="cannot listen on 192.0.2.1, port 0"):
        listen("192.0.2.1", 0)


def test_the_readme_lists_every_problem_and_every_setting():
    for code, kind in KINDS.items():
        assert f"| {kind.status} | `{code}` | {kind.when} |" in README
    for name, field in Settings.model_fields.items():
        default = str(field.default).lower() if isinstance(field.default, bool) else field.default
        assert f"| `{PREFIX}{name.upper()}` | `{default}` | {field.description} |" in README


def test_every_problem_can_be_told_and_every_setting_is_described():
    for code, kind in KINDS.items():
        problem = Problem(code, "A sentence.", retry_after=0.2)
        assert problem.status_code == kind.status and problem.headers["Retry-After"] == "1"
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize("room", ["course", "autograder", "labs"])
def test_no_room_imports_the_services(room):
    files = list((KIT / room).rglob("*.py"))
    importing = [path for path in files if re.search(r"^\s*(from|import) services\b", path.read_text(), re.M)]
    assert files and importing == []
