"""The course site's look for the pages that the grader writes.

The style sheet, the mark and the face are the site's own (book/theme): a page carries the rules that it needs, and the
class folder the face, so that a page opens from a disk or a mail, without a server and without a script.
"""

import re
from functools import cache
from pathlib import Path

import tinycss2
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup

from course import kit
from course.errors import CourseError
from course.storage import write_atomic

FACE_FOLDER = "node_modules/@fontsource-variable/source-serif-4/files"
FACE_FILES = {
    "source-serif.woff2": f"{FACE_FOLDER}/source-serif-4-latin-wght-normal.woff2",
    "source-serif-italic.woff2": f"{FACE_FOLDER}/source-serif-4-latin-wght-italic.woff2",
}
ASSETS = "assets"
# The classes of the site's style sheet that the grader's pages use; rules for other classes stay away.
USED = frozenset(
    ("hidden-text", "skip", "top", "brand", "mark", "title", "kicker", "subtitle", "code", "scroll", "align-right")
    + ("box", "warning", "tip", "fold", "bottom", "value", "caption-number", "actions")
)
NAMES = re.compile(r"[.#]([A-Za-z][\w-]*)")


@cache
def theme_folder() -> Path:
    """The site's theme, of the kit or else of the checkout that this grader is part of.

    Raises:
        CourseError: it is in neither.
    """
    for root in (kit.root(), Path(__file__).parents[2]):
        folder = root / "book" / "theme"
        if (folder / "static" / "site.css").is_file():
            return folder
    raise CourseError(
        f"The site's style sheet was expected at {folder / 'static' / 'site.css'}, for the pages of a class, and is "
        "not there. Run the command inside a clone of the kit, or set COURSE_ROOT to one."
    )


@cache
def style_sheet(root: str) -> Markup:
    """The rules of the site's style sheet that the grader's pages need, then the pages' own.

    Args:
        root: the way from the page to the class folder, such as ``../../../``.
    """
    site = (theme_folder() / "static" / "site.css").read_text(encoding="utf-8")
    kept = _kept(tinycss2.parse_stylesheet(site, skip_comments=True, skip_whitespace=True))
    own = (Path(__file__).parent / "templates" / "pages.css").read_text(encoding="utf-8")
    return Markup(kept.replace('url("', f'url("{root}{ASSETS}/') + "\n" + own)


def write_faces(root: Path) -> None:
    """Copy the site's face into the class folder ``root``; without the theme's packages pages use the next best."""
    for name, source in FACE_FILES.items():
        path, file = root / ASSETS / name, theme_folder() / source
        if file.is_file() and not path.exists():
            write_atomic(path, file.read_bytes())


def pages_environment() -> Environment:
    """Templates of the grader, and under ``theme/`` those of the site; whatever they show is escaped."""
    theme = PrefixLoader({"theme": FileSystemLoader(theme_folder() / "templates")})
    return Environment(
        loader=ChoiceLoader([PackageLoader("autograder.pages"), theme]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _kept(rules: list) -> str:
    """The rules that may apply to a page with no other classes than ``USED``, as text."""
    parts = []
    for rule in rules:
        if rule.type == "qualified-rule" and _is_used(tinycss2.serialize(rule.prelude)):
            parts.append(rule.serialize())
        elif rule.type == "at-rule" and rule.lower_at_keyword == "media":
            inner = _kept(tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True))
            parts += [f"@media {tinycss2.serialize(rule.prelude).strip()} {{\n{inner}\n}}"] if inner else []
        elif rule.type == "at-rule":
            parts.append(rule.serialize())
    return "\n".join(parts)


def _is_used(selector: str) -> bool:
    """Whether one of the selectors could match; each is told by the classes and ids that it names."""
    alternatives = [selector] if ":is(" in selector else re.sub(r":not\([^)]*\)", "", selector).split(",")
    return any(_could_match(NAMES.findall(one), ":is(" in one) for one in alternatives)


def _could_match(names: list[str], any_will_do: bool) -> bool:
    return not names or (any_will_do and not USED.isdisjoint(names)) or USED.issuperset(names)
