"""The kernel calls that make a sandbox out of a forked process: namespaces, mounts, capabilities, the call filter.

Python 3.11 has none of them. Each function raises OSError with the kernel's reason when the kernel refuses.
Numbers are those of Linux's ``sched.h``, ``mount.h``, ``prctl.h`` and ``capability.h``.
"""

import ctypes
import os
import signal

NEW_NAMESPACES = {
    "mount": 0x00020000,
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}
MS_NOSUID, MS_NODEV = 2, 4
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = (
    1,
    4,
    22,
    24,
    38,
    47,
)
PR_CAP_AMBIENT_CLEAR_ALL, SECCOMP_MODE_FILTER = 4, 2
CAPABILITY_VERSION_3 = 0x20080522
LAST_CAPABILITY = "/proc/sys/kernel/cap_last_cap"
BPF_INSTRUCTION_BYTES = 8

LIBC = ctypes.CDLL(None, use_errno=True)


class FilterProgram(ctypes.Structure):
    """``struct sock_fprog``: a BPF program as the kernel takes it."""

    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


class CapabilityHeader(ctypes.Structure):
    """``struct __user_cap_header_struct``: which process, in which version of the call."""

    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


def unshare(*names: str) -> None:
    """Leave the namespaces of these kinds for new ones; with ``pid`` it is the children that are in the new one."""
    flags = 0
    for name in names:
        flags |= NEW_NAMESPACES[name]
    _demand(LIBC.unshare(flags), f"unshare {', '.join(names)}")


def make_mounts_private() -> None:
    """Let no mount made from now on reach another namespace."""
    _demand(LIBC.mount(None, b"/", None, MS_REC | MS_PRIVATE, None), "make mounts private")


def mount(kind: str, place: str, options: str = "") -> None:
    """Mount a new file system of a kind, without set-user-id files, and without devices but for terminals."""
    flags = MS_NOSUID if kind == "devpts" else MS_NOSUID | MS_NODEV
    done = LIBC.mount(kind.encode(), place.encode(), kind.encode(), flags, options.encode())
    _demand(done, f"mount {kind} at {place}")


def bind(source: str, place: str) -> None:
    """Show what is at ``source``, with all that is mounted in it and as it may be used there, also at ``place``."""
    _demand(LIBC.mount(source.encode(), place.encode(), None, MS_BIND | MS_REC, None), f"bind {place}")


def map_own_ids(uid: int, gid: int) -> None:
    """Give this process, which has just entered a new user namespace, its old ids in there."""
    for file, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{file}", "w") as entry:
            entry.write(text)


def set_inspectable(inspectable: bool) -> None:
    """Whether other processes of the same user may look into this one."""
    _demand(LIBC.prctl(PR_SET_DUMPABLE, int(inspectable), 0, 0, 0), "prctl dumpable")


def drop_bounding_set() -> None:
    """Give up for good every capability that this process or a program that it starts could gain."""
    with open(LAST_CAPABILITY) as file:
        last = int(file.read())
    for capability in range(last + 1):
        _demand(LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), f"drop capability {capability}")
    _demand(LIBC.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "clear ambient capabilities")


def drop_capabilities() -> None:
    """Give up the capabilities that this process has."""
    header = CapabilityHeader(CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _demand(LIBC.capset(ctypes.byref(header), ctypes.byref(nothing)), "capset")


def filter_calls(program: bytes) -> None:
    """Have the kernel ask a BPF program about every system call from now on, also of all descendants."""
    _demand(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl no new privileges")
    rules = FilterProgram(len(program) // BPF_INSTRUCTION_BYTES, program)
    _demand(LIBC.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(rules), 0, 0), "prctl seccomp")


def end_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends; at once, if it has ended already."""
    _demand(LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl parent death signal")
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _demand(outcome: int, what: str) -> None:
    if outcome != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
