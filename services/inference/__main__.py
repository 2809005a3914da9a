"""``python -m services.inference``: what ``course serve`` does, where the command is not installed."""

import sys

from course.errors import CourseError
from services.inference.command import serve

try:
    serve(prog_name="python -m services.inference")
except CourseError as error:
    sys.exit(f"services.inference: {error}")
