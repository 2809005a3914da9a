"""The built site as the checks see it: every HTML file, parsed once."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from bs4 import BeautifulSoup

from course.errors import CourseError


@dataclass(frozen=True)
class Page:
    """One HTML file of the site.

    Attributes:
        site: the folder that the site was built into.
        path: the file below it, with forward slashes, such as ``lectures/01-sound-as-numbers/index.html``.
    """

    site: Path
    path: str

    @cached_property
    def html(self) -> str:
        return (self.site / self.path).read_text(encoding="utf-8")

    @cached_property
    def soup(self) -> BeautifulSoup:
        return BeautifulSoup(self.html, "html.parser")

    @cached_property
    def anchors(self) -> set[str]:
        """What a fragment may point at."""
        named = {tag["name"] for tag in self.soup.find_all("a", attrs={"name": True})}
        return {tag["id"] for tag in self.soup.find_all(id=True)} | named

    @property
    def address(self) -> str:
        """The page's URL below the site, as readers see it: without ``index.html``."""
        return self.path.removesuffix("index.html")

    @property
    def kind(self) -> str:
        """``landing``, ``lecture``, ``lab``, ``slides`` or ``page``, by where the file lies."""
        parts = PurePosixPath(self.path).parts
        if self.path == "index.html":
            return "landing"
        if parts[0] == "lectures" and len(parts) > 2:
            return "slides" if parts[2] == "slides" else "lecture"
        if parts[0] == "labs" and len(parts) > 2:
            return "lab"
        return "page"


def read_pages(site: Path) -> list[Page]:
    """Every page of the site, the landing page first.

    Raises:
        CourseError: the folder is not a built site.
    """
    if not (site / "index.html").is_file():
        raise CourseError(f"A built site with an index.html was expected in {site}. Build it first: course site build.")
    paths = sorted(file.relative_to(site).as_posix() for file in site.rglob("*.html"))
    return [Page(site, path) for path in sorted(paths, key=lambda path: path != "index.html")]
