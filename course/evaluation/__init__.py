"""Evaluation as measurement: intervals, comparisons, leaks, wordings and judges (Lecture 9)."""
