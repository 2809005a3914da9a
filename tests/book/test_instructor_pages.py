"""The instructor pages say what the registries, the toc and the citation file say."""

import re
from pathlib import Path

import pytest
import yaml

from course.data import CORPORA
from course.models import MODELS

KIT = Path(__file__).parents[2]
BOOK = KIT / "book"


@pytest.mark.parametrize("resource", [*CORPORA, *MODELS], ids=lambda resource: resource.name)
def test_the_page_on_data_names_every_corpus_and_model_with_its_licence(resource):
    rows = [line for line in (BOOK / "data.md").read_text().splitlines() if line.startswith(f"| `{resource.name}` |")]
    assert len(rows) == 1
    assert resource.licence in rows[0]


def test_the_page_on_data_names_nothing_that_is_not_in_a_registry():
    named = re.findall(r"^\| `([\w-]+)` \|", (BOOK / "data.md").read_text(), re.M)
    assert set(named) == {resource.name for resource in (*CORPORA, *MODELS)}


def test_the_schedules_teach_every_lecture_and_give_every_lab():
    text = (BOOK / "syllabus.md").read_text()
    month, week = text.partition("## Four weeks")[2].partition("## One week")[::2]
    week = week.partition("## Grading")[0]
    lectures = {str(int(path.name[:2])) for path in (KIT / "notebooks").iterdir() if path.name[:2].isdigit()}
    labs = {str(int(path.name[3:5])) for path in (KIT / "labs").glob("lab[0-9][0-9]-*")}
    labs.discard("12")  # the capacity plan, which goes by its name
    assert lectures <= set(re.findall(r"Lectures? (\d+)", month))
    assert labs <= set(re.findall(r"Lab (\d+)", month))
    assert "capacity plan" in month and "capacity plan" in week
    assert {"1", "2", "5", "6", "7", "8", "9", "10", "11", "12", "3", "4"} <= set(re.findall(r"\b(\d+)\b", week))


def test_the_citation_file_has_what_its_format_asks_for():
    citation = yaml.safe_load((KIT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    licences = re.search(r'^license = "(.*)"$', (KIT / "pyproject.toml").read_text(), re.M)[1]
    assert set(citation["license"]) == set(licences.split(" AND "))
