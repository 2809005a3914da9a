"""Submissions that use up time, memory, processes, disk, output or stack, or that end their process."""

from hostile_cases.case import ALL, FROM_TARGET_ON, TARGET, Case, adds, replaces

ONLY_TARGET = frozenset({TARGET})
LOOP = "while True:\n    pass"
LOOP_THAT_SWALLOWS = """
while True:
    try:
        while True:
            x = 1
    except BaseException:
        x = 2
"""
DEAF = """
import signal, time
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, signal.SIG_IGN)
"""
SMALL_PROCESSES = """
import os, time
for child in range(20):
    if not os.fork():
        block = bytearray(os.urandom(1 << 20)) * 160
        time.sleep(60)
        os._exit(0)
time.sleep(2.5)
"""
FORK_BOMB = """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
DETACHED = """
import os, subprocess, sys
if not os.fork():
    os.setsid()
    if not os.fork():
        os.closerange(0, 64)
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)", "@STRAGGLER@"])
    os._exit(0)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "@STRAGGLER@"], start_new_session=True)
"""
FILL = """
number = 0
while True:
    with open(f"{folder}/fill-{{number}}", "wb") as file:
        file.write(bytes(1 << 24))
    number += 1
    if number > 200:
        raise RuntimeError("succeeded: 3 GiB written")
"""
# Hashing a tuple asks its items for theirs, in C, without a look at how deep it is.
DEEP_IN_C = """
deep = ()
for level in range(10**6):
    deep = (deep,)
hash(deep)
"""
THREADS = """
import threading, time
for number in range(5000):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
raise RuntimeError("succeeded: 5000 threads")
"""
FILES_OPEN = """
kept = [open("/dev/null") for number in range(100_000)]
raise RuntimeError("succeeded: 100,000 files open")
"""


def in_task(body: str, before: str = "") -> dict[str, str]:
    """The cell of the target task, whose function runs ``body``."""
    lines = body.strip("\n").split("\n")
    return {TARGET: f"{before.strip()}\ndef {TARGET}(signal, n_bits):\n    " + "\n    ".join(lines)}


CASES = [
    Case("loop-in-a-cell", "`while True: pass` in a cell", adds(LOOP), ("timeout",)),
    Case("loop-in-a-task", "`while True: pass` in a task", replaces(in_task(LOOP)), ("timeout",), ONLY_TARGET),
    Case(
        "loop-that-swallows-in-a-cell",
        "a loop in a cell that catches every exception, interrupts too",
        adds(LOOP_THAT_SWALLOWS),
        ("timeout",),
        ALL,
    ),
    Case(
        "loop-that-swallows-in-a-task",
        "the same in a task",
        replaces(in_task(LOOP_THAT_SWALLOWS)),
        ("timeout",),
        ONLY_TARGET,
    ),
    Case("deaf-in-a-cell", "SIGINT and its kin ignored, then a loop, in a cell", adds(DEAF + LOOP), ("timeout",), ALL),
    Case(
        "deaf-in-a-task",
        "the same in a task",
        replaces(in_task(LOOP, before=DEAF)),
        ("timeout",),
        ONLY_TARGET,
    ),
    Case(
        "many-slow-cells",
        "a hundred cells of a second each, none too slow by itself",
        adds(*["import time; time.sleep(1)"] * 100),
        ("timeout",),
        ALL,
    ),
    Case("8-gib-in-a-cell", "asks for 8 GiB in a cell", adds("block = np.zeros(2**30)"), ("memory",)),
    Case(
        "8-gib-in-a-task",
        "asks for 8 GiB in a task",
        replaces(in_task("return np.zeros(2**30)")),
        ("memory",),
        ONLY_TARGET,
    ),
    Case(
        "many-small-processes",
        "20 processes of 160 MiB each, together more than the cap",
        adds(SMALL_PROCESSES),
        ("memory",),
        ALL,
    ),
    Case("fork-bomb", "forks without end, in a loop that ignores failures", adds(FORK_BOMB), ("timeout", "crash"), ALL),
    Case(
        "fork-bomb-in-a-task",
        "the same in a task",
        replaces(in_task(FORK_BOMB)),
        ("timeout",),
        ONLY_TARGET,
    ),
    Case("threads", "starts 5,000 threads", adds(THREADS), ("crash",), ALL, "RuntimeError"),
    Case("open-files", "opens 100,000 files", adds(FILES_OPEN), ("graded",), says="OSError"),
    Case("detached-processes", "leaves two processes behind in sessions of their own", adds(DETACHED)),
    Case("exits-in-a-cell", "`os._exit(0)` in a cell", adds("import os; os._exit(0)"), ("crash",), ALL),
    Case(
        "exits-in-a-task",
        "`os._exit(0)` in a task",
        replaces(in_task("import os; os._exit(0)")),
        ("crash",),
        ONLY_TARGET,
    ),
    Case(
        "kills-its-parent-in-a-cell",
        "`os.kill(os.getppid(), 9)` in a cell",
        adds("import os; os.kill(os.getppid(), 9)"),
        ("graded", "crash"),
    ),
    Case(
        "kills-its-parent-in-a-task",
        "`os.kill(os.getppid(), 9)` in a task",
        replaces(in_task("import os; os.kill(os.getppid(), 9)")),
        ("crash",),
        FROM_TARGET_ON,
    ),
    Case("kills-all-it-sees", "`os.kill(-1, 9)`", adds("import os; os.kill(-1, 9)"), ("graded", "crash")),
    Case(
        "fills-its-folder",
        "writes files into its folder until 3 GiB are full",
        adds(FILL.format(folder=".")),
        says="OSError",
    ),
    Case("fills-tmp", "writes files into /tmp until 3 GiB are full", adds(FILL.format(folder="/tmp")), says="OSError"),
    Case("giant-lines", "prints 20 lines of 20 million letters", adds("for n in range(20): print('x' * 20_000_000)")),
    Case("a-million-lines", "prints a million lines", adds(*["for n in range(10**5): print(n)"] * 10)),
    Case("deep-in-c-in-a-cell", "recursion in C until the stack ends, in a cell", adds(DEEP_IN_C), ("crash",), ALL),
    Case(
        "deep-in-c-in-a-task",
        "the same in a task",
        replaces(in_task(DEEP_IN_C)),
        ("crash",),
        ONLY_TARGET,
    ),
    Case(
        "huge-answer",
        "returns an array of 128 MiB",
        replaces(in_task("return np.ones(2**24)")),
        lost=ONLY_TARGET,
        says="larger than",
    ),
    Case(
        "endless-answer",
        "returns a list that holds itself",
        replaces(in_task("deep = []\ndeep.append(deep)\nreturn deep")),
        lost=ONLY_TARGET,
        says="nested deeper",
    ),
]
