"""A fresh, private, walled-in process for one submission, made by bubblewrap.

Inside there is a read-only system, interpreter and environment without the packages that a lab withholds, the few
modules of ``course`` that the lab's own cells import, and the driver; two small tmpfs to write to; no network, no
other process, no way to make a namespace of its own. As root the process gets a user id of its own; a normal user
gets a user namespace. The gradebook, the checks, the labs and other submissions are not there.
"""

import contextlib
import errno
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from autograder.policy import Policy
from autograder.protocol import ProtocolError, receive
from autograder.supplies import COURSE, Supplies
from course.errors import CourseError

FIRST_UID = 60000
SLOTS = 512
START_SECONDS = 60.0
HERE = Path(__file__).parent
KIT, WORK = "/kit", "/submission"
WITHHELD = str(HERE / "withheld.py")
# What a program in the sandbox may ask of the kernel ends where another namespace, another process's memory, a
# device, a module or a key store begins; the kernel's newer interfaces are larger than any lab needs.
DENIED_CALLS = [
    "unshare",
    "setns",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "move_mount",
    "open_tree",
    "mount_setattr",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "kcmp",
    "pidfd_getfd",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "personality",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "keyctl",
    "add_key",
    "request_key",
    "memfd_secret",
    "open_by_handle_at",
    "kexec_load",
    "kexec_file_load",
    "init_module",
    "finit_module",
    "delete_module",
    "swapon",
    "swapoff",
    "reboot",
    "acct",
    "quotactl",
    "syslog",
]
CLONE_NEWUSER = 0x10000000
ISOLATION = [
    "--unshare-ipc",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--die-with-parent",
    "--new-session",
    "--clearenv",
    "--cap-drop",
    "ALL",
    "--ro-bind",
    "/usr",
    "/usr",
    "--symlink",
    "usr/bin",
    "/bin",
    "--symlink",
    "usr/lib",
    "/lib",
    "--symlink",
    "usr/lib64",
    "/lib64",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
]
IDENTITY_CAPABILITIES = ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]
ENVIRONMENT = {
    "PATH": "/usr/bin",
    "HOME": "/tmp",
    "TMPDIR": "/tmp",
    "IPYTHONDIR": "/tmp/ipython",
    "MPLCONFIGDIR": "/tmp/matplotlib",
    "MPLBACKEND": "agg",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
NO_SANDBOX = (
    "Submissions are graded inside a bubblewrap sandbox, and {what}. Install bubblewrap and libseccomp "
    "(Debian, Ubuntu: apt install bubblewrap libseccomp2) and allow user namespaces; or, on a laptop of your own and "
    "for submissions whose authors you trust with everything on it, add --trust-submissions."
)


class SandboxBroken(Exception):
    """The driver did not start: the machine's fault, never the student's."""


@dataclass(frozen=True)
class Sandbox:
    """A driver that is ready: its process and the control socket to it."""

    process: subprocess.Popen
    control: socket.socket


class Bubblewrap:
    """Makes sandboxes with bubblewrap.

    Raises:
        CourseError: this machine cannot make one; the sentence says what to do.
    """

    def __init__(self):
        self.program = shutil.which("bwrap")
        if not self.program:
            raise CourseError(NO_SANDBOX.format(what="there is no program bwrap on this machine"))
        self.filter = seccomp_filter()
        tried = subprocess.run([self.program, *ISOLATION, *_user_options(FIRST_UID), "true"], capture_output=True)
        if tried.returncode:
            reason = tried.stderr.decode(errors="replace").strip()
            raise CourseError(NO_SANDBOX.format(what=f"bwrap does not start here ({reason})"))
        version = subprocess.run([self.program, "--version"], capture_output=True, text=True).stdout.strip()
        self.name = version or "bubblewrap"

    @contextlib.contextmanager
    def start(self, supplies: Supplies, policy: Policy) -> Iterator[Sandbox]:
        """A sandbox whose driver is ready; nothing of it is left at the end.

        Raises:
            SandboxBroken: it did not start.
        """
        with _own_uid() as uid, contextlib.ExitStack() as open_files:
            options = open_files.enter_context(_memory_file(_options(supplies, policy, uid)))
            rules = open_files.enter_context(_memory_file(self.filter))
            command = [self.program, "--args", str(options), "--seccomp", str(rules), *_new_identity(uid)]
            limits = _limits(policy) | {"NPROC": _process_limit(policy)}
            with _running(command, limits, (options, rules), None, Path("/")) as sandbox:
                yield sandbox


class Trusted:
    """Runs the same driver as a plain process of the person who grades: for authors that one trusts."""

    name = "none: submissions were trusted"

    @contextlib.contextmanager
    def start(self, supplies: Supplies, policy: Policy) -> Iterator[Sandbox]:
        """A driver that is ready, in an empty folder that is removed at the end."""
        with tempfile.TemporaryDirectory(prefix=f"course-grade-{os.getpid()}-") as folder:
            kit = _copy_kit(supplies, Path(folder, "kit"))
            work = Path(folder, "submission")
            work.mkdir()
            home = {name: folder for name in ("HOME", "TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR")}
            environment = os.environ | ENVIRONMENT | home | {"PYTHONPATH": str(kit), "PATH": os.environ["PATH"]}
            with _running([], _limits(policy), (), environment, work) as sandbox:
                yield sandbox


def seccomp_filter() -> bytes:
    """The sandbox's system call filter as a BPF program.

    Raises:
        CourseError: libseccomp is not on this machine.
    """
    try:
        import pyseccomp
    except (ImportError, RuntimeError) as error:
        raise CourseError(NO_SANDBOX.format(what=f"libseccomp cannot be loaded ({error})")) from error
    rules = pyseccomp.SyscallFilter(defaction=pyseccomp.ALLOW)
    denied = pyseccomp.ERRNO(errno.EPERM)
    for call in DENIED_CALLS:
        rules.add_rule(denied, call)
    rules.add_rule(denied, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER))
    # The flags of clone3 lie in memory, where a filter cannot look; without it the C library falls back to clone.
    rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _options(supplies: Supplies, policy: Policy, uid: int) -> bytes:
    """bubblewrap's options, NUL-separated: they go through a file, because a command line can be read inside."""
    options = [*ISOLATION, *_user_options(uid)]
    for place, mode, size in (("/tmp", "1777", policy.tmp_bytes), (WORK, "1777", policy.tmp_bytes)):
        options += ["--perms", mode, "--size", str(size), "--tmpfs", place]
    options += ["--perms", "1777", "--size", str(policy.tmp_bytes), "--tmpfs", "/dev/shm"]
    options += _python_options() + _hiding_options(supplies) + _kit_options(supplies)
    for name, value in (ENVIRONMENT | {"PYTHONPATH": KIT}).items():
        options += ["--setenv", name, value]
    options += ["--chdir", WORK, "--remount-ro", "/dev", "--remount-ro", "/"]
    return "\0".join(options).encode() + b"\0"


def _user_options(uid: int) -> list[str]:
    """As root the capabilities to take on another user id, else a user namespace."""
    if os.geteuid() == 0:
        return IDENTITY_CAPABILITIES
    return ["--unshare-user", "--uid", str(uid), "--gid", str(uid)]


def _new_identity(uid: int) -> list[str]:
    if os.geteuid() != 0:
        return []
    identity = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups"]
    return [*identity, "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]


def _python_options() -> list[str]:
    """The interpreter and its environment, read-only, at the same paths as outside."""
    options = []
    for prefix in dict.fromkeys(Path(prefix).resolve() for prefix in (sys.base_prefix, sys.prefix)):
        if not prefix.is_relative_to("/usr"):
            options += _folder(prefix) + ["--ro-bind", str(prefix), str(prefix)]
    # Another interpreter of the same version would hand out its own copies of what a lab withholds.
    for other in Path("/usr/lib").glob("python3*/dist-packages"):
        options += ["--tmpfs", str(other)]
    return options


def _hiding_options(supplies: Supplies) -> list[str]:
    """An empty folder over each hidden folder, a file that raises over each hidden file."""
    options = []
    for path in supplies.hidden:
        covering = ["--perms", "0755", "--tmpfs"] if path.is_dir() else ["--ro-bind", WITHHELD]
        options += [*covering, str(path)]
    return options


def _kit_options(supplies: Supplies) -> list[str]:
    options = []
    for source, target in _kit_files(supplies):
        place = Path(KIT, target)
        options += _folder(place.parent) + ["--ro-bind", str(source), str(place)]
    return options


def _kit_files(supplies: Supplies) -> Iterator[tuple[Path, Path]]:
    """Each file of the kit that the sandbox has, and its place below the kit's folder in there."""
    for name in ("__init__.py", "driver.py", "protocol.py"):
        yield HERE / name, Path("autograder", name)
    for module in supplies.modules:
        yield module, Path("course") / module.relative_to(COURSE)
    for module in supplies.withheld:
        yield Path(WITHHELD), Path("course") / module.relative_to(COURSE)
    for name in supplies.without:
        yield Path(WITHHELD), Path(f"{name}.py")


def _copy_kit(supplies: Supplies, kit: Path) -> Path:
    for source, target in _kit_files(supplies):
        (kit / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, kit / target)
    return kit


def _folder(path: Path) -> list[str]:
    """Make a folder with its parents readable for all; as root bubblewrap would make them for root alone."""
    folders = [folder for folder in (*reversed(path.parents), path) if folder != Path("/")]
    return [word for folder in folders for word in ("--perms", "0755", "--dir", str(folder))]


def _limits(policy: Policy) -> dict[str, int]:
    """Resource limits that the driver puts on itself and its children before any cell runs."""
    return {
        "AS": policy.memory_bytes,
        "CPU": policy.cpu_seconds,
        "FSIZE": policy.file_bytes,
        "NOFILE": policy.open_files,
        "CORE": 0,
    }


def _process_limit(policy: Policy) -> int:
    """The limit counts by user: a user id of its own starts at nothing, a normal user's has processes already."""
    if os.geteuid() == 0:
        return policy.processes
    own = (process.info for process in psutil.process_iter(["uids", "num_threads"]))
    return policy.processes + sum(
        info["num_threads"] or 1 for info in own if info["uids"] and info["uids"].real == os.geteuid()
    )


@contextlib.contextmanager
def _own_uid() -> Iterator[int]:
    """A user id that no other grader on this machine uses now; an abstract socket's name is the lock."""
    for slot in range(SLOTS):
        with socket.socket(socket.AF_UNIX) as lock:
            try:
                lock.bind(f"\0course-grade-slot-{slot}")
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            yield FIRST_UID + slot
            return
    raise SandboxBroken(f"all {SLOTS} sandboxes of this machine are in use")


@contextlib.contextmanager
def _memory_file(content: bytes) -> Iterator[int]:
    """The descriptor of a nameless file, at its start."""
    descriptor = os.memfd_create("course-grade")
    try:
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _running(wrapper: list[str], limits: dict, inherited: tuple, environment: dict | None, folder: Path):
    """Run the driver behind the wrapper and wait until it is ready; end all of it afterwards."""
    ours, theirs = socket.socketpair()
    command = [
        *wrapper,
        sys.executable,
        "-P",
        "-s",
        "-m",
        "autograder.driver",
        str(theirs.fileno()),
        json.dumps(limits),
    ]
    with ours, theirs:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(*inherited, theirs.fileno()),
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
        theirs.close()
        try:
            _wait_ready(process, ours)
            yield Sandbox(process, ours)
        finally:
            _end(process)


def _wait_ready(process: subprocess.Popen, control: socket.socket) -> None:
    try:
        receive(control, time.monotonic() + START_SECONDS)
    except TimeoutError as error:
        raise SandboxBroken(f"the driver was not ready within {START_SECONDS:g} s") from error
    except ProtocolError as error:
        process.kill()
        words = process.communicate()[1].decode(errors="replace").strip().splitlines()
        raise SandboxBroken(words[-1] if words else "the driver ended without a word") from error


def _end(process: subprocess.Popen) -> None:
    """Kill the process with all its descendants, and wait for it.

    bubblewrap takes its whole process namespace along; the walk is for a driver without a sandbox.
    """
    with contextlib.suppress(psutil.NoSuchProcess):
        for descendant in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                descendant.kill()
    process.kill()
    process.wait()
    process.stderr.close()
