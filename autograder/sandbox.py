"""A fresh, private, walled-in process for one submission, forked from a warm one that bubblewrap holds.

For each lab there is a zygote (:mod:`autograder.zygote`), a process that bubblewrap starts with a read-only system,
interpreter and environment without the packages that the lab withholds, and the few modules of ``course`` that the
lab's own cells import. It has imported what the lab imports, and forks a sandbox for each submission: small private
tmpfs to write to; no network, no other process, no way to make a namespace of its own. As root the process gets a
user id of its own; a normal user gets a user namespace. The gradebook, the checks, the labs and other submissions are
not there.
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
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from autograder.policy import Policy
from autograder.protocol import ProtocolError, receive
from autograder.supplies import Supplies
from autograder.walls import ENVIRONMENT, NO_SANDBOX, bubblewrap_options, isolation, kit_files, seccomp_filter
from autograder.zygote import FAULT, MEMORY, PACKET
from course.errors import CourseError

FIRST_UID = 60000
SLOTS = 512
START_SECONDS = 120.0
# Whatever a lab imports, students plot; to import this and to list the fonts takes seconds.
WARM_IMPORTS = ("matplotlib.pyplot", "matplotlib_inline.backend_inline")
END_SECONDS = 20.0


class SandboxBroken(Exception):
    """The sandbox did not start or did not end: the machine's fault, never the student's."""


@dataclass(frozen=True)
class Sandbox:
    """A driver that is ready.

    Attributes:
        control: the socket on which it is asked.
        lifeline: the socket of the process that guards it; None where there is none.
    """

    control: socket.socket
    lifeline: socket.socket | None = None

    def last_words(self) -> bytes:
        """What the guard has said, which it does when it ends the sandbox for a reason of its own."""
        if self.lifeline is None:
            return b""
        try:
            return self.lifeline.recv(PACKET, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError:
            return b""

    @property
    def out_of_memory(self) -> bool:
        """Whether it ended because its processes together held more memory than they may."""
        return self.last_words() == MEMORY


class Bubblewrap:
    """Makes sandboxes with bubblewrap, forked from one warm process for each lab.

    The warm processes end with this object, or with the process that made it.

    Raises:
        CourseError: this machine cannot make one; the sentence says what to do.
    """

    def __init__(self):
        self.program = shutil.which("bwrap")
        if not self.program:
            raise CourseError(NO_SANDBOX.format(what="there is no program bwrap on this machine"))
        self.filter = seccomp_filter()
        tried = subprocess.run([self.program, *isolation(FIRST_UID), "true"], capture_output=True)
        if tried.returncode:
            reason = tried.stderr.decode(errors="replace").strip()
            raise CourseError(NO_SANDBOX.format(what=f"bwrap does not start here ({reason})"))
        version = subprocess.run([self.program, "--version"], capture_output=True, text=True).stdout.strip()
        self.name = version or "bubblewrap"
        self._zygotes: dict[str, Zygote] = {}
        self._end = weakref.finalize(self, _end_zygotes, self._zygotes)

    def begin(self, supplies: Supplies) -> "Zygote":
        """Start the warm process of a lab, if it does not run, and do not wait for it."""
        zygote = self._zygotes.get(supplies.digest)
        if zygote is None or not zygote.alive:
            zygote = self._zygotes[supplies.digest] = Zygote(self.program, supplies, self.filter)
        return zygote

    def prepare(self, supplies: Supplies) -> "Zygote":
        """Have the warm process of a lab ready; processes that are forked later will find it.

        Raises:
            SandboxBroken: it did not start.
            CourseError: it started, but this machine does not let it make a sandbox.
        """
        zygote = self.begin(supplies)
        if not zygote.ready:
            zygote.wait()
            try:
                with zygote.sandbox(Policy()):
                    pass
            except SandboxBroken as error:
                raise CourseError(NO_SANDBOX.format(what=f"a sandbox does not start here ({error})")) from error
        return zygote

    @contextlib.contextmanager
    def start(self, supplies: Supplies, policy: Policy) -> Iterator[Sandbox]:
        """A sandbox whose driver is ready; nothing of it is left at the end.

        Raises:
            SandboxBroken: it did not start, or did not end.
        """
        with self.prepare(supplies).sandbox(policy) as sandbox:
            yield sandbox

    def close(self) -> None:
        """End the warm processes."""
        self._end()


class Zygote:
    """The warm process of one lab, from the outside; see :mod:`autograder.zygote`.

    Attributes:
        ready: whether it has imported what it should.
    """

    def __init__(self, program: str, supplies: Supplies, filter_program: bytes):
        self.owner, self.ready = os.getpid(), False
        self.requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        options = "\0".join(bubblewrap_options(supplies, FIRST_UID)).encode() + b"\0"
        # Through a file, because a command line can be read from inside.
        with theirs, _memory_file(options) as file:
            command = [program, "--args", str(file), *_python("autograder.zygote", str(theirs.fileno()))]
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(file, theirs.fileno()),
                start_new_session=True,
            )
        wanted = {"imports": [*supplies.imports, *WARM_IMPORTS], "filter": filter_program.hex()}
        # One that does not start is noticed when it is waited for.
        with contextlib.suppress(OSError):
            self.requests.send(json.dumps(wanted).encode())

    @property
    def alive(self) -> bool:
        """Whether it runs, as far as this process can know: its parent knows, and others trust that it does."""
        return os.getpid() != self.owner or self.process.poll() is None

    def wait(self) -> None:
        """Wait until it has imported everything.

        Raises:
            SandboxBroken: it did not start.
        """
        try:
            self.requests.settimeout(START_SECONDS)
            if not self.requests.recv(PACKET):
                raise ConnectionError("it ended without a word")
            self.requests.settimeout(None)
            self.ready = True
        except OSError as error:
            self.process.kill()
            words = self.process.communicate()[1].decode(errors="replace").splitlines()
            self.requests.close()
            reason = next((line for line in reversed(words) if "Error" in line), words[-1] if words else error)
            raise SandboxBroken(f"the warm process did not start ({reason})") from error

    @contextlib.contextmanager
    def sandbox(self, policy: Policy) -> Iterator[Sandbox]:
        """A sandbox whose driver is ready; nothing of it is left at the end.

        Raises:
            SandboxBroken: it did not start, or did not end.
        """
        with _own_uid() as uid, contextlib.ExitStack() as sockets:
            control, driver_end = map(sockets.enter_context, socket.socketpair())
            lifeline, guard_end = map(sockets.enter_context, socket.socketpair())
            with driver_end, guard_end:
                self._request(_request(policy, uid), [driver_end.fileno(), guard_end.fileno()])
            sandbox = Sandbox(control, lifeline)
            try:
                _wait_ready(sandbox)
                yield sandbox
            finally:
                _let_go(lifeline)

    def end(self) -> None:
        """End the process and every sandbox that it forked."""
        self.requests.close()
        if os.getpid() == self.owner:
            _end(self.process)

    def _request(self, request: dict, descriptors: list[int]) -> None:
        try:
            socket.send_fds(self.requests, [json.dumps(request).encode()], descriptors)
        except OSError as error:
            raise SandboxBroken(f"the warm process is gone ({error.strerror})") from error


class Trusted:
    """Runs the same driver as a plain process of the person who grades: for authors that one trusts."""

    name = "none: submissions were trusted"

    def begin(self, supplies: Supplies) -> None:
        """Nothing to begin: each driver starts afresh."""

    def prepare(self, supplies: Supplies) -> None:
        """Nothing to prepare: each driver starts afresh."""

    @contextlib.contextmanager
    def start(self, supplies: Supplies, policy: Policy) -> Iterator[Sandbox]:
        """A driver that is ready, in an empty folder that is removed at the end."""
        with tempfile.TemporaryDirectory(prefix=f"course-grade-{os.getpid()}-") as folder:
            kit = _copy_kit(supplies, Path(folder, "kit"))
            work = Path(folder, "submission")
            work.mkdir()
            home = {name: folder for name in ("HOME", "TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR")}
            environment = os.environ | ENVIRONMENT | home | {"PYTHONPATH": str(kit), "PATH": os.environ["PATH"]}
            with _plain_driver(_limits(policy), environment, work) as sandbox:
                yield sandbox


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-P", "-s", "-m", module, *arguments]


def _request(policy: Policy, uid: int) -> dict:
    """What the zygote is to be told about a sandbox."""
    return {
        "uid": uid,
        "limits": _limits(policy) | {"NPROC": policy.processes},
        "tmp_bytes": policy.tmp_bytes,
        "memory_bytes": policy.total_memory_bytes,
        "busy_threads": policy.busy_threads,
    }


def _limits(policy: Policy) -> dict[str, int]:
    """Resource limits that the driver puts on itself and its children before any cell runs."""
    return {
        "AS": policy.memory_bytes,
        "CPU": policy.cpu_seconds,
        "FSIZE": policy.file_bytes,
        "NOFILE": policy.open_files,
        "CORE": 0,
    }


def _copy_kit(supplies: Supplies, kit: Path) -> Path:
    for source, target in kit_files(supplies):
        (kit / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, kit / target)
    return kit


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
def _plain_driver(limits: dict[str, int], environment: dict[str, str], folder: Path) -> Iterator[Sandbox]:
    """A driver without walls; it and its descendants are ended afterwards."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            process = subprocess.Popen(
                _python("autograder.driver", str(theirs.fileno()), json.dumps(limits)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=environment,
                cwd=folder,
                start_new_session=True,
            )
        try:
            _wait_ready(Sandbox(ours))
            yield Sandbox(ours)
        finally:
            _end(process)


def _wait_ready(sandbox: Sandbox) -> None:
    try:
        receive(sandbox.control, time.monotonic() + START_SECONDS)
    except TimeoutError as error:
        raise SandboxBroken(f"the driver was not ready within {START_SECONDS:g} s") from error
    except ProtocolError as error:
        words = sandbox.last_words().removeprefix(FAULT).decode(errors="replace")
        raise SandboxBroken(words or "the driver ended without a word") from error


def _let_go(lifeline: socket.socket) -> None:
    """Close our end of the lifeline, and wait until the guard has ended everything and then itself."""
    try:
        lifeline.shutdown(socket.SHUT_WR)
        lifeline.settimeout(END_SECONDS)
        while lifeline.recv(PACKET):
            pass
    except TimeoutError as error:
        raise SandboxBroken(f"the sandbox had not ended after {END_SECONDS:g} s") from error
    except OSError as error:
        # Reset: the guard and all of its sandbox are gone already.
        if error.errno not in (errno.ECONNRESET, errno.ENOTCONN):
            raise


def _end_zygotes(zygotes: dict[str, Zygote]) -> None:
    for zygote in zygotes.values():
        zygote.end()
    zygotes.clear()


def _end(process: subprocess.Popen) -> None:
    """Kill the process with all its descendants, and wait for it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for descendant in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                descendant.kill()
    process.kill()
    process.wait()
    if process.stderr:
        process.stderr.close()
