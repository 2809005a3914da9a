"""The workflows of the repository: everything that they run exists, nothing moves under them, and no more is allowed.

There is no schema of GitHub's at hand; what follows holds the structure that the files rely on.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from course.command import course
from course.site.checks import CHECKS

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text()
TRIGGERS = {"push", "pull_request", "schedule", "workflow_dispatch"}
JOB_KEYS = {"runs-on", "timeout-minutes", "permissions", "strategy", "env", "steps", "if", "needs"}
STEP_KEYS = {"name", "uses", "with", "run", "env", "if", "id"}
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def read(path):
    """A workflow; YAML 1.1 reads the key `on` as true."""
    found = yaml.safe_load(path.read_text())
    return {"on" if key is True else key: value for key, value in found.items()}


def jobs(path):
    return read(path)["jobs"]


def steps(path):
    return [step for job in jobs(path).values() for step in job["steps"]]


def scripts(path):
    return [step["run"] for step in steps(path) if "run" in step]


def words(script):
    """The commands of a script, a list of words each; lines that go on are joined."""
    return [line.split() for line in script.replace("\\\n", " ").splitlines() if line.strip()]


def test_there_is_one_for_tests_the_site_the_containers_and_every_night():
    assert {path.stem for path in FILES} == {"test", "site", "containers", "nightly"}
    assert "pull_request" in read(ROOT / ".github/workflows/test.yml")["on"]
    assert re.fullmatch(r"\d+ \d+ \* \* \*", read(ROOT / ".github/workflows/nightly.yml")["on"]["schedule"][0]["cron"])


@each_file
def test_keys_are_those_that_github_knows(path):
    found = read(path)
    assert set(found) <= {"name", "on", "permissions", "concurrency", "jobs"}
    assert found["name"] == path.stem and set(found["on"]) <= TRIGGERS
    for job in found["jobs"].values():
        assert set(job) <= JOB_KEYS and job["runs-on"] == "ubuntu-24.04"
        assert 0 < job["timeout-minutes"] < 360, "GitHub's own limit is six hours"
        for step in job["steps"]:
            assert set(step) <= STEP_KEYS and ("uses" in step) != ("run" in step)
            assert "uses" in step or step["name"]


@each_file
def test_actions_are_pinned_to_a_commit_with_its_version_beside_it(path):
    used = re.findall(r"uses: (\S+)(.*)", path.read_text())
    assert len(used) == sum("uses" in step for step in steps(path)) > 0
    for action, comment in used:
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


def test_the_same_action_is_the_same_commit_everywhere():
    used = {line for path in FILES for line in re.findall(r"uses: (\S+ # \S+)", path.read_text())}
    assert len({line.partition("@")[0] for line in used}) == len(used)


@each_file
def test_make_targets_exist(path):
    targets = set(re.findall(r"^([\w-]+):", MAKEFILE, re.M))
    for script in scripts(path):
        for command in words(script):
            if command[0] == "make":
                assert set(command[1:]) <= targets


def resolved(command):
    """The command that a command line of the course names, and the words that are left over."""
    found, rest = course, list(command)
    while isinstance(found, click.Group):
        name = rest.pop(0)
        found = found.get_command(click.Context(found), name)
        assert found is not None, f"there is no {name} in {command}"
    return found, rest


@each_file
def test_course_commands_exist(path):
    matrices = [job.get("strategy", {}).get("matrix", {}) for job in jobs(path).values()]
    matrix = [name for one in matrices for name in one.get("benchmark", [])]
    for script in scripts(path):
        for command in words(script):
            if command[0].endswith("/course"):
                assert command[0] == ".venv/bin/course"
                for name in matrix if '"$BENCHMARK"' in command else [""]:
                    found, rest = resolved([word.replace('"$BENCHMARK"', name) for word in command[1:]])
                    options = {option for parameter in found.params for option in parameter.opts}
                    assert {word for word in rest if word.startswith("--")} <= options


def test_every_benchmark_runs_at_night():
    bench = course.get_command(click.Context(course), "bench")
    matrix = jobs(ROOT / ".github/workflows/nightly.yml")["bench"]["strategy"]["matrix"]["benchmark"]
    assert set(matrix) == set(bench.list_commands(click.Context(bench))) - {"all"}


def test_named_checks_of_the_site_exist():
    only = re.search(r"site check --only (\S+)", (ROOT / ".github/workflows/site.yml").read_text())[1]
    assert set(only.split(",")) <= set(CHECKS)


@each_file
def test_files_that_are_named_exist(path):
    text = path.read_text()
    named = set(re.findall(r"(?:python3|dockerfile:) ([\w./]+)", text))
    named |= {name for group in re.findall(r"hashFiles\((.*?)\)", text) for name in re.findall(r"'(.*?)'", group)}
    triggers = [trigger for trigger in read(path)["on"].values() if isinstance(trigger, dict)]
    named |= {one for trigger in triggers for one in trigger.get("paths", [])}
    for name in named:
        assert (ROOT / name.removesuffix("/**")).exists(), name


def test_what_an_image_is_made_of_starts_its_build():
    """A file that is copied into an image lies under a path that triggers."""
    on = read(ROOT / ".github/workflows/containers.yml")["on"]
    assert on["push"]["paths"] == on["pull_request"]["paths"]
    dockerfile = (ROOT / "services/inference/Dockerfile").read_text()
    copied = {one for line in re.findall(r"^COPY (?!--from)(.*) \S+$", dockerfile, re.M) for one in line.split()}
    for name in copied - {"services/__init__.py"}:
        assert any(name == one or name.startswith(one.removesuffix("/**")) for one in on["push"]["paths"]), name


@each_file
def test_nobody_may_do_more_than_is_needed(path):
    assert read(path)["permissions"] == {"contents": "read"}
    for name, job in jobs(path).items():
        more = {key for key, value in job.get("permissions", {}).items() if value == "write"}
        assert more == {"publish": {"contents"}, "image": {"packages"}}.get(name, set())
    assert all(step["with"]["persist-credentials"] is False for step in checkouts(path) if path.stem != "site")


def checkouts(path):
    return [step for step in steps(path) if step.get("uses", "").startswith("actions/checkout@")]


@each_file
def test_no_expression_becomes_part_of_a_script(path):
    """A branch may be called $(rm -rf ~): values reach scripts through the environment."""
    assert not [script for script in scripts(path) if "${{" in script]


@each_file
def test_shellcheck_has_no_objection(path):
    lint = [str(Path(sys.executable).with_name("shellcheck")), "--shell", "bash", "-"]
    for script in scripts(path):
        done = subprocess.run(lint, input=f"set -euo pipefail\n{script}", capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
    bad = subprocess.run(lint, input="rm $1/*\n", capture_output=True, text=True)
    assert bad.returncode == 1


def test_publishing_leaves_one_commit_with_the_site_and_nothing_else(tmp_path):
    """The script itself, in a repository of its own; twice, as on two nights."""
    script = next(step["run"] for step in steps(ROOT / ".github/workflows/site.yml") if step.get("name") == "Publish")
    kit, origin = tmp_path / "work" / "kit", tmp_path / "origin.git"
    kit.mkdir(parents=True)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        **{"GITHUB_SHA": "0" * 40, "RUNNER_TEMP": str(tmp_path), "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"},
        **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }

    def git(*arguments, at=kit):
        done = subprocess.run(["git", *arguments], cwd=at, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "--quiet", "--bare", str(origin))
    git("init", "--quiet", "--initial-branch", "main")
    (kit / ".gitignore").write_text("build/\n*.ipynb\n")
    (kit / "source.md").write_text("not of the site\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "source")
    git("remote", "add", "origin", str(origin))
    for night in ("first", "second"):
        site = kit / "build" / "site"
        shutil.rmtree(site, ignore_errors=True)
        (site / "_static").mkdir(parents=True)
        (site / "index.html").write_text(night)
        (site / "_static" / "lab.ipynb").write_text("{}")
        (site / night).write_text("")
        subprocess.run(["bash", "-e", "-c", script], cwd=kit, env=environment, check=True, capture_output=True)
        listed = git("ls-tree", "-r", "--name-only", "gh-pages", at=origin).splitlines()
        assert sorted(listed) == sorted([".nojekyll", "_static/lab.ipynb", night, "index.html"])
        assert git("show", "gh-pages:index.html", at=origin) == night
        assert git("rev-list", "--count", "gh-pages", at=origin) == "1"
        assert git("status", "--porcelain") == "" and git("branch", "--show-current") == "main"
