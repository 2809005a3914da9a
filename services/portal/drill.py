"""A drill: an ingestion is killed at random moments, again and again, and the end compared with one that ran through.

Every child process is a real one, and ends by SIGKILL wherever it is: reading, in a transaction, between two, renaming
the file of dead letters. What is compared is all that the portal keeps of logs, row by row, and the dead letters.
"""

import hashlib
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from course.errors import CourseError
from services.portal.made_up import damaged, entries, lines

KIT = Path(__file__).parents[2]
TURNS = 10  # exchanges of a conversation
CHILD = """
import os, sys, time
from pathlib import Path
from services.portal.command import prepare
prepare()
from services.portal.drill import emptied, state
from services.portal.ingestion import ingest_in_a_loop
log, letters = sys.argv[1], Path(sys.argv[2])
for line in sys.stdin:
    if line == "empty\\n":
        emptied()
        continue
    child = os.fork()
    if not child:
        ingest_in_a_loop([log], letters)
        os._exit(0)
    begun = time.perf_counter()
    while not (found := os.waitpid(child, os.WNOHANG))[0] and time.perf_counter() < begun + float(line):
        time.sleep(0.001)
    if not found[0]:
        os.kill(child, 9)
        found = os.waitpid(child, 0)
    print(found[1], time.perf_counter() - begun, state(letters), flush=True)
"""


def run(kills: int, n_entries: int, seed: int = 0) -> str:
    """Kill so many ingestions of one made-up log, let the last one end, and say what came of it.

    Raises:
        CourseError: the end is another than that of an ingestion that ran through, or rows came that do not belong.
    """
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="portal-drill-") as name:
        folder = Path(name)
        log = folder / "calls.jsonl"
        log.write_bytes(damaged(lines(list(entries(max(n_entries // TURNS, 1), TURNS, seed))), seed))
        with Portal(folder / "whole", log) as whole:
            _, seconds, wanted = whole.ingest()
        killed = kept = tries = 0
        with Portal(folder / "killed", log) as portal:
            while killed < kills:
                ended, _, state = portal.ingest(chance.uniform(0, seconds))
                tries, killed = tries + 1, killed + (ended == signal.SIGKILL)
                kept += ended == signal.SIGKILL and not state.endswith(" 0")
                if state == wanted and killed < kills:
                    portal.empty()
            _, _, found = portal.ingest()
    if found != wanted:
        raise CourseError(f"After {killed} kills the portal holds another state than without: {found}, not {wanted}.")
    return (
        f"{killed} of {tries} ingestions of {n_entries} entries were killed, {kept} of them when something had been "
        "kept; after the last one, which ran through, all was as if nobody had been killed."
    )


def state(letters: Path) -> str:
    """A digest of all that the portal keeps of logs, and how many turns these are.

    Raises:
        CourseError: a conversation says something of itself that its turns do not.
    """
    from django.db import connection
    from django.db.models import Max, Min

    from services.portal.models import Conversation, Turn

    seen = Conversation.objects.annotate(first=Min("turns__created"), last=Max("turns__created"))
    if wrong := [one.id for one in seen if (one.opened, one.latest) != (one.first, one.last)]:
        raise CourseError(f"The times of {wrong[0]} are not those of its turns.")
    rows = [*Conversation.objects.order_by("id").values_list(), *Turn.objects.order_by("digest").values_list()]
    files = sorted((path.name, path.read_text()) for path in letters.glob("*") if not path.name.startswith("."))
    content = json.dumps([rows, files], default=str).encode()
    n_turns = Turn.objects.count()
    connection.close()
    return f"{hashlib.sha256(content).hexdigest()} {n_turns}"


def emptied() -> None:
    """Forget all conversations."""
    from django.db import connection

    from services.portal.models import Conversation

    Conversation.objects.all().delete()
    connection.close()


class Portal:
    """A portal of its own whose ingestions are children that can be killed.

    Args:
        folder: for its data.
        log: what it ingests.
    """

    def __init__(self, folder: Path, log: Path):
        self.folder, self.log = folder, log

    def __enter__(self) -> "Portal":
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
        environment.pop("DATABASE_URL", None)
        self._process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(self.log), str(self.folder / "dead-letters")],
            cwd=KIT,
            env=environment | {"PORTAL_DATA": str(self.folder), "DJANGO_SETTINGS_MODULE": "services.portal.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *error) -> None:
        self._process.stdin.close()
        self._process.wait()

    def ingest(self, kill_after: float = math.inf) -> tuple[int, float, str]:
        """Ingest once.

        Args:
            kill_after: seconds from the beginning.

        Returns:
            the signal that ended it, 0 for none; how many seconds it took; and the state behind it.
        """
        answer = self._tell(f"{kill_after}")
        if not answer:
            raise CourseError("An ingestion of the drill failed; what it said is above.")
        ended, seconds, state = answer.split(" ", 2)
        if int(ended) not in (0, signal.SIGKILL):
            raise CourseError(f"An ingestion of the drill failed with status {ended}.")
        return int(ended), float(seconds), state.strip()

    def empty(self) -> None:
        """Forget all conversations."""
        self._process.stdin.write("empty\n")

    def _tell(self, line: str) -> str:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()
