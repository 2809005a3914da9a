"""A small valid lab in a kit of its own, which the tests change one mistake at a time."""

from pathlib import Path

import pytest

from course.lab.source import read_lab

LAB = '''---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
lab:
  title: "Lab 7: Doubling"
  lecture: 07-doubling
  hours: 1.5
  points: 12
  without: [scipy]
---

# Lab 7: Doubling

What will work at the end: a signal that is twice as loud.

+++ {"tags": ["instructor"]}

Say aloud that decibels come tomorrow.

```{code-cell} ipython3
:tags: [setup]

import numpy as np

from course.lab import check, solved
```

```{code-cell} ipython3
:tags: [demo]

print(np.arange(3))
```

## Task 1: Double

Twice the amplitude is 6 dB more. Write `double`, which a table and a formula describe below.

| in | out |
|----|-----|
| 1  | 2   |

```{code-cell} ipython3
---
nbgrader: {grade_id: double, solution: true}
---
def double(signal):
    """Twice the signal; signal: (n_samples,) float, any unit."""
    ### BEGIN SOLUTION
    factor = 1.0 + 1.0
    return np.asarray(signal) * factor
    ### END SOLUTION
```

```{code-cell} ipython3
---
nbgrader: {grade_id: check-double, grade: true, points: 4}
---
with check("double"):
    assert np.allclose(double(np.ones(2)), 2), "Two ones become two twos."
```

```{code-cell} ipython3
:tags: [fallback]

if not solved("double"):
    import scipy.linalg

    def double(signal):
        return scipy.linalg.blas.dscal(2.0, np.array(signal, dtype=float))
```

## Task 2: Quadruple

Twice twice. It stands on Task 1.

```{code-cell} ipython3
---
nbgrader: {grade_id: quadruple, solution: true}
---
def quadruple(signal):
    """Four times the signal; signal: (n_samples,) float; ValueError for two-dimensional input."""
    ### BEGIN SOLUTION
    if np.ndim(signal) != 1:
        raise ValueError("quadruple expects one dimension; take one channel")
    return double(double(signal))
    ### END SOLUTION
```

```{code-cell} ipython3
---
nbgrader: {grade_id: check-quadruple, grade: true, points: 5}
---
with check("quadruple"):
    assert np.allclose(quadruple(np.ones(2)), 4), "Two ones become two fours."
```

```{code-cell} ipython3
:tags: [instructor]

assert quadruple([1.0])[0] == 4.0
```

+++ {"nbgrader": {"grade_id": "judgement", "grade": true, "solution": true, "points": 3}}

## Question: Loud enough?

How many doublings until a whisper is a shout?

<!-- BEGIN SOLUTION -->
About ten: each doubling is six decibels.
<!-- END SOLUTION -->
'''

CHECKS = '''"""Hidden checks of a small lab."""

import numpy as np

from course.lab.checking import check, expect, oracle


@oracle("double")
def twofold(signal):
    return np.asarray(signal, dtype=float) + np.asarray(signal, dtype=float)


@oracle("quadruple")
def fourfold(signal):
    return twofold(signal) + twofold(signal)


@check("double", hint="Look at the sign of what comes out.")
def doubles_noise(student, rng):
    signal = rng.normal(size=9)
    expect.close(student(signal), twofold(signal))


@check("double", hint="An empty signal stays empty.")
def keeps_empty(student, rng):
    expect.shape(student(np.zeros(0)), (0,))


@check("quadruple", hint="Compare the ratio of out to in.")
def quadruples_noise(student, rng):
    signal = rng.normal(size=9)
    expect.close(student(signal), fourfold(signal))


@check("quadruple", hint="Two channels are refused with a ValueError that says so.")
def refuses_two_channels(student, rng):
    expect.raises(student, ValueError, np.zeros((2, 2)))
'''

WRONG = {
    "double--negated": ("The sign is lost on the way.", "doubles_noise", "return -2 * np.asarray(signal)"),
    "double--squared": ("The square is taken for the double.", "doubles_noise", "return np.asarray(signal) ** 2"),
    "double--one-extra": ("One sample too many.", "keeps_empty", "return np.append(2 * np.asarray(signal), 0.0)"),
    "quadruple--trebled": ("Three is taken for four.", "quadruples_noise", "return 3 * np.asarray(signal)"),
    "quadruple--no-refusal": ("Any shape goes.", "refuses_two_channels", "return double(double(signal))"),
    "quadruple--refuses-type": (
        "The wrong exception is raised.",
        "refuses_two_channels",
        'if np.ndim(signal) != 1:\n        raise TypeError("one dimension")\n    return double(double(signal))',
    ),
}


@pytest.fixture
def kit(tmp_path, monkeypatch):
    """An empty kit with the rooms that make it one; the commands run inside it."""
    folder = tmp_path / "kit"
    for room in ("labs", "notebooks", "book"):
        (folder / room).mkdir(parents=True)
    (folder / "pyproject.toml").write_text("")
    monkeypatch.setenv("COURSE_ROOT", str(folder))
    monkeypatch.delenv("COURSE_BUILD", raising=False)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def lab_folder(kit):
    """The folder of a small valid lab, lab07-doubling."""
    folder = kit / "labs" / "lab07-doubling"
    (folder / "wrong").mkdir(parents=True)
    (folder / "lab.md").write_text(LAB)
    (folder / "checks.py").write_text(CHECKS)
    (folder / "instructor.md").write_text("# For the instructor\n\nOne point for each of the three words.\n")
    for name, (mistake, fails, body) in WRONG.items():
        task = name.split("--")[0]
        source = f'"""{mistake}"""\n# fails: {fails}\n\n\ndef {task}(signal):\n    {body}\n'
        (folder / "wrong" / f"{name}.py").write_text(source)
    return folder


@pytest.fixture
def lab(lab_folder):
    """The small lab, read."""
    return read_lab(lab_folder)


@pytest.fixture
def change(lab_folder):
    """A function that replaces a passage of one of the lab's files; the passage has to stand there exactly once."""

    def replace(name: str, old: str, new: str) -> Path:
        path = lab_folder / name
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        path.write_text(text.replace(old, new))
        return path

    return replace
