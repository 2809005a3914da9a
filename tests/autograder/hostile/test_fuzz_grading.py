"""Notebooks put together at random from what breaks a Python process, graded from end to end in the sandbox.

Whatever they hold, the grading ends with a result that can be stored, never with a fault of its own; an untouched
release gains no point by it, and the next submission is graded as if nothing had been. ``COURSE_FUZZ_GRADINGS`` sets
how many notebooks are tried (12 if not set).
"""

import json
import os

from hostile_cases.case import POINTS, as_bytes, as_json, notebook
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.result import Result, Status
from autograder.workers import Job, grade_all

EXAMPLES = int(os.environ.get("COURSE_FUZZ_GRADINGS", 12))
FRAGMENTS = [
    "globals().clear()",
    "del np",
    "import sys; sys.modules.clear()",
    "import sys; sys.setrecursionlimit(30)",
    "import sys; sys.stdout = sys.stderr = sys.stdin = None",
    "import sys; sys.path.clear(); sys.meta_path.clear()",
    "import sys; sys.settrace(lambda *args: 1 / 0)",
    "import sys; sys.excepthook = sys.displayhook = sys.unraisablehook = None",
    "import builtins; builtins.Exception = builtins.BaseException = int",
    "import builtins; del builtins.type, builtins.len, builtins.open",
    "import json; json.dumps = json.loads = lambda *args, **kwargs: '{}'",
    "import struct, socket; socket.socket.sendall = socket.socket.recv = None",
    "import time; time.monotonic = lambda: -1e9",
    "import signal; signal.signal = signal.setitimer = None",
    "import signal; signal.alarm(1)",
    "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))",
    "import os; os.close(3)",
    "import os; os.dup2(0, 3)",
    "import os; os.chdir('/'); os.umask(0o777)",
    "import os; os.environ.clear()",
    "import os; os.kill(os.getpid(), 15)",
    "import os; os.kill(os.getpid(), 19)",
    "import os; os.fork()",
    "import os; os.fork = os.waitpid = os.setsid = None",
    "import os; os.nice(19)",
    "import gc; [vars(o).clear() for o in gc.get_objects() if isinstance(o, type(gc))]",
    "import threading; threading.Thread(target=lambda: [0 for _ in iter(int, 1)], daemon=True).start()",
    "import faulthandler; faulthandler._sigsegv()",
    "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))",
    "import resource; resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))",
    "import ctypes; ctypes.memset(id(int) + 16, 0, 64)",
    "import atexit; atexit.register(lambda: [0 for _ in iter(int, 1)])",
    "get_ipython().run_cell = None",
    "get_ipython().reset()",
    "%reset -f",
    "%%bash\nkill -9 $PPID",
    "!sleep 1",
    "exit",
    "raise SystemExit(0)",
    "await __import__('asyncio').sleep(0)",
    "import asyncio; asyncio.new_event_loop = None",
    "def synthesise(*args): return args[-1]",
    "from numpy import *",
    "x = 'é' * 10**8",
    "\x00",
    "(" * 500,
    "-" * 100_000 + "1",
    "# -*- coding: rot13 -*-",
    "from __future__ import braces",
]
CELLS = st.lists(
    st.tuples(st.integers(0, 60), st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=3)), max_size=5
)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="COURSE_FUZZ_GRADINGS" not in os.environ,
    database=None,
)
@given(CELLS)
def test_the_grading_never_fails_and_nothing_is_gained(hostile_assignment, cells):
    document = as_json("release")
    for place, fragments in cells:
        own = {"cell_type": "code", "source": "\n".join(fragments), "metadata": {}, "outputs": []}
        document["cells"].insert(place, own)
    result = graded(hostile_assignment, json.dumps(document).encode())
    assert result.status not in (Status.INFRASTRUCTURE, Status.REFUSED), result.fault
    assert result.score == 0
    assert [task.max_score for task in result.tasks] == list(POINTS.values())
    assert Result.model_validate_json(result.model_dump_json()) == result


def test_afterwards_the_solution_still_earns_everything(hostile_assignment):
    result = graded(hostile_assignment, as_bytes(notebook("solution")))
    assert (result.status, result.score) == (Status.GRADED, sum(POINTS.values()))


def graded(assignment, content: bytes) -> Result:
    ((_, result),) = grade_all([Job(assignment, "fuzz", content)], workers=1)
    return result
