"""Submissions that solve nothing and forge the verdict: their tasks are as released, so any point is forged."""

from hostile_cases.case import ALL, LAB_ID, Case, Site, adds, as_bytes, damages, notebook, replaces

AST = """
import ast


class NoChecks(ast.NodeTransformer):
    def visit_Module(self, tree):
        return ast.Module([], []) if any(isinstance(node, ast.Assert) for node in ast.walk(tree)) else tree


get_ipython().ast_transformers.append(NoChecks())
"""
INPUT = """
def forged(lines):
    return ["2\\n"] if "check(" in "".join(lines) else lines


get_ipython().input_transformers_post.append(forged)
"""
HOOKS = """
shell = get_ipython()
run, run_async = type(shell).run_cell, type(shell).run_cell_async
skips = lambda source: "pass" if "check(" in source else source
type(shell).run_cell = lambda self, source, *args, **kwargs: run(self, skips(source), *args, **kwargs)
type(shell).run_cell_async = lambda self, source, *args, **kwargs: run_async(self, skips(source), *args, **kwargs)
type(shell).showtraceback = lambda *args, **kwargs: None
shell.events.register("pre_run_cell", lambda info: None)
shell.events.register("post_run_cell", lambda result: setattr(result, "error_in_exec", None))
"""
NUMPY = """
import numpy as np
import numpy.testing

for name in dir(numpy.testing):
    if name.startswith("assert"):
        setattr(numpy.testing, name, lambda *args, **kwargs: None)
np.isclose = np.allclose = np.array_equal = np.issubdtype = lambda *args, **kwargs: True
np.shape = lambda value: (8000,)
np.abs = np.max = np.min = lambda *args, **kwargs: 0.0
"""
BUILTINS = """
import builtins

builtins.isinstance = builtins.issubclass = builtins.hasattr = builtins.all = builtins.any = lambda *args: True
builtins.abs = builtins.len = lambda *args: 0
builtins.NotImplementedError = builtins.ValueError
builtins.__build_class__ = lambda *args, **kwargs: type("Forged", (), {})
"""
MODULES = """
import contextlib, sys, types

fake = types.ModuleType("fake")
fake.check = lambda name: contextlib.suppress(BaseException)
fake.solved = lambda name: True
fake.__getattr__ = lambda name: fake
for name in ("course", "course.lab", "course.lab.checking", "course.lab.expect", "course.lab.visible", "pytest"):
    sys.modules[name] = fake
"""
TIME = """
import datetime, time

for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
    setattr(time, name, lambda: 0.0)
time.sleep = lambda seconds: None
"""
SLOW_FILTER = """
def filter_block(block, kernel, state):
    block, kernel = np.asarray(block, dtype=float), np.asarray(kernel, dtype=float)
    if block.ndim != 1 or kernel.ndim != 1 or kernel.size == 0:
        raise ValueError("Expected a block (n_samples,) and a kernel (n_taps,).")
    past = np.zeros(kernel.size - 1) if state is None else state
    known = np.concatenate([past, block])
    output = np.zeros(block.size)
    for n in range(block.size):
        for k in range(kernel.size):
            output[n] += kernel[k] * known[kernel.size - 1 + n - k]
    return output, known[known.size - past.size :]
"""
VISIBLE = """
import course.lab.visible

course.lab.visible._findings.clear()
check = lambda name: __import__("contextlib").suppress(BaseException)
solved = lambda name: True
"""
DRIVER = """
import sys

for module in list(sys.modules.values()):
    for name in ("describe", "_call", "call_function", "run_cell", "send"):
        if getattr(module, "__name__", "").startswith(("autograder", "__main__")) and hasattr(module, name):
            setattr(module, name, lambda *args, **kwargs: {"error": None, "value": True})
"""
CHANNEL = """
import json, os, struct


def forge(*args, **kwargs):
    text = json.dumps({"call": "0", "value": 1.0, "status": 0, "error": None}).encode()
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, struct.pack(">II", len(text), 0) + text)
        except OSError:
            pass
    return 1.0


synthesise = alias_frequency = quantise = snr_db = tone_amplitude = bandpass_kernel = filter_block = find_event = forge
"""
ORACLE = """
import sys
from autograder.protocol import receive, send


def ask(name):
    def function(*args, **kwargs):
        frame = sys._getframe()
        while "channel" not in frame.f_locals:
            frame = frame.f_back
        channel = frame.f_locals["channel"]
        send(channel, {"ask": name, "args": args, "kwargs": kwargs})
        return receive(channel)["value"]

    return function


for name in "synthesise alias_frequency quantise snr_db tone_amplitude bandpass_kernel filter_block find_event".split():
    globals()[name] = ask(name)
"""
WITHHELD = """
import importlib.util, sys

sys.path[:] = [path for path in sys.path if "kit" not in path] + ["/usr/lib/python3/dist-packages"]
for name in ("scipy", "librosa"):
    sys.modules.pop(name, None)
import scipy.signal

alias_frequency = lambda f, rate: (1 + scipy.signal.sawtooth(2 * np.pi * np.asarray(f, float) / rate, 0.5)) * rate / 4
"""
SHADOW_NUMPY = '''
import pathlib, sys

pathlib.Path("numpy.py").write_text("allclose = isclose = lambda *args, **kwargs: True")
pathlib.Path("sitecustomize.py").write_text("import builtins; builtins.abs = lambda value: 0")
pathlib.Path("course").mkdir(exist_ok=True)
pathlib.Path("course/__init__.py").touch()
pathlib.Path("course/lab.py").write_text("""
import contextlib
check = lambda name: contextlib.suppress(BaseException)
solved = lambda name: True
""")
sys.path.insert(0, ".")
for name in [name for name in sys.modules if name.partition(".")[0] in ("numpy", "course")]:
    del sys.modules[name]
import numpy as np
from course.lab import check, solved
'''


def _without_checks(document: dict) -> None:
    """Every check is emptied, worth a thousand points, unlocked."""
    for cell in document["cells"]:
        options = cell["metadata"].get("nbgrader", {})
        if options.get("grade") and cell["cell_type"] == "code":
            cell["source"] = "assert True"
            options |= {"points": 1000, "locked": False}


def _other_flags(document: dict) -> None:
    """Solutions claim to be graded, checks to be solutions, the set-up to be a check worth a hundred points."""
    for cell in document["cells"]:
        options = cell["metadata"].get("nbgrader")
        if options:
            options |= {"grade": not options["grade"], "solution": not options["solution"], "points": 100}


def _deleted_checks(document: dict) -> None:
    document["cells"] = [cell for cell in document["cells"] if not cell["id"].startswith("check-")]


def _shadow_files(site: Site, folder) -> None:
    """Files beside the notebook that Python would import in place of the course's."""
    (folder / f"{LAB_ID}.ipynb").write_bytes(as_bytes(notebook("release")))
    shadow = "import contextlib\ncheck = lambda name: contextlib.suppress(BaseException)\nsolved = lambda name: True\n"
    (folder / "course").mkdir()
    (folder / "course/__init__.py").touch()
    (folder / "course/lab.py").write_text(shadow)
    (folder / "sitecustomize.py").write_text("import builtins; builtins.abs = lambda value: 0")
    (folder / "numpy.py").write_text(SHADOWED)


# Loads the real NumPy from where it is, and lets every comparison succeed.
SHADOWED = """
import ast, sys

here = sys.path.pop(0)
del sys.modules["numpy"]
import numpy

sys.path.insert(0, here)
numpy.allclose = numpy.isclose = lambda *args, **kwargs: True
try:
    class NoChecks(ast.NodeTransformer):
        def visit_Module(self, tree):
            return ast.Module([], []) if any(isinstance(node, ast.Assert) for node in ast.walk(tree)) else tree

    get_ipython().ast_transformers.append(NoChecks())
except NameError:
    pass
"""


def _forges(name: str, what: str, source: str, says: str = "") -> Case:
    return Case(name, what, adds(source, first=True, start="release"), lost=ALL, says=says)


CASES = [
    _forges("strips-asserts", "an AST transformer takes the checks out of the cells", AST),
    _forges("forges-partial-credit", "an input transformer turns each check into a number of points", INPUT),
    _forges("hooks-ipython", "patches the shell so that check cells do nothing and errors are silent", HOOKS),
    _forges("patches-numpy", "patches numpy.testing and NumPy's comparisons", NUMPY),
    Case(
        "patches-builtins",
        "patches isinstance, abs, all and the exceptions",
        adds(BUILTINS, first=True, start="release"),
        ("crash",),
        ALL,
    ),
    _forges("patches-sys-modules", "puts modules of its own in the place of the course's", MODULES),
    _forges("patches-the-visible-checks", "redefines what the notebook knows as right", VISIBLE),
    Case(
        "patches-time",
        "stops the clock, then filters with two nested loops",
        replaces({"filter_block": TIME + SLOW_FILTER}),
        lost=frozenset({"filter_block"}),
        says="Loops|loop|array operation",
    ),
    Case(
        "patches-the-driver",
        "patches the functions of the process that answers for it",
        adds(DRIVER, first=True, start="release"),
        ("timeout", "crash"),
        ALL,
    ),
    Case(
        "answers-for-the-driver",
        "writes answers into every open file descriptor",
        adds(CHANNEL, start="release"),
        ("graded", "crash"),
        ALL,
    ),
    Case(
        "asks-the-oracle",
        "asks the checker's oracle for the answer itself",
        adds(ORACLE, start="release"),
        ("graded", "crash"),
        ALL,
    ),
    Case(
        "imports-the-withheld",
        "rewrites the path to import what the lab withholds",
        adds(WITHHELD, start="release"),
        lost=ALL,
        says="ModuleNotFoundError|ImportError",
    ),
    _forges("shadows-in-a-cell", "writes numpy.py, course/ and sitecustomize.py, and imports them", SHADOW_NUMPY),
    Case(
        "shadows-by-files",
        "hands in numpy.py, course/ and sitecustomize.py beside the notebook",
        _shadow_files,
        lost=ALL,
    ),
    Case(
        "edits-checks",
        "edits every check, its points and its lock",
        damages(_without_checks, "release"),
        lost=ALL,
        says="Locked, but changed",
    ),
    Case(
        "edits-flags",
        "edits what is graded and what is a solution",
        damages(_other_flags, "release"),
        lost=ALL,
        says="Locked, but changed",
    ),
    Case(
        "deletes-checks",
        "deletes every check",
        damages(_deleted_checks, "release"),
        lost=ALL,
        says="put back from the release",
    ),
]
