"""Pages put together: navigation, contents, references, search index, and everything written to the site's folder."""

import json
import re
import shutil
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from course.site.slides import has_slides, write_deck
from course.storage import write_atomic
from renderer.assets import Assets
from renderer.content import Content
from renderer.launch import actions
from renderer.registry import Page, Problem
from renderer.search import records

THEME = Path(__file__).parent.parent
FONT = "node_modules/@fontsource-variable/source-serif-4"
VENDORED = {
    "minisearch.js": "node_modules/minisearch/dist/es/index.js",
    "minisearch-LICENSE.txt": "node_modules/minisearch/LICENSE.txt",
    "source-serif.woff2": f"{FONT}/files/source-serif-4-latin-wght-normal.woff2",
    "source-serif-italic.woff2": f"{FONT}/files/source-serif-4-latin-wght-italic.woff2",
    "source-serif-LICENSE.txt": f"{FONT}/LICENSE",
}


class Site:
    """The whole site.

    Args:
        content: the engine's content server.
        manifest: JSON that ``course site build`` writes: title, description, stamp, launch, and about each page its
            folder in the site and the name of its notebook.
        out: the folder to write to.
    """

    def __init__(self, content: Content, manifest: Path, out: Path):
        self.content, self.out = content, out
        self.manifest = json.loads(manifest.read_text())
        self.assets = Assets(out, content)
        self.problems: list[Problem] = []
        self.templates = Environment(
            loader=FileSystemLoader(THEME / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def write(self) -> list[Problem]:
        """Write every page; returns what was refused."""
        self.read()
        documents = []
        for entry in self.entries:
            if "page" in entry:
                documents += self.write_page(entry)
        write_atomic(self.out / "search.json", json.dumps(documents, ensure_ascii=False, separators=(",", ":")))
        self.write_static()
        return self.problems

    def read(self) -> None:
        """Fetch all pages and learn how the engine's paths map to the site's folders."""
        project = self.content.project()
        index = {"slug": project["index"], "title": project["title"], "level": 1}
        self.title = project["title"]
        self.entries = [dict(entry) for entry in (index, *project["pages"])]
        self.links: dict[str, str] = {}
        self.sources = {source: about["url"] for source, about in self.manifest["pages"].items()}
        for entry in self.entries:
            if entry.get("slug"):
                entry["page"] = self.content.page(entry["slug"])
                source = entry["page"]["location"].lstrip("/")
                entry["source"], entry["about"] = source, self.manifest["pages"][source]
                path = "/" if entry is self.entries[0] else "/" + entry["slug"].replace(".", "/")
                self.links[path] = entry["about"]["url"]

    def write_page(self, entry: dict) -> list[dict]:
        """Render and write one page; returns its search records."""
        about, document = entry["about"], entry["page"]
        page = Page(entry["source"], about["url"], self.assets, self.links, self.sources)
        body = page.render(document["mdast"])
        self.problems += page.problems
        about["slides"] = self.write_slides(entry)
        html = self.templates.get_template("page.html").render(self.context(entry, page, body))
        write_atomic(self.out / about["url"] / "index.html", html)
        return records(document["mdast"], entry, self.links)

    def write_slides(self, entry: dict) -> str | None:
        """Write the page's slides if its author marked any; returns their address from the page."""
        document, about = entry["page"], entry["about"]
        if not has_slides(document["mdast"]):
            return None
        page = Page(entry["source"], about["url"] + "slides/", self.assets, self.links, self.sources)
        front = document["frontmatter"]
        titles = {"title": front.get("title") or entry["title"], "subtitle": front.get("description") or ""}
        write_deck(document["mdast"], page, self.out, THEME, **titles, site=self.manifest)
        return "slides/"

    def context(self, entry: dict, page: Page, body: str) -> dict:
        """The variables of templates/page.html."""
        document, about = entry["page"], entry["about"]
        front = document["frontmatter"]
        cited = (document.get("references") or {}).get("cite", {}).get("data", {})
        return {
            "page": page,
            "root": page.root,
            "styles": styles(page.root),
            "site": self.manifest,
            "title": front.get("title") or entry["title"],
            "description": front.get("description") or self.manifest["description"],
            "about": about,
            "kicker": kicker(entry["source"], front.get("title") or entry["title"]),
            "subtitle": front.get("description"),
            "actions": actions(about, self.manifest["launch"]),
            "body": Markup(body),
            "contents": [(level, name, Markup(text)) for level, name, text in page.contents if level in (2, 3)],
            "footnotes": [(name, Markup(html)) for name, html in page.footnotes.items()],
            "references": [(key, Markup(cited[key]["html"])) for key in sorted(page.citations) if key in cited],
            "navigation": self.navigation(entry),
            "previous": self.neighbour(entry, -1),
            "next": self.neighbour(entry, +1),
        }

    def navigation(self, current: dict) -> list[dict]:
        """The book's parts with their pages, the current one marked."""
        parts = [{"title": None, "pages": []}]
        for entry in self.entries:
            if "about" not in entry:
                parts.append({"title": entry["title"], "pages": []})
            else:
                title, url = numbered_title(entry["source"], entry["title"]), entry["about"]["url"]
                parts[-1]["pages"].append({"title": title if url else "Home", "url": url, "current": entry is current})
        return [part for part in parts if part["pages"]]

    def neighbour(self, current: dict, step: int) -> dict | None:
        """Title and address of the page before or after."""
        pages = [entry for entry in self.entries if "about" in entry]
        place = next(index for index, entry in enumerate(pages) if entry is current) + step
        if not 0 <= place < len(pages):
            return None
        return {"title": pages[place]["title"], "url": pages[place]["about"]["url"]}

    def write_static(self) -> None:
        """Styles and scripts of the theme, and the library that searches."""
        for path in sorted((THEME / "static").iterdir()):
            shutil.copyfile(path, self.out / "files" / path.name)
        for name, source in VENDORED.items():
            shutil.copyfile(THEME / source, self.out / "files" / name)


def kind_and_number(source: str) -> tuple[str, int] | None:
    """("Lecture", 1) or ("Lab", 1), from the page's folder; None for other pages."""
    kind = {"notebooks": "Lecture", "labs": "Lab"}.get(source.split("/")[0])
    number = re.search(r"/\D*(\d+)", source)
    return (kind, int(number[1])) if kind and number else None


def kicker(source: str, title: str) -> str | None:
    """The line above the title: "Lecture 1" or "Lab 1", unless the title says it."""
    found = kind_and_number(source)
    words = f"{found[0]} {found[1]}" if found else ""
    return words if words and not title.startswith(words) else None


def numbered_title(source: str, title: str) -> str:
    """The title as the course's contents list it: a lecture with its number before it."""
    found = kind_and_number(source)
    return f"{found[1]}. {title}" if found and found[0] == "Lecture" else title


def styles(root: str) -> Markup:
    """The theme's style sheet as it stands in a page whose way to the site's root is ``root``.

    Inside the page it costs 6 kB and spares the reader of a slow line a round trip before the first words show.
    """
    sheet = (THEME / "static" / "site.css").read_text(encoding="utf-8")
    return Markup(sheet.replace('url("', f'url("{root}files/'))
