"""Running Jupyter Book's engine on the staged project."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from course.errors import CourseError
from course.site.issues import read_issues, told
from course.site.stage import Staging
from course.storage import write_atomic

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
COMMAND = ("jupyter-book", "build", "--html", "--execute", "--strict", "--ci")
TOLD = (
    (re.compile(r"Executing notebook \((.+?)\)"), r"executing \1"),
    (re.compile(r"Built (\S+\.md) in"), r"read \1"),
    (re.compile(r"Content server started"), "writing the pages"),
)


def run_engine(staging: Staging, manifest: Path, config_dir: Path, tell: Callable[[str], None]) -> Path:
    """Build the staged project; returns the folder with the HTML.

    Args:
        staging: the project.
        manifest: the theme's manifest (``write_manifest``).
        config_dir: a folder of ours for Jupyter's configuration.
        tell: called with a few words whenever the engine gets somewhere.

    Raises:
        CourseError: a page has a mistake or a cell raised: all complaints, each with file and line.
    """
    with engine_process(staging, manifest, config_dir) as process:
        log = list(following(process.stdout, tell))
        code = process.wait()
    if issues := read_issues(log):
        raise told(issues, staging)
    if code != 0:
        raise CourseError("The site engine ended with an error and named no page:\n" + "".join(log[-30:]))
    return staging.folder / "_build" / "html"


@contextmanager
def engine_process(staging: Staging, manifest: Path, config_dir: Path) -> Iterator[subprocess.Popen]:
    """The engine in a process group of its own, of which nothing is left afterwards.

    It starts a Jupyter server that it does not stop, so the whole group is ended when the engine is done.
    """
    write_atomic(config_dir / "jupyter_server_config.json", json.dumps({"ServerApp": {"allow_root": True}}))
    bin_dir = Path(sys.executable).parent
    process = subprocess.Popen(
        [str(bin_dir / COMMAND[0]), *COMMAND[1:]],
        cwd=staging.folder,
        env=environment(staging, manifest, config_dir, bin_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        end_group(process.pid)
        process.wait()
        process.stdout.close()


def environment(staging: Staging, manifest: Path, config_dir: Path, bin_dir: Path) -> dict[str, str]:
    """The engine's environment: this Python and its Node first on the path, one thread per library."""
    search_path = f"{bin_dir}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {
        **os.environ,
        **staging.environment,
        **dict.fromkeys(THREADS, "1"),
        "PATH": search_path,
        "JUPYTER_CONFIG_DIR": str(config_dir),
        "JUPYTER_RUNTIME_DIR": str(config_dir / "runtime"),
        "COURSE_SITE_MANIFEST": str(manifest),
    }


def end_group(group: int, patience: float = 10.0) -> None:
    """Ask every process of the group to end, wait, and kill what is left."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + patience
        try:
            os.killpg(group, number)
            while time.monotonic() < deadline:
                os.killpg(group, 0)
                time.sleep(0.05)
        except ProcessLookupError:
            return


def following(stream, tell: Callable[[str], None]) -> Iterator[str]:
    """The stream's lines; what they say about progress is told on the way."""
    for line in stream:
        for pattern, words in TOLD:
            if found := pattern.search(line):
                tell(found.expand(words))
        yield line
