"""Entry point of the site template: pages from the MyST engine in, plain HTML files out.

The engine runs it with ``CONTENT_CDN`` and ``BUILD_DIRECTORY`` set (template.yml, ``build.render``);
``COURSE_SITE_MANIFEST`` names the JSON file in which ``course site build`` says how pages are addressed.
A problem is printed as ``file:line: sentence`` and ends the build.
"""

import os
import sys
from pathlib import Path

from renderer.content import Content
from renderer.site import Site


def main() -> int:
    site = Site(
        content=Content(os.environ["CONTENT_CDN"]),
        manifest=Path(os.environ["COURSE_SITE_MANIFEST"]),
        out=Path(os.environ["BUILD_DIRECTORY"]),
    )
    problems = site.write()
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
