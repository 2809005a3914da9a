"""The notebooks that readers download beside a page, made from what was just built."""

import json
from pathlib import Path

from course.lab.build import write_notebook
from course.site.export import export_notebook, inline_values
from course.site.stage import Staging


def write_downloads(staging: Staging, html: Path) -> None:
    """Write the .ipynb of every lecture and lab into the built site in ``html``."""
    trees = {}
    for path in (staging.folder / "_build" / "site" / "content").glob("*.json"):
        document = json.loads(path.read_text())
        trees[document["location"].lstrip("/")] = document["mdast"]
    for page in staging.pages.values():
        target = html / page.url / (page.notebook or "")
        if page.release is not None:
            write_notebook(page.release, target)
        elif page.notebook:
            export_notebook(page.origin, target, inline_values(trees[page.source]))
