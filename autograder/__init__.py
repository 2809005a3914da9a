"""Grades a submission that it does not trust (DESIGN: "Grading that can be trusted")."""
