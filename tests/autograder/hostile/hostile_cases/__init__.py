"""A corpus of hostile, broken and innocent submissions to Lab 1, by subject, each with what must become of it."""

from dataclasses import replace

from hostile_cases import answers, archives, escape, exhaustion, files, forgery, innocent

SUBJECTS = {
    "exhaustion": exhaustion,
    "escape": escape,
    "forgery": forgery,
    "answers": answers,
    "files": files,
    "archives": archives,
    "innocent": innocent,
}
CASES = {case.name: replace(case, subject=name) for name, subject in SUBJECTS.items() for case in subject.CASES}
