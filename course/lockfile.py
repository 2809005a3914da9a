"""``python -m course.lockfile``: resolve pyproject.toml's dependencies and write both files that pin them.

``requirements.lock`` is what set-up installs; ``environment.yml`` hands the same pins to conda users.
"""

import re
import subprocess
from pathlib import Path

import yaml

from course.bootstrap import pip_settings
from course.kit import root
from course.storage import write_atomic

LOCK_HEAD = "# Every package of the course environment. Written by `make lock` from pyproject.toml; do not edit.\n"
CONDA_HEAD = "# The pins of requirements.lock for conda. Written by `make lock`; do not edit.\n"
CONDA_PART = ["python=3.11", "nodejs=24", "pip"]


def resolve(pyproject: Path) -> list[str]:
    """The exact pins, one ``name==version`` a line, sorted; local build tags (``+cpu``) removed.

    Reads the wheel folders of pip's own configuration too, which uv does not look into.
    """
    command = ["uv", "pip", "compile", str(pyproject), "--python-version", "3.11", "--no-header", "--no-annotate"]
    output = subprocess.run([*command, "--quiet", *pip_settings()], check=True, capture_output=True, text=True).stdout
    return [re.sub(r"\+\w+$", "", line) for line in output.splitlines() if "==" in line]


def conda_environment(pins: list[str]) -> str:
    """The text of environment.yml for a list of pins."""
    environment = {
        "name": "waveform-to-cloud",
        "channels": ["conda-forge"],
        "dependencies": [*CONDA_PART, {"pip": pins}],
    }
    return CONDA_HEAD + yaml.safe_dump(environment, sort_keys=False)


def main() -> None:
    pins = resolve(root() / "pyproject.toml")
    write_atomic(root() / "requirements.lock", LOCK_HEAD + "\n".join(pins) + "\n")
    write_atomic(root() / "environment.yml", conda_environment(pins))


if __name__ == "__main__":
    main()
