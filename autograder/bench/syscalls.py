"""Stopping a program before each system call that changes a file: the tracer of the recovery bench.

The program runs in a forked process. A seccomp filter hands its calls that change files to this process (ptrace), which
sees what is about to happen and decides whether it does. So "killed anywhere" is a list that can be gone through.
See seccomp(2), SECCOMP_RET_TRACE, and ptrace(2), PTRACE_GET_SYSCALL_INFO.
"""

import ctypes
import os
import signal
import struct
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyseccomp

from course.errors import CourseError

TRACEME, CONT, SETOPTIONS, GET_SYSCALL_INFO = 0, 7, 0x4200, 0x420E
OPTION_SECCOMP, OPTION_EXITKILL, EVENT_SECCOMP = 1 << 7, 1 << 20, 7
# struct ptrace_syscall_info for a seccomp stop: op, arch, instruction and stack pointer, number, arguments, filter data
INFO = struct.Struct("=B3xI2Q7QI4x")
PATH_BYTES = 4096
# Where a call has its file: ("fd", argument), ("path", argument) or ("at", argument of the folder), the path behind it.
FILES: dict[str, tuple[tuple[str, int], ...]] = {
    "write": (("fd", 0),),
    "pwrite64": (("fd", 0),),
    "writev": (("fd", 0),),
    "ftruncate": (("fd", 0),),
    "fallocate": (("fd", 0),),
    "fsync": (("fd", 0),),
    "fdatasync": (("fd", 0),),
    "fchmod": (("fd", 0),),
    "open": (("path", 0),),
    "openat": (("at", 0),),
    "creat": (("path", 0),),
    "mkdir": (("path", 0),),
    "mkdirat": (("at", 0),),
    "rename": (("path", 0), ("path", 1)),
    "renameat": (("at", 0), ("at", 2)),
    "renameat2": (("at", 0), ("at", 2)),
    "link": (("path", 0), ("path", 1)),
    "linkat": (("at", 0), ("at", 2)),
    "unlink": (("path", 0),),
    "unlinkat": (("at", 0),),
    "rmdir": (("path", 0),),
    "chmod": (("path", 0),),
    "fchmodat": (("at", 0),),
    "truncate": (("path", 0),),
}
NAMES = tuple(FILES)
OPENING = {"open": 1, "openat": 2}
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
libc.ptrace.restype = ctypes.c_long


@dataclass(frozen=True)
class Call:
    """A system call that is about to be made: its name, the files that it names, and its arguments as numbers."""

    name: str
    paths: tuple[Path, ...]
    arguments: tuple[int, ...]


def trace(work: Callable[[], None], root: Path) -> Iterator[Call]:
    """Run ``work`` in a forked process, and yield each call that changes something below ``root`` before it is made.

    The process goes on when the next call is asked for, and is killed when the iterator is closed. After its end the
    iterator ends; an exception in ``work`` is printed there.

    Raises:
        CourseError: this process may not trace others, or ``work`` failed.
    """
    rules = _filter()
    sys.stdout.flush(), sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _be_traced(work, rules)
    status = None
    try:
        _, status = os.waitpid(pid, 0)
        _ptrace(SETOPTIONS, pid, 0, OPTION_SECCOMP | OPTION_EXITKILL)
        passed_on = 0
        while not (os.WIFEXITED(status) or os.WIFSIGNALED(status)):
            if status >> 8 == signal.SIGTRAP | EVENT_SECCOMP << 8:
                call = _call(pid)
                if call is not None and any(path.is_relative_to(root) for path in call.paths):
                    yield call
            elif os.WSTOPSIG(status) != signal.SIGSTOP:
                passed_on = os.WSTOPSIG(status)
            _ptrace(CONT, pid, 0, passed_on)
            passed_on = 0
            _, status = os.waitpid(pid, 0)
    finally:
        if status is None or os.WIFSTOPPED(status):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    if status != 0:
        raise CourseError(f"The traced program failed (wait status {status}); its error is printed above.")


def _filter() -> pyseccomp.SyscallFilter:
    rules = pyseccomp.SyscallFilter(defaction=pyseccomp.ALLOW)
    for number, name in enumerate(NAMES):
        if pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name) >= 0:
            rules.add_rule(pyseccomp.TRACE(number), name)
    return rules


def _be_traced(work: Callable[[], None], rules: pyseccomp.SyscallFilter) -> None:
    """In the forked process: stop until the tracer is ready, then work, then end without any cleaning up."""
    code = 1
    try:
        os.setpgid(0, 0)
        _ptrace(TRACEME, 0, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        rules.load()
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _call(pid: int) -> Call | None:
    """The call before which the process stands; None for one that opens a file and does not create it."""
    buffer = ctypes.create_string_buffer(INFO.size)
    _ptrace(GET_SYSCALL_INFO, pid, INFO.size, ctypes.addressof(buffer))
    *_, a, b, c, d, e, f, number = INFO.unpack(buffer.raw)
    name, arguments = NAMES[number], (a, b, c, d, e, f)
    if name in OPENING and not arguments[OPENING[name]] & (os.O_CREAT | os.O_TRUNC):
        return None
    return Call(name, tuple(_path(pid, kind, place, arguments) for kind, place in FILES[name]), arguments)


def _path(pid: int, kind: str, place: int, arguments: tuple[int, ...]) -> Path:
    """The path of a file that a call names."""
    if kind == "fd":
        return Path(os.readlink(f"/proc/{pid}/fd/{arguments[place]}"))
    if kind == "path":
        return _folder(pid) / _text(pid, arguments[place])
    folder = ctypes.c_int(arguments[place] & 0xFFFFFFFF).value
    above = _folder(pid) if folder < 0 else Path(os.readlink(f"/proc/{pid}/fd/{folder}"))
    return above / _text(pid, arguments[place + 1])


def _folder(pid: int) -> Path:
    return Path(os.readlink(f"/proc/{pid}/cwd"))


def _text(pid: int, address: int) -> str:
    """The string at an address of another process."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        found = b""
        # A string may end at the end of mapped memory: read up to each page's end.
        while b"\0" not in found and len(found) < PATH_BYTES:
            found += memory.read(4096 - (address + len(found)) % 4096)
    return os.fsdecode(found.split(b"\0", 1)[0])


def _ptrace(request: int, pid: int, address: int, data: int) -> None:
    if libc.ptrace(request, pid, address, data) < 0:
        reason = os.strerror(ctypes.get_errno())
        raise CourseError(f"This machine does not let a process trace another ({reason}); allow ptrace for the bench.")
