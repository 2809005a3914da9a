"""What students and graders wrote in formgrader's pages and in nbgrader's feedback, without its scripts.

``c.HTMLExporter.sanitize_html`` cleans the cells of nbconvert's own templates; nbgrader's templates write graded and
free text past it, and names as they are, so that a script in an answer would run in the instructor's session with
Jupyter. A class's configuration puts the two parts of this module in their places.
"""

import html

from bleach.sanitizer import Cleaner
from nbconvert.filters import markdown2html
from nbconvert.preprocessors import Preprocessor

BLOCKS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "hr", "br", "blockquote", "ul", "ol", "li", "div"}
TABLES = {"table", "thead", "tbody", "tr", "th", "td"}
WORDS = {"a", "b", "strong", "i", "em", "code", "del", "sub", "sup", "span"}
# No id or class: formgrader finds its own boxes by them. No picture: it would be fetched from where its author says.
CLEANER = Cleaner(
    tags=BLOCKS | TABLES | WORDS,
    attributes={"a": ["href", "title"], "ol": ["start"]},
    protocols={"http", "https", "mailto"},
)
NAMES = ("student", "first_name", "last_name", "notebook_path")


def safe_markdown(source: str) -> str:
    """The HTML of a markdown text, as far as it is harmless; what is not is shown as text."""
    return CLEANER.clean(markdown2html(source))


class EscapedNames(Preprocessor):
    """Escapes the names that formgrader writes around a notebook; the name of a folder may be markup, too."""

    def preprocess(self, nb, resources):
        """The same notebook, and resources whose names are safe in HTML."""
        for name in NAMES:
            if resources.get(name):
                resources[name] = html.escape(resources[name])
        return nb, resources
