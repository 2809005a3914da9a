"""Grading a class on an engine for distributed work: a Beam pipeline over submissions, and what its workers need."""
