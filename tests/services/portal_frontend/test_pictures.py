"""The README's pictures, taken of a portal that runs."""

import io

import pytest
from PIL import Image

from course.errors import CourseError
from services.portal import pictures
from services.portal.pictures import HEIGHT, PAGES, WIDTH, Running, take


@pytest.fixture
def shown(portal, monkeypatch):
    """The portal of the tests, with a conversation that it has."""
    monkeypatch.setattr(pictures, "CONVERSATION", "ada~demo-call")
    return Running(portal.address, "iris", "kestrel over water")


def test_each_view_is_in_a_picture(browser, shown, tmp_path):
    taken = take(browser, shown, tmp_path / "new")
    assert {path.name for path in (tmp_path / "new").iterdir()} == {f"portal-{name}.png" for name in PAGES}
    found = {name: Image.open(io.BytesIO(picture)) for name, picture in taken.items()}
    assert {(one.size, one.mode) for one in found.values()} == {((WIDTH, HEIGHT), "P")}
    assert len({picture for picture in taken.values()}) == len(PAGES)
    # Something is drawn: below the title the page is more than one colour.
    assert all(len(one.convert("RGB").crop((40, 300, 1200, 960)).getcolors()) > 5 for one in found.values())


def test_a_page_without_its_view_is_no_picture(browser, shown, tmp_path, monkeypatch):
    monkeypatch.setitem(PAGES, "leaderboard", ("/leaderboard/", ".drawn-by-nobody"))
    with pytest.raises(CourseError, match="build services/portal/frontend first"):
        take(browser, shown, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_instructor_is_read_from_what_the_demonstration_says():
    told = "instructor iris, password a,b-c\nintern ada, password x\n"
    assert pictures._instructor(told) == ("iris", "a,b-c")
