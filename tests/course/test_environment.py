"""The three descriptions of the environment agree: pyproject.toml, requirements.lock, environment.yml."""

import importlib.metadata
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course.kit import root
from course.lockfile import conda_environment


def lock_lines():
    return [line for line in (root() / "requirements.lock").read_text().splitlines() if "==" in line]


def lock():
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lock_lines())}


def environment():
    return yaml.safe_load((root() / "environment.yml").read_text())


def test_every_lock_line_is_one_exact_pin():
    for line in lock_lines():
        specifiers = list(Requirement(line).specifier)
        assert [specifier.operator for specifier in specifiers] == ["=="], line
    assert len(lock()) == len(lock_lines())


def test_environment_yml_has_exactly_the_pins_of_the_lock():
    pip_part = next(part["pip"] for part in environment()["dependencies"] if isinstance(part, dict))
    assert pip_part == lock_lines()
    assert (root() / "environment.yml").read_text() == conda_environment(lock_lines())


def test_conda_can_parse_every_spec_of_its_part():
    rattler = pytest.importorskip("rattler", reason="py-rattler parses conda's match specs")
    specs = [part for part in environment()["dependencies"] if isinstance(part, str)]
    names = {rattler.MatchSpec(spec).name.normalized for spec in specs}
    assert names == {"python", "nodejs", "pip"}


def test_every_direct_dependency_is_pinned_and_in_the_lock():
    project = tomllib.loads((root() / "pyproject.toml").read_text())["project"]
    for text in project["dependencies"]:
        requirement = Requirement(text)
        pinned = lock()[canonicalize_name(requirement.name)]
        assert pinned in requirement.specifier, text
        assert str(requirement.specifier).startswith("=="), f"{text} is not an exact pin"


def test_this_environment_is_the_lock():
    for name, version in lock().items():
        installed = importlib.metadata.version(name).split("+")[0]
        assert installed == version, f"{name}: {installed} is installed, the lock says {version}"


def test_no_description_names_a_host():
    for name in ("pyproject.toml", "requirements.lock", "environment.yml", "book/theme/package-lock.json"):
        text = (root() / name).read_text()
        assert "https://files" not in text and "registry." not in text and '"resolved"' not in text
