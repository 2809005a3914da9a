"""The grader measured: against stock nbgrader on the same submissions, from one submission to a class of a thousand.

``course bench grading`` runs it. What other benchmarks of the kit share (statistics, record, table) is in
:mod:`course.bench`.
"""
