"""What nbgrader needs in a class folder beside the submissions: configuration, source, release, and handing it out."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError
from nbgrader.exchange.default import ExchangeReleaseAssignment
from traitlets.config import Config, PyFileConfigLoader

from autograder.grading import Assignment
from course.errors import CourseError
from course.lab.build import release_notebook, source_notebook, write_notebook
from course.lab.source import Lab
from course.storage import PREFIX, SUFFIX, make_folder, sync_folder, write_atomic

COURSE_ID = "from-waveform-to-cloud"
CONFIG_NAME = "nbgrader_config.py"
CONFIG = f'''# nbgrader, for this class: it was written once, and your changes stay.
import os

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "{COURSE_ID}"
c.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))

# Grade in a sandbox: `nbgrader autograde` and formgrader's button give what `course grade --class` gives.
# Without this one line nbgrader grades as it always does; a lab that is not one of the kit's can only be graded so.
# DANGER: then every submission runs in your account. It can read other submissions, your files and hidden tests, write
# any grade and forge its own. Take the line out only for submissions whose authors you would give your password.
c.Autograde.exporter_class = "autograder.nbgrader.autograde.SandboxedExporter"

# Late submissions, once a lab has a due date in formgrader: "zero" takes all points, "none" takes none.
c.LateSubmissionPlugin.penalty_method = "none"

# What students wrote is shown without its scripts, in formgrader and in nbgrader's feedback.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {{"markdown2html": "autograder.nbgrader.html.safe_markdown"}}
c.HTMLExporter.preprocessors = ["autograder.nbgrader.html.EscapedNames"]

# `nbgrader collect` takes in a link as a link, which is refused later, and never what it points to.
c.ExchangeFactory.collect = "autograder.nbgrader.collect.CollectWithoutFollowing"
# Where nbgrader hands labs out and takes them in. For a class on one server, name a folder that all can reach.
c.Exchange.root = os.path.join(c.CourseDirectory.root, "exchange")

# nbgrader's feedback, a notebook with scores and comments; `feedback` has the pages of `course grade --class`.
c.CourseDirectory.feedback_directory = "feedback-notebooks"
c.ClearSolutions.code_stub = {{"python": "raise NotImplementedError()"}}
'''


def set_up(root: Path, assignments: Iterable[Assignment]) -> None:
    """Write configuration, source and release where they are missing, and hand out what is released for the first time.

    Raises:
        CourseError: nbgrader's exchange cannot be written.
    """
    if not (root / CONFIG_NAME).exists():
        write_atomic(root / CONFIG_NAME, CONFIG)
    for assignment in assignments:
        lab = assignment.lab
        source, released = (root / room / lab.id / f"{lab.id}.ipynb" for room in ("source", "release"))
        if not source.exists():
            write_notebook(source_notebook(lab), source)
        if not released.exists():
            # The release comes last: a run that is killed before it hands the lab out once more.
            _hand_out(root, lab)
            write_notebook(release_notebook(lab), released)


def read_config(root: Path) -> Config:
    """The configuration of nbgrader in a class folder, which is the instructor's own Python; empty if there is none."""
    if not (root / CONFIG_NAME).exists():
        return Config()
    return PyFileConfigLoader(CONFIG_NAME, path=str(root)).load_config()


def _hand_out(root: Path, lab: Lab) -> None:
    """Put a release where interns' assignment list finds it, if the class has the exchange that we configured.

    Formgrader calls a lab a draft until then. An exchange elsewhere is the instructor's to fill. nbgrader hands out
    into a folder beside the exchange, whose parts then get their names, so that interns see all of it or nothing.
    """
    config, exchange = read_config(root), root / "exchange"
    if config.Exchange.get("root") != str(exchange) or (exchange / COURSE_ID / "outbound" / lab.id).exists():
        return
    with tempfile.TemporaryDirectory(dir=root, prefix=PREFIX, suffix=SUFFIX) as scratch:
        write_notebook(release_notebook(lab), Path(scratch) / "release" / lab.id / f"{lab.id}.ipynb")
        _release_into(Path(scratch), lab.id, config)
        _sync_all(Path(scratch))
        _give_names(Path(scratch) / "exchange", exchange, lab.id)


def _release_into(scratch: Path, lab_id: str, config: Config) -> None:
    """Have nbgrader release a lab from and into a class folder of its own."""
    config = config.copy()
    config.CourseDirectory.root, config.Exchange.root = str(scratch), str(scratch / "exchange")
    (scratch / "exchange").mkdir()
    folders = CourseDirectory(config=config, assignment_id=lab_id)
    release = ExchangeReleaseAssignment(coursedir=folders, authenticator=Authenticator(config=config), config=config)
    try:
        release.start()
    except ExchangeError as error:
        raise CourseError(f"{lab_id} cannot be handed out through nbgrader's exchange: {error}") from error


def _sync_all(folder: Path) -> None:
    """Have the disk hold everything below a folder."""
    for path in folder.rglob("*"):
        sync_folder(path)


def _give_names(made: Path, exchange: Path, lab_id: str) -> None:
    """Move what nbgrader made into the exchange: the course's whole folder the first time, else the lab's."""
    make_folder(exchange)
    if not (exchange / COURSE_ID).exists():
        (made / COURSE_ID).rename(exchange / COURSE_ID)
        sync_folder(exchange)
    else:
        outbound = exchange / COURSE_ID / "outbound"
        (made / COURSE_ID / "outbound" / lab_id).rename(outbound / lab_id)
        sync_folder(outbound)
