"""Submissions that reach for what is outside: checks, other people's work, grades, secrets, network, the kernel.

Each adds a cell to the reference solution and ends it with an error that says `contained` or `succeeded`, so that a
test can tell an attack that was stopped from one that never ran.
"""

from hostile_cases.case import Case, adds

PROBE = '''
import ctypes, os, pathlib, shutil, signal, socket, sqlite3, struct, subprocess, sys

refused, succeeded = [], []


def attempt(name, action):
    """Note whether the action brought anything."""
    try:
        found = action()
    except BaseException as error:
        refused.append(f"{name} ({type(error).__name__})")
    else:
        (succeeded if found else refused).append(name)


def reading(path, word=""):
    """Attempt to read a file."""
    attempt(str(path)[-40:], lambda: word in pathlib.Path(path).read_text())

'''
VERDICT = """
raise RuntimeError("succeeded: " + ", ".join(succeeded) if succeeded else "contained: " + ", ".join(refused))
"""


def probe(source: str):
    """A submission that tries the source's attempts and tells how they went."""
    return adds(PROBE + source.strip("\n") + "\n" + VERDICT)


def _case(name: str, what: str, source: str) -> Case:
    return Case(name, what, probe(source), says="contained: ")


DELETES = """
for folder in ("source", "release", "submitted", "results", "feedback", "backups"):
    path = pathlib.Path("@ROOT@", folder)
    attempt(folder, lambda: path.is_dir() and (shutil.rmtree(path) or not path.exists()))
attempt("the course's package", lambda: open("@KIT@/course/__init__.py", "r+b"))
attempt("the environment", lambda: open(np.__file__, "r+b"))
attempt("the system", lambda: open("/usr/bin/owned-by-a-submission", "w"))
"""
READS_CHECKS = """
reading("@KIT@/labs/@LAB@/checks.py", "@check")
reading("@ROOT@/source/@LAB@/@LAB@.ipynb", "cells")
for name in ("checks", "labs", "autograder.grading", "autograder.intake", "course.lab.checking", "course.lab.expect"):
    attempt(f"import {name}", lambda: __import__(name))
for folder, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if name not in ("proc", "sys", "dev", "usr", "site-packages")]
    for name in files:
        if name in ("checks.py", "gradebook.db", "lab.md", "@LAB@.ipynb"):
            attempt(f"found {folder}/{name}", lambda: True)
stack = __import__("inspect").stack()
attempt("the stack of the caller", lambda: any("checks.py" in frame.filename for frame in stack))
"""
READS_OTHERS = """
for place in ("submitted", "autograded", "feedback", "results/submissions", "results"):
    attempt(place, lambda: os.listdir(f"@ROOT@/{place}"))
for folder in ("..", "../..", "../../..", "/submission/..", "/tmp"):
    attempt(f"notebooks in {folder}", lambda: list(pathlib.Path(folder).glob("*/@LAB@/*.ipynb")))
"""
ENVIRONMENT = """
attempt("a secret of the grader", lambda: "@SECRET@" in os.environ.values())
attempt("its own environ", lambda: b"@SECRET@" in open("/proc/self/environ", "rb").read())
attempt("the C library's", lambda: ctypes.CDLL(None).getenv(b"GRADER_SECRET"))
attempt("a shell's", lambda: "@SECRET@" in subprocess.run("env", capture_output=True, text=True).stdout)
"""
PROC = """
WORDS = (b"@SECRET@", b"pytest", b"nbgrader")
for process in filter(str.isdigit, os.listdir("/proc")):
    if int(process) != os.getpid():
        for name in ("environ", "cmdline"):
            path = f"/proc/{process}/{name}"
            attempt(path, lambda: any(word in open(path, "rb").read() for word in WORDS))
        for descriptor in ("cwd", "root", "exe"):
            path = f"/proc/{process}/{descriptor}"
            attempt(path, lambda: os.path.exists(f"{path}/source/@LAB@") or "@ROOT@" in os.readlink(path))
attempt("mounts", lambda: "@ROOT@" in open("/proc/self/mountinfo").read())
attempt("the kernel's log", lambda: open("/dev/kmsg", "rb"))
attempt("the memory of the machine", lambda: open("/proc/kcore", "rb").read(1))
"""
GRADEBOOK = """
def raise_everybody(path):
    with sqlite3.connect(path) as gradebook:
        return gradebook.execute("UPDATE grade SET manual_score = 100").rowcount


for path in ("@ROOT@/gradebook.db", "gradebook.db", "../gradebook.db", "../../../gradebook.db"):
    attempt(path[-30:], lambda: os.path.exists(path) and raise_everybody(path))
attempt("the ledger", lambda: open("@ROOT@/ledger.jsonl", "a"))
attempt("a result of its own", lambda: open("@ROOT@/results/forged.json", "w"))
"""
NETWORK = """
def answered(connection):
    with connection:
        connection.settimeout(0.5)
        connection.send(b"hello")
        return connection.recv(16)


def connected(family, kind, address):
    connection = socket.socket(family, kind)
    connection.settimeout(0.5)
    connection.connect(address)
    return connection


INET, UNIX = socket.AF_INET, socket.AF_UNIX
attempt("TCP on loopback", lambda: answered(connected(INET, socket.SOCK_STREAM, ("127.0.0.1", @TCP@))))
attempt("UDP on loopback", lambda: answered(connected(INET, socket.SOCK_DGRAM, ("127.0.0.1", @UDP@))))
attempt("an abstract socket", lambda: answered(connected(UNIX, socket.SOCK_STREAM, "\\0@ABSTRACT@")))
attempt("TCP to the world", lambda: connected(INET, socket.SOCK_STREAM, ("192.0.2.1", 443)))
attempt("UDP to the world", lambda: answered(connected(INET, socket.SOCK_DGRAM, ("192.0.2.1", 53))))
attempt("a name server", lambda: socket.getaddrinfo("example.org", 443))
attempt("a raw socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("packets", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
"""
NAMESPACE = """
libc = ctypes.CDLL(None, use_errno=True)
NEW_USER = 0x10000000


def cloned(number, *arguments):
    child = libc.syscall(number, *arguments)
    if child == 0:
        os._exit(0)
    return child > 0


attempt("unshare", lambda: libc.unshare(NEW_USER) == 0)
attempt("clone", lambda: cloned(56, NEW_USER | signal.SIGCHLD, 0, 0, 0, 0))
request = struct.pack("11Q", NEW_USER, 0, 0, 0, signal.SIGCHLD, *[0] * 6)
attempt("clone3", lambda: cloned(435, request, len(request)))
attempt("a program", lambda: subprocess.run(["unshare", "--user", "true"], capture_output=True).returncode == 0)
attempt("mount", lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0)
attempt("chroot", lambda: os.chroot("/tmp") is None)
"""
TRACE = """
import time

libc, child = ctypes.CDLL(None, use_errno=True), os.fork()
if not child:
    time.sleep(10)
    os._exit(0)
attempt("ptrace of a child", lambda: libc.ptrace(16, child, 0, 0) == 0)
room = ctypes.create_string_buffer(8)
vector = struct.pack("2Q", ctypes.addressof(room), 8)
attempt("process_vm_readv", lambda: libc.syscall(310, child, vector, 1, vector, 1, 0) == 8)
attempt("pidfd_getfd", lambda: libc.syscall(438, libc.syscall(434, child, 0), 1, 0) >= 0)
os.kill(child, 9)
os.waitpid(child, 0)
"""
PRIVILEGE = """
attempt("another user", lambda: os.setuid(0) is None)
attempt("a device", lambda: os.mknod("/tmp/disk", 0o60666, os.makedev(8, 0)) is None)
attempt("the first process", lambda: os.kill(1, 9) is None and False)
attempt("bpf", lambda: ctypes.CDLL(None).syscall(321, 0, 0, 0) >= 0)
attempt("perf", lambda: ctypes.CDLL(None).syscall(298, 0, 0, -1, -1, 0) >= 0)
attempt("io_uring", lambda: ctypes.CDLL(None).syscall(425, 8, bytes(120)) >= 0)
attempt("keys", lambda: ctypes.CDLL(None).syscall(248, b"user", b"a", b"b", 1, -3) >= 0)
attempt("sudo", lambda: subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0)
"""
STARTUP = """
places = [pathlib.Path.home() / ".ipython/profile_default/startup/00-owned.py", pathlib.Path.home() / ".bashrc"]
places += [pathlib.Path(folder, "sitecustomize.py") for folder in sys.path if folder]
for place in places:
    attempt(str(place.parent), lambda: place.parent.mkdir(parents=True, exist_ok=True))
    attempt(str(place), lambda: place.write_text("# @STRAGGLER@"))
raise RuntimeError(f"contained: {len(succeeded)} files written here, none of which outlives this place")
"""
CASES = [
    _case("deletes-the-course", "deletes the class folder's source, release and submissions, and the course", DELETES),
    _case("reads-hidden-checks", "looks for the hidden checks and the instructor's source", READS_CHECKS),
    _case("reads-other-submissions", "looks for other people's submissions", READS_OTHERS),
    _case("reads-the-environment", "looks for a secret in environment variables", ENVIRONMENT),
    _case("reads-proc", "looks through /proc at other processes", PROC),
    _case("writes-the-gradebook", "gives everybody 100 points in the gradebook", GRADEBOOK),
    _case("network", "talks by TCP, UDP, loopback, abstract Unix socket", NETWORK),
    _case("nested-namespace", "makes a user namespace of its own by unshare, clone and clone3; mounts", NAMESPACE),
    _case("traces", "traces a process and reads its memory", TRACE),
    _case("privilege", "another user, devices, kernel interfaces", PRIVILEGE),
    _case("leaves-start-up-files", "leaves files that later kernels would run at their start", STARTUP),
]
