"""Links and assets: whatever a page, a stylesheet or a module points at inside the site must be there."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import tinycss2

from course.site.checks.pages import Page
from course.site.checks.report import CheckResult, Finding

# Elements that make the browser load something, as opposed to <a>, which a reader has to click.
LOADED = {
    "img": ("src", "srcset"),
    "script": ("src",),
    "audio": ("src",),
    "video": ("src", "poster"),
    "source": ("src", "srcset"),
    "track": ("src",),
    "iframe": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
}
FETCHED_RELATIONS = {"stylesheet", "icon", "apple-touch-icon", "preload", "modulepreload", "prefetch", "manifest"}
RELATIVE_IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["'](\.{1,2}/[^"']+)["']""")
MODULE_SUFFIXES = (".js", ".mjs")


def check_links(site: Path, pages: list[Page]) -> CheckResult:
    """Every internal link, fragment and asset of pages, stylesheets and modules resolves."""
    by_path = {page.path: page for page in pages}
    seen, findings = 0, []
    for path, reference in _internal_references(site, pages):
        seen += 1
        problem = _problem(site, path, reference, by_path)
        if problem:
            findings.append(Finding(page=path, message=problem))
    return CheckResult(name="links", covered=f"{seen} links and assets", findings=findings)


def check_external_assets(site: Path, pages: list[Page]) -> list[Finding]:
    """What pages and stylesheets would load from another host, found without running anything."""
    found = [(page.path, url) for page in pages for url in _loaded(page)]
    found += [(path, url) for path, url in _stylesheet_references(site)]
    return [
        Finding(page=path, message=f"loads {url} from another host: ship the file with the site.")
        for path, url in found
        if _is_external(url)
    ]


def _is_external(url: str) -> bool:
    return url.startswith("//") or urlsplit(url).scheme in ("http", "https", "ws", "wss", "ftp")


def _internal_references(site: Path, pages: list[Page]) -> Iterator[tuple[str, str]]:
    for page in pages:
        for url in (*_loaded(page), *(tag["href"] for tag in page.soup.find_all(["a", "area"], href=True))):
            if not _is_external(url) and not urlsplit(url).scheme:
                yield page.path, url
    for path, url in _stylesheet_references(site):
        if not _is_external(url) and not urlsplit(url).scheme and not url.startswith("#"):
            yield path, url
    for file in _files(site, MODULE_SUFFIXES):
        for match in RELATIVE_IMPORT.finditer(file.read_text(encoding="utf-8")):
            yield file.relative_to(site).as_posix(), match[1]


def _loaded(page: Page) -> Iterator[str]:
    """The URLs that a browser fetches for a page without a click."""
    for name, attributes in LOADED.items():
        for tag in page.soup.find_all(name):
            for attribute in attributes:
                value = tag.get(attribute, "").strip()
                yield from _candidates(value) if attribute == "srcset" else filter(None, [value])
    for tag in page.soup.find_all("link", href=True):
        if FETCHED_RELATIONS & set(tag.get("rel", [])):
            yield tag["href"]
    for tag in page.soup.select(".widget"):
        yield from (tag[name] for name in ("data-module", "data-css") if tag.get(name))
    for tag in page.soup.find_all("style"):
        yield from _css_urls(tag.get_text())
    for tag in page.soup.find_all(style=True):
        yield from _css_urls(tag["style"])


def _candidates(srcset: str) -> list[str]:
    return [part.split()[0] for part in srcset.split(",") if part.strip()]


def _stylesheet_references(site: Path) -> Iterator[tuple[str, str]]:
    for file in _files(site, (".css",)):
        for url in _css_urls(file.read_text(encoding="utf-8")):
            yield file.relative_to(site).as_posix(), url


def _files(site: Path, suffixes: tuple[str, ...]) -> list[Path]:
    return sorted(file for file in site.rglob("*") if file.suffix in suffixes)


def _css_urls(css: str) -> Iterator[str]:
    pending = list(tinycss2.parse_component_value_list(css))
    while pending:
        token = pending.pop(0)
        if token.type == "url" and not token.value.startswith("data:"):
            yield token.value
        elif token.type == "function" and token.lower_name == "url":
            yield from (part.value for part in token.arguments if part.type == "string" and part.value[:5] != "data:")
        pending += getattr(token, "content", None) or getattr(token, "arguments", None) or []


def _problem(site: Path, path: str, reference: str, pages: dict[str, Page]) -> str | None:
    """A sentence on why ``reference`` does not resolve from the file ``path``, or None."""
    parts = urlsplit(reference)
    if parts.path.startswith("/"):
        return f"{reference} starts at the top of the host and breaks under a sub-path: make it relative."
    target = path
    if parts.path:
        try:
            target = ((site / path).parent / unquote(parts.path)).resolve().relative_to(site.resolve()).as_posix()
        except ValueError:
            return f"{reference} leads out of the site."
        if (site / target).is_dir():
            target = f"{target}/index.html".removeprefix("./")
        if not (site / target).is_file():
            return f"{reference} leads to {target}, which is not in the site."
    anchor = unquote(parts.fragment).split(":~:")[0]
    if anchor and target in pages and anchor not in pages[target].anchors:
        return f"{reference}: there is no element with the id {anchor} on {target}."
    return None
