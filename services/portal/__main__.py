"""``python -m services.portal`` is ``course portal`` where the course's command is not installed, as in its image."""

import sys

from course.errors import CourseError
from services.portal.command import portal

if __name__ == "__main__":
    try:
        portal(prog_name="python -m services.portal")
    except CourseError as error:
        print(f"portal: {error}", file=sys.stderr)
        sys.exit(1)
