"""What surrounds a submission: bubblewrap's options for a lab, and the filter of system calls.

The zygote of a lab sees a read-only system, the interpreter and the environment at the same paths as outside, less
the packages that the lab withholds, and of the kit the driver and what the lab's locked cells import.
"""

import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from autograder.supplies import COURSE, Supplies
from autograder.zygote import WORK
from course.errors import CourseError

HERE = Path(__file__).parent
KIT = "/kit"
WITHHELD = str(HERE / "withheld.py")
KIT_MODULES = ("__init__.py", "driver.py", "namespaces.py", "protocol.py", "zygote.py")
TMP_BYTES = 256 << 20
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
    # Memory that belongs to no process is out of the reach of whoever counts what the processes hold.
    "memfd_create",
    "shmget",
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
    "--hostname",
    "sandbox",
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
# What the zygote needs to make a sandbox and to guard it; the driver of a submission keeps none of them.
CAPABILITIES = ["SETUID", "SETGID", "SETPCAP", "SYS_ADMIN", "SYS_PTRACE", "SYS_NICE", "KILL"]
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


def bubblewrap_options(supplies: Supplies, uid: int) -> list[str]:
    """bubblewrap's options for the zygote of a lab."""
    options = isolation(uid)
    for place in ("/tmp", WORK, "/dev/shm"):
        options += ["--perms", "1777", "--size", str(TMP_BYTES), "--tmpfs", place]
    options += _python_options() + _hiding_options(supplies) + _kit_options(supplies)
    for name, value in (ENVIRONMENT | {"PYTHONPATH": KIT}).items():
        options += ["--setenv", name, value]
    return [*options, "--chdir", WORK, "--remount-ro", "/dev", "--remount-ro", "/"]


def isolation(uid: int) -> list[str]:
    """Namespaces and system folders; a normal user gets a user namespace, and is ``uid`` in there."""
    capabilities = [word for name in CAPABILITIES for word in ("--cap-add", f"CAP_{name}")]
    identity = [] if os.geteuid() == 0 else ["--unshare-user", "--uid", str(uid), "--gid", str(uid)]
    return [*ISOLATION, *capabilities, *identity]


def kit_files(supplies: Supplies) -> Iterator[tuple[Path, Path]]:
    """Each file of the kit that the sandbox has, and its place below the kit's folder in there."""
    for name in KIT_MODULES:
        yield HERE / name, Path("autograder", name)
    for module in supplies.modules:
        yield module, Path("course") / module.relative_to(COURSE)
    for module in supplies.withheld:
        yield Path(WITHHELD), Path("course") / module.relative_to(COURSE)
    for name in supplies.without:
        yield Path(WITHHELD), Path(f"{name}.py")


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
    for source, target in kit_files(supplies):
        place = Path(KIT, target)
        options += _folder(place.parent) + ["--ro-bind", str(source), str(place)]
    return options


def _folder(path: Path) -> list[str]:
    """Make a folder with its parents readable for all; as root bubblewrap would make them for root alone."""
    folders = [folder for folder in (*reversed(path.parents), path) if folder != Path("/")]
    return [word for folder in folders for word in ("--perms", "0755", "--dir", str(folder))]
