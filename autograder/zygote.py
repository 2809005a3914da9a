"""A warm process that has imported what a lab's notebook imports, and forks one walled-in process per submission.

It runs inside bubblewrap, started by :mod:`autograder.sandbox` as ``python -m autograder.zygote FD`` with a socket
that keeps packets apart as file descriptor FD, and executes no line of a student's code. The first packet tells what
to import and the filter of system calls; each later one asks for a sandbox and brings two sockets: one for the driver
and a lifeline. The sandbox ends when its lifeline is closed, whoever closes it and for whatever reason.

A sandbox is two processes in new namespaces with an empty /tmp and working folder. The first has process id 1 there:
it collects the dead, holds the submission to its memory, and is out of the student's reach. The second gives up every
privilege and becomes the driver.
"""

import contextlib
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from autograder import driver, namespaces

WORK = "/submission"
PACKET = 1 << 16
TICK_SECONDS = 0.05
PREFIXES = os.path.realpath(sys.prefix), os.path.realpath(sys.base_prefix)
INODES = 1 << 16
MEMORY = b"memory"
FAULT = b"fault: "
LOWEST_PRIORITY = 19


def main() -> None:
    """Serve requests until all other ends of the socket are closed."""
    requests = socket.socket(fileno=int(sys.argv[1]))
    wanted = json.loads(requests.recv(PACKET))
    for name in wanted["imports"]:
        # A name may be no module but something in one; and what cannot be imported will say so in the notebook.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    shell = driver.make_shell()
    driver.silence()
    # What is frozen is not looked at again, so that a fork does not copy it at its first garbage collection.
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    requests.send(b"ready")
    while True:
        packet, sockets, _, _ = socket.recv_fds(requests, PACKET, 2)
        if not packet:
            return
        _fork_sandbox(json.loads(packet), bytes.fromhex(wanted["filter"]), sockets, shell)


def _fork_sandbox(request: dict[str, Any], rules: bytes, sockets: list[int], shell: driver.Shell) -> None:
    """Fork the first process of a sandbox, through one that makes the process namespace for it and ends."""
    control, lifeline = (socket.socket(fileno=descriptor) for descriptor in sockets)
    with control, lifeline:
        if os.fork():
            return
        try:
            namespaces.unshare("pid")
            if os.fork() == 0:
                _be_first(request, rules, control, lifeline, shell)
        except OSError as error:
            lifeline.send(FAULT + str(error).encode())
        finally:
            os._exit(0)


def _be_first(
    request: dict[str, Any], rules: bytes, control: socket.socket, lifeline: socket.socket, shell: driver.Shell
) -> None:
    """Make the sandbox, fork the driver into it, and stay until it has ended or must end; never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        _wall_in(request)
        child = os.fork()
        if child == 0:
            _be_driver(request, rules, control, lifeline, shell)
        control.close()
        ending = _watch(lifeline, child, request)
    except BaseException as error:
        ending = FAULT + str(error).encode()
    with contextlib.suppress(OSError):
        # Before anything ends, so that whoever notices the end finds the reason.
        lifeline.send(ending)
    _end_all()
    os._exit(0)


def _wall_in(request: dict[str, Any]) -> None:
    """New namespaces, and file systems that nobody else has seen or will see."""
    os.setsid()
    namespaces.set_inspectable(False)
    namespaces.unshare("mount", "ipc", "net", "uts", "cgroup")
    namespaces.make_mounts_private()
    namespaces.mount("proc", "/proc")
    for place in ("/tmp", WORK, "/dev/shm"):
        _empty(place, f"mode=1777,size={request['tmp_bytes']},nr_inodes={INODES}")
    namespaces.mount("devpts", "/dev/pts", "newinstance,ptmxmode=0666,mode=0620")
    # The working folder was the zygote's until now.
    os.chdir(WORK)


def _empty(place: str, options: str) -> None:
    """Put a new, empty file system in the place of a folder, but leave the interpreter if it is in there."""
    kept = {prefix: os.open(prefix, os.O_PATH) for prefix in sorted({*PREFIXES}) if prefix.startswith(f"{place}/")}
    namespaces.mount("tmpfs", place, options)
    for prefix, folder in kept.items():
        os.makedirs(prefix, 0o755, exist_ok=True)
        namespaces.bind(f"/proc/self/fd/{folder}", prefix)
        os.close(folder)


def _be_driver(
    request: dict[str, Any], rules: bytes, control: socket.socket, lifeline: socket.socket, shell: driver.Shell
) -> None:
    """Give up every privilege and serve the grader; never returns."""
    try:
        os.setsid()
        kept = {control.fileno(), lifeline.fileno()}
        for descriptor in range(3, max(kept) + 1):
            if descriptor not in kept:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        os.closerange(max(kept) + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        driver.limit(request["limits"])
        _become(request["uid"])
        namespaces.filter_calls(rules)
        for name in ("IPYTHONDIR", "MPLCONFIGDIR"):
            os.makedirs(os.environ[name], exist_ok=True)
    except Exception as error:
        lifeline.send(FAULT + str(error).encode())
        os._exit(1)
    try:
        lifeline.close()
        driver.serve(control, shell)
    finally:
        os._exit(0)


def _become(uid: int) -> None:
    """Become a user with no privileges: as root another user, else the same one in a user namespace of its own."""
    if os.geteuid() == 0:
        namespaces.drop_bounding_set()
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    else:
        own = os.geteuid(), os.getegid()
        namespaces.set_inspectable(True)
        # The kernel counts the processes of a user for each user namespace.
        namespaces.unshare("user")
        namespaces.map_own_ids(*own)
        namespaces.drop_bounding_set()
    namespaces.drop_capabilities()
    namespaces.set_inspectable(True)


def _watch(line: socket.socket, child: int, request: dict[str, Any]) -> bytes:
    """Wait for the end: the lifeline closes, the driver ends, or memory runs out; say so if it was the memory."""
    while not select.select([line], [], [], TICK_SECONDS)[0]:
        if child in _collect_dead():
            return b""
        others = [pid for pid in _processes() if pid != 1]
        if _resident(others) > request["memory_bytes"] and _proportional(others) > request["memory_bytes"]:
            return MEMORY
        if sum(map(_busy_threads, others)) > request["busy_threads"]:
            _calm(others)
    return b""


def _collect_dead() -> set[int]:
    """Reap what has ended; return the process ids."""
    dead = set()
    with contextlib.suppress(ChildProcessError):
        while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            dead.add(pid)
    return dead


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _resident(processes: Iterable[int]) -> int:
    """Bytes that the processes hold, where what they share counts for each: quick to read, and never too little."""
    return sum(sum(_kilobytes(pid, "status", ("RssAnon:", "RssShmem:"))) for pid in processes) * 1024


def _proportional(processes: Iterable[int]) -> int:
    """Bytes that the processes hold, where what is shared is divided among those who share it."""
    return sum(sum(_kilobytes(pid, "smaps_rollup", ("Pss_Anon:", "Pss_Shmem:"))) for pid in processes) * 1024


def _kilobytes(pid: int, file: str, fields: tuple[str, ...]) -> Iterator[int]:
    """The fields of a file in /proc/PID; nothing for a process that has ended meanwhile."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/{file}") as lines:
        yield from (int(line.split()[1]) for line in lines if line.startswith(fields))


def _busy_threads(pid: int) -> int:
    """How many threads of a process run or wait for a processor."""
    busy = 0
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/stat") as file:
                busy += file.read().rpartition(")")[2].split()[0] == "R"
    return busy


def _calm(processes: Iterable[int]) -> None:
    """Let a crowd run only where nobody else wants the processor, so that it takes no time from other submissions."""
    for pid in processes:
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{pid}/task"):
                os.setpriority(os.PRIO_PROCESS, int(thread), LOWEST_PRIORITY)


def _end_all() -> None:
    """Kill every process of the sandbox and wait until none is left."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


if __name__ == "__main__":
    main()
