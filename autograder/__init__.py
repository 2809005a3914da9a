"""Grades a submission that it does not trust (DESIGN: "Grading that can be trusted")."""

import sys

# jsonschema, which nbformat imports, builds a grammar of web addresses for a format that no notebook has: half of the
# time that a grader takes to start. It does without where that package is absent.
sys.modules.setdefault("rfc3987_syntax", None)
