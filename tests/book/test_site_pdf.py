"""The printed course, read back with another library: chapters, page numbers, links, tags."""

import re

import pytest
from pypdf import PdfReader

from course.errors import CourseError
from course.site.pdf import Chapters, print_site


@pytest.fixture(scope="module")
def printed(kit, tmp_path_factory):
    file = tmp_path_factory.mktemp("pdf") / "course.pdf"
    pages = print_site(kit.site, file)
    reader = PdfReader(file)
    assert pages == len(reader.pages)
    return reader


def closed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def links(reader):
    for page in reader.pages:
        for annotation in page.get("/Annots") or []:
            annotation = annotation.get_object()
            if annotation.get("/Subtype") == "/Link":
                yield annotation


def test_every_page_of_the_site_is_a_chapter(kit, printed):
    titles = {closed(entry.title) for entry in printed.outline if not isinstance(entry, list)}
    headings = Chapters(kit.site).headings
    assert len(headings) > 3
    assert {closed(heading) for heading in headings.values()} <= titles


def test_the_table_of_contents_tells_the_page_on_which_each_chapter_begins(kit, printed):
    chapters = Chapters(kit.site)
    contents = closed(printed.pages[1].extract_text())
    begins = {
        closed(entry.title): printed.get_destination_page_number(entry) + 1
        for entry in printed.outline
        if not isinstance(entry, list)
    }
    for name, title in chapters.parts:
        if name:
            number = begins[closed(chapters.headings[name])]
            assert f"{closed(title)}{number}" in contents
            assert closed(chapters.headings[name])[:20] in closed(printed.pages[number - 1].extract_text())


def test_links_between_pages_stay_inside_and_nothing_points_at_the_machine_that_printed(printed):
    inside, outside = 0, []
    for link in links(printed):
        action = link.get("/A", {})
        if "/Dest" in link or "/D" in action:
            inside += 1
        else:
            outside.append(str(action.get("/URI", "")))
    assert inside > 5
    assert not [address for address in outside if "127.0.0.1" in address and address.endswith("/")]


def test_it_is_tagged_for_those_who_have_it_read_to_them(printed):
    root = printed.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en"


def test_ids_are_unique_in_the_whole_document(kit):
    ids = re.findall(r'\sid="([^"]+)"', Chapters(kit.site).document({}))
    assert len(ids) == len(set(ids)) > 10


def test_a_folder_without_a_site_is_said_and_no_file_is_left(tmp_path):
    with pytest.raises(CourseError, match="course site build"):
        print_site(tmp_path, tmp_path / "course.pdf")
    assert list(tmp_path.iterdir()) == []
