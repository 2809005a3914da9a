"""``python -m course.command``: the ``course`` command."""

from course.command import main

main()
