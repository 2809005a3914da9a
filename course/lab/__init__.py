"""The labs' own library: ``from course.lab import check, solved`` is what a lab's notebook imports.

Only the standard library is imported here, because this package is also imported where a submission is graded.
"""

from course.lab.visible import check, solved

__all__ = ["check", "solved"]
