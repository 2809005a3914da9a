"""A picture of a page that a service serves, for the book: taken when the book is made, from what runs then."""

import base64
import html
from concurrent.futures import ThreadPoolExecutor

from course.errors import CourseError

WIDTH, HEIGHT, QUALITY = 900, 560, 70  # pixels, and per cent: some 40 kB
NO_BROWSER = "No picture: there is no Chromium on this machine (`apt-get install chromium`)."


class Screenshot:
    """A picture of a page as an SVG, as all figures of the book are, with the text that stands for it.

    Args:
        picture: JPEG; None where no browser is.
        alt: one or two sentences that say what the picture shows.

    Raises:
        ValueError: ``alt`` is empty.
    """

    def __init__(self, picture: bytes | None, alt: str):
        if not alt.strip():
            raise ValueError("A picture was expected with a description and came without. Say what one sees in it.")
        self.picture, self.alt = picture, alt

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        if self.picture is None:
            return {"text/html": f"<p>{html.escape(NO_BROWSER)}</p>", "text/plain": NO_BROWSER}
        source = "data:image/jpeg;base64," + base64.b64encode(self.picture).decode("ascii")
        frame = f'x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" fill="none" stroke="#7b8794"'
        svg = (
            f'<svg role="img" aria-label="{html.escape(self.alt, quote=True)}" xmlns="http://www.w3.org/2000/svg" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
            f'<image href="{source}" width="{WIDTH}" height="{HEIGHT}"/><rect {frame}/></svg>'
        )
        return {"image/svg+xml": svg, "text/plain": self.alt}


def screenshot(url: str, alt: str) -> Screenshot:
    """What a browser shows of a page; the last expression of a cell.

    Args:
        url: of this machine; the browser reaches no other.
        alt: what one sees, in one or two sentences.

    Raises:
        CourseError: the page did not come.
    """
    # A notebook has an event loop of its own, beside which Playwright's plain functions refuse to work.
    with ThreadPoolExecutor(1) as thread:
        return Screenshot(thread.submit(_take, url).result(), alt)


def _take(url: str) -> bytes | None:
    from playwright.sync_api import Error

    from course.site.checks.browser import chromium, find_chromium

    try:
        find_chromium()
    except CourseError:
        return None
    with chromium() as browser:
        tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        try:
            answer = tab.goto(url, wait_until="networkidle")
        except Error as error:
            raise CourseError(f"The page {url} was expected and did not come. Does the service run?") from error
        if not answer.ok:
            raise CourseError(f"The page {url} was expected and came with status {answer.status}.")
        return tab.screenshot(type="jpeg", quality=QUALITY)
