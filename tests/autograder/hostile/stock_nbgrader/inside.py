"""In the throw-away sandbox: autograde one submission with stock nbgrader and tell what became of everything.

Run as ``python inside.py REQUEST`` by the sandbox's first user, who stays out of the reach of the submission; nbgrader
and its kernel run as another one, under limits that protect the machine and nothing else.
"""

import contextlib
import json
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

SCORES = """
SELECT submitted_assignment.student_id, SUM(COALESCE(grade.manual_score, grade.auto_score, 0))
FROM grade JOIN submitted_notebook ON grade.notebook_id = submitted_notebook.id
JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id
GROUP BY submitted_assignment.student_id
"""


def main() -> None:
    """Autograde, look around, print what was found as JSON."""
    request = json.loads(sys.argv[1])
    root, uid = Path(request["root"]), request["uid"]
    subprocess.run(["cp", "-a", "/staged/.", str(root)], check=True)
    subprocess.run(["chown", "-R", "--no-dereference", f"{uid}:{uid}", str(root), "/tmp"], check=True)
    _listen(request)
    start = time.monotonic()
    exit_code, words = _autograde(request)
    found = {"exit_code": exit_code, "words": words, "seconds": round(time.monotonic() - start, 1)}
    found |= {"left_behind": len(_processes_of(uid)), "start_up_files": _start_up_files()}
    _kill(uid)
    found |= _gradebook(root) | {"said": _said(root, request["student"])}
    found["missing"] = [name for name in request["expected"] if not (root / name).exists()]
    print(json.dumps(found))


def _listen(request: dict) -> None:
    """Be the other services of the machine, which answer whoever reaches them."""
    for family, kind, address in (
        (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", request["tcp"])),
        (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", request["udp"])),
        (socket.AF_UNIX, socket.SOCK_STREAM, "\0" + request["abstract"]),
    ):
        listening = socket.socket(family, kind)
        listening.bind(address)
        if kind == socket.SOCK_STREAM:
            listening.listen()
        threading.Thread(target=_echo, args=(listening,), daemon=True).start()


def _echo(listening: socket.socket) -> None:
    while True:
        with contextlib.suppress(OSError):
            if listening.type == socket.SOCK_DGRAM:
                listening.sendto(*listening.recvfrom(16))
                continue
            connection, _ = listening.accept()
            with connection:
                connection.sendall(connection.recv(16))


def _autograde(request: dict) -> tuple[int | None, str]:
    """Run nbgrader; return its exit code (None: it was not done in time) and its last word."""
    limits = {"AS": request["memory"], "NPROC": request["processes"], "FSIZE": 1 << 31, "CORE": 0}

    def limit() -> None:
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))

    # The Python program and not nbgrader's script, whose first line may be longer than the kernel reads.
    program = "import sys; from nbgrader.apps.nbgraderapp import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "autograde", request["assignment"], "--student", request["student"]]
    log = Path("/tmp/log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--force"],
            cwd=request["root"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            user=request["uid"],
            group=request["uid"],
            extra_groups=[],
            preexec_fn=limit,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(request["seconds"])
    lines = [line for line in log.read_bytes().decode(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line or "Error" in line]
    return process.poll(), (errors or lines or [""])[-1][-300:]


def _processes_of(uid: int) -> list[int]:
    """The processes of a user that are alive."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
            if os.stat(f"/proc/{name}").st_uid == uid and fields[0] != "Z":
                found.append(int(name))
    return found


def _kill(uid: int) -> None:
    deadline = time.monotonic() + 20
    while (left := _processes_of(uid)) and time.monotonic() < deadline:
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.05)


def _start_up_files() -> list[str]:
    return [path.name for path in Path("/tmp").rglob("*owned.py")] + [
        path.name for path in (Path("/tmp/.bashrc"), Path("/tmp/sitecustomize.py")) if path.exists()
    ]


def _gradebook(root: Path) -> dict:
    """Each student's score in the gradebook, None where there is no gradebook any more."""
    try:
        with sqlite3.connect(f"file:{root}/gradebook.db?mode=ro", uri=True) as gradebook:
            return {"scores": dict(gradebook.execute(SCORES).fetchall())}
    except sqlite3.Error:
        return {"scores": None}


def _said(root: Path, student: str) -> str:
    """What a cell of the student's said at its end about its success."""
    for path in (root / "autograded" / student).rglob("*.ipynb"):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            for cell in json.loads(path.read_bytes())["cells"]:
                for output in cell.get("outputs", []):
                    if output.get("ename") == "RuntimeError" and output["evalue"].startswith(("succ", "cont")):
                        return output["evalue"][:400]
    return ""


if __name__ == "__main__":
    main()
