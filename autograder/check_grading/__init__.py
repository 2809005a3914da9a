"""``course lab check-grading LAB``: does a lab's grading tell right solutions from wrong ones?

Solutions whose verdict is known (the reference, the untouched release, every wrong solution) go through the grader
itself. Then the reference is changed mechanically, hundreds of times, and each change that makes it wrong should fail
a hidden check.
"""
