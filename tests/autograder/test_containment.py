"""What a submission cannot do from inside, how it ends when it tries, and that nothing of it is left."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from autograder.policy import MIB
from autograder.sandbox import Bubblewrap, SandboxBroken, seccomp_filter
from autograder.session import Cell, Session
from autograder.workers import Job, grade_all
from course.errors import CourseError

OUTSIDE = f"course-grade-test-{os.getpid()}"
REFUSED = {
    "write to the system": "open('/usr/bin/owned', 'w')",
    "write to the environment": "import numpy; open(numpy.__file__, 'a')",
    "write beside its folders": "open('/owned', 'w')",
    "write to /dev": "open('/dev/owned', 'w')",
    "another user": "import os; os.setuid(0)",
    "a device": "import os; os.mknod('/tmp/disk', 0o60666, os.makedev(8, 0))",
    "the first process": (
        "import os, time\nos.kill(1, 9)\ntime.sleep(0.3)\nos.kill(1, 0)\nraise PermissionError('it lives on')"
    ),
    "the first process's environment": "open('/proc/1/environ').read()",
    "tracing": "import ctypes; assert ctypes.CDLL(None, use_errno=True).ptrace(0, 0, 0, 0) == 0",
    "a nested user namespace": "import ctypes; assert ctypes.CDLL(None).unshare(0x10000000) == 0",
    "a nested user namespace by clone": (
        "import ctypes; assert ctypes.CDLL(None).syscall(56, 0x10000000 | 17, 0, 0, 0, 0) >= 0"
    ),
    "mounting": "import ctypes; assert ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0",
    "a network by TCP": "import socket; socket.create_connection(('127.0.0.1', 22), 1)",
    "a network by UDP": "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    "a name server": "import socket; socket.getaddrinfo('localhost.example', 80)",
    "an abstract socket outside": f"import socket; socket.socket(socket.AF_UNIX).connect('\\0{OUTSIDE}')",
    "raising its limits": "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**40, 2**40))",
    "filling the disk": "[open(f'/tmp/{n}', 'wb').write(bytes(2**20)) for n in range(4096)]",
    "filling its folder": "[open(f'/submission/{n}', 'wb').write(bytes(2**20)) for n in range(4096)]",
    "filling the shared memory": "[open(f'/dev/shm/{n}', 'wb').write(bytes(2**20)) for n in range(4096)]",
    "8 GiB": "bytearray(8 << 30)",
    "a thousand processes": """
import os, time
children = []
try:
    for n in range(1000):
        child = os.fork()
        if not child:
            time.sleep(60)
            os._exit(0)
        children.append(child)
finally:
    for child in children:
        os.kill(child, 9)
        os.waitpid(child, 0)
""",
}


@pytest.fixture(scope="module")
def session(assignment):
    with socket.socket(socket.AF_UNIX) as outside:
        outside.bind(f"\0{OUTSIDE}")
        outside.listen()
        policy = assignment.policy.model_copy(update={"total_seconds": 600})  # one session for every attempt
        with assignment.runner.start(assignment.supplies, policy) as sandbox:
            yield Session(sandbox, policy, {})


@pytest.mark.parametrize("attempt", REFUSED)
def test_inside_it_is_refused(session, attempt):
    stopped = session.execute(Cell("c", "the cell", REFUSED[attempt]))
    assert stopped is not None, "it worked"
    expected = {"8 GiB": "MemoryError", "a name server": "gaierror", "raising its limits": "ValueError"}
    refusals = {"OSError", "PermissionError", "AssertionError", "BlockingIOError", "ConnectionRefusedError"}
    assert stopped.type_name in ({expected[attempt]} if attempt in expected else refusals), stopped


WALK = """
import os, sys

known = ["/proc", "/dev", "/usr", "/bin", "/lib", "/lib64", "/kit", "/submission", "/tmp", sys.prefix, sys.base_prefix]
strange = []
for folder, subfolders, files in os.walk("/"):
    subfolders[:] = [name for name in subfolders if os.path.join(folder, name) not in known]
    strange += [os.path.join(folder, name) for name in files]
raise ValueError(strange, os.getuid(), sorted(os.environ))
"""


def test_inside_there_is_only_the_submission(session):
    """The system, the environment and the submission; folders on the way to the environment are empty otherwise."""
    stopped = session.execute(Cell("c", "the cell", WALK))
    assert stopped.message.startswith("([], "), stopped.message
    if os.geteuid() == 0:
        assert ", 60" in stopped.message
    assert "TOKEN" not in stopped.message


ENDINGS = {
    "loops in a cell": ("while True: pass", "timeout", 9),
    "loops in a cell and swallows interrupts": (
        "while True:\n    try:\n        while True:\n            x = 1\n    except BaseException:\n        x = 2",
        "timeout",
        0,
    ),
    "ends the process in a cell": ("import os; os._exit(0)", "crash", 0),
    "breaks the channel in a cell": (
        "import os\nos.closerange(3, 256)",
        "crash",
        0,
    ),
    "asks for 8 GiB in a cell": ("block = np.ones(2**30)", "memory", 9),
    "prints a hundred megabytes": ("for n in range(10): print('x' * 10**7)", "graded", 9),
    "prints many lines": ("for n in range(10**5): print(n)", "graded", 9),
    "loops in a task": ("def normalise(signal, level):\n    while True: pass", "timeout", 6),
    "swallows interrupts in a task": (
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ndef normalise(*args):\n    while True:\n"
        "        try:\n            while True: x = 1\n        except BaseException: x = 2",
        "timeout",
        6,
    ),
    "ends the process in a task": ("import os\ndef normalise(signal, level): os._exit(0)", "crash", 6),
    "dies by a signal in a task": (
        "import ctypes\ndef normalise(signal, level): ctypes.string_at(0)",
        "crash",
        6,
    ),
    "asks for 8 GiB in a task": ("def normalise(signal, level): return np.ones(2**30)", "memory", 6),
    "returns more than a frame holds": ("def normalise(signal, level): return np.ones(2**24)", "graded", 6),
    "returns a list without end": (
        "def normalise(signal, level):\n    deep = []\n    deep.append(deep)\n    return deep",
        "graded",
        6,
    ),
    "kills its parent in a task": (
        "import os\ndef normalise(signal, level): os.kill(os.getppid(), 9)",
        "crash",
        4,
    ),
    "keeps the oracle busy": (
        "def normalise(signal, level):\n    while True: rms_level(np.zeros(2**19))",
        "timeout",
        6,
    ),
    "leaves a process behind": (
        "import os, time\nif not os.fork():\n    os.setsid()\n    time.sleep(3000)\n    os._exit(0)",
        "graded",
        9,
    ),
}


@pytest.fixture(scope="module")
def results(submission, grade_many):
    return grade_many({name: submission(added=[source]) for name, (source, _, _) in ENDINGS.items()})


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_ending_has_its_status_and_keeps_other_tasks(results, ending):
    _, status, score = ENDINGS[ending]
    assert (results[ending].status, results[ending].score) == (status, score)
    assert results[ending].sentence


def test_nothing_is_left(results, session):
    """All sandboxes of this module have ended with everything started in them, but for the one of a fixture."""
    assert len(_firsts()) == 1
    assert not list(Path(tempfile.gettempdir()).glob(f"course-grade-{os.getpid()}-*"))
    assert "submission" not in Path("/proc/self/mounts").read_text()


def _firsts():
    """Descendants of this process that are process 1 of a sandbox: their ids outside, for bubblewrap, and inside."""
    inner = []
    for one in psutil.Process().children(recursive=True):
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{one.pid}/status").read_text()
            ids = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[1:]
            inner += [one] if len(ids) == 3 and ids[-1] == "1" else []
    return inner


def test_a_machine_without_bubblewrap_is_told_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CourseError, match="apt install bubblewrap") as error:
        Bubblewrap()
    assert "--trust-submissions" in str(error.value)


def test_a_warm_process_that_cannot_start_is_the_machines_fault(assignment, monkeypatch):
    monkeypatch.setattr("autograder.walls.ENVIRONMENT", {"PATH": "/usr/bin", "PYTHONHOME": "/nowhere"})
    with pytest.raises(SandboxBroken, match="encodings"):
        Bubblewrap().prepare(assignment.supplies)


def test_a_warm_process_that_was_killed_is_started_again(assignment):
    runner = Bubblewrap()
    before = runner.prepare(assignment.supplies)
    before.process.kill()
    before.process.wait()
    with runner.start(assignment.supplies, assignment.policy) as sandbox:
        assert Session(sandbox, assignment.policy, {}).execute(Cell("c", "the cell", "1")) is None
    assert runner.prepare(assignment.supplies) is not before
    runner.close()


def test_a_machine_that_forbids_nested_namespaces_is_told(assignment, monkeypatch):
    monkeypatch.setattr("autograder.walls.CAPABILITIES", ["SETUID", "SETGID", "SETPCAP"])
    with pytest.raises(CourseError, match=r"a sandbox does not start here \(.*unshare pid: Operation not permitted"):
        Bubblewrap().prepare(assignment.supplies)


def test_the_warm_process_ends_with_its_owner():
    """Also when the owner is killed: then nobody holds an end of the socket any more."""
    source = (
        "import time; from autograder.sandbox import Bubblewrap; from autograder.supplies import supplies_of\n"
        "runner = Bubblewrap(); print(runner.prepare(supplies_of([], [])).process.pid, flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True)
    zygote = psutil.Process(int(owner.stdout.readline()))
    family = [zygote, *zygote.children(recursive=True)]
    owner.kill()
    owner.communicate()
    assert psutil.wait_procs(family, timeout=20)[1] == []


def stopped_by(assignment, sandbox, source, policy=None):
    return Session(sandbox, policy or assignment.policy, {}).execute(Cell("c", "the cell", source))


def test_two_submissions_share_nothing_that_can_be_written(assignment):
    """What one leaves where it may write is not there for one that runs beside it."""
    places = "('/tmp', '/submission', '/dev/shm', '.')"
    write = f"import os\nterminal = os.openpty()\n[open(f'{{place}}/left', 'w').write('x') for place in {places}]"
    look = f"import os\nfound = [place for place in {places} if 'left' in os.listdir(place)] + os.listdir('/dev/pts')"
    start = assignment.runner.start
    with (
        start(assignment.supplies, assignment.policy) as first,
        start(assignment.supplies, assignment.policy) as second,
    ):
        assert stopped_by(assignment, first, write) is None
        assert stopped_by(assignment, second, look + "\nassert found == ['ptmx'], found") is None


@pytest.fixture
def patient(policy):
    """Time enough for what takes a busy machine long."""
    return policy.model_copy(update={"cell_seconds": 30.0})


MANY_SMALL = """
import os, time
for n in range(30):
    if not os.fork():
        block = bytearray(os.urandom(1 << 20) * 60)
        time.sleep(60)
        os._exit(0)
time.sleep(60)
"""


def test_small_processes_may_not_hold_more_together(assignment, patient, submission):
    ((_, result),) = grade_all([Job(replace(assignment, policy=patient), "ada", submission(added=[MANY_SMALL]))], 1)
    assert result.status == "memory"


def test_what_processes_share_counts_once(assignment, patient):
    """Ten children that keep their parent's 150 MiB hold 150 MiB, not 1,650."""
    source = """
import os, time
block = bytearray(os.urandom(1 << 20) * 150)
children = []
for _ in range(10):
    child = os.fork()
    if not child:
        time.sleep(1)
        os._exit(0)
    children.append(child)
assert all(os.waitpid(child, 0)[1] == 0 for child in children)
"""
    with assignment.runner.start(assignment.supplies, assignment.policy) as sandbox:
        assert stopped_by(assignment, sandbox, source, patient) is None
        assert not sandbox.out_of_memory


def test_a_crowd_makes_way_for_others(assignment, patient):
    source = """
import os, time
children = []
for _ in range(20):
    child = os.fork()
    if not child:
        while True: pass
    children.append(child)
deadline = time.monotonic() + 10
while time.monotonic() < deadline and any(os.getpriority(os.PRIO_PROCESS, child) < 19 for child in children):
    time.sleep(0.1)
raise ValueError(*{os.getpriority(os.PRIO_PROCESS, child) for child in children})
"""
    with assignment.runner.start(assignment.supplies, patient) as sandbox:
        assert stopped_by(assignment, sandbox, source, patient).message == "19"


def test_limits_are_what_the_policy_says(assignment, session):
    source = "import resource as r; raise ValueError(r.getrlimit(r.RLIMIT_AS)[1], r.getrlimit(r.RLIMIT_CORE)[1])"
    assert session.execute(Cell("c", "the cell", source)).message == f"({2048 * MIB}, 0)"


def test_the_filter_is_a_program_of_bpf_instructions():
    program = seccomp_filter()
    assert len(program) % 8 == 0
    assert len(program) > 8 * 30
