"""The leaderboard as a reader uses it: sort, search, choose, and look at somebody's records, by mouse and by keys."""

import json

import pytest

ROWS = "[data-view=leaderboard] tbody tr:not(.below)"
NAMES = f"() => [...document.querySelectorAll('{ROWS} th')].map(one => one.textContent)"


@pytest.fixture
def rows(portal, visit):
    """What the page embeds, by which the view is judged."""
    with visit("/leaderboard/") as tab:
        return json.loads(tab.text_content("#leaderboard-data"))["rows"]


def test_it_shows_what_the_page_has_in_the_same_order(visit, rows):
    with visit("/leaderboard/") as tab:
        assert tab.evaluate(NAMES) == [row["pseudonym"] for row in rows]
        words = tab.locator(f"{ROWS} .word").all_text_contents()
        assert words == [row["status"] for row in rows] == ["verified", "verified", "self-reported"]
        shown = tab.locator(f"{ROWS} td:first-child").all_text_contents()
        assert shown == ["1= tied", "1= tied", "–"]
        assert "made-up device" in tab.locator(f"{ROWS} .why").all_text_contents()[-2]


def test_intervals_lie_on_one_scale(visit, rows):
    with visit("/leaderboard/") as tab:
        boxes = tab.evaluate(
            f"() => [...document.querySelectorAll('{ROWS} svg')].map(svg => ['.one', '.interval', '.ratio'].map("
            "one => { const found = svg.querySelector(one).getBoundingClientRect(), at = svg.getBoundingClientRect();"
            " return [(found.left - at.left) / at.width, (found.right - at.left) / at.width]; }))"
        )
    assert len(boxes) == len(rows)
    for row, (one, interval, ratio) in zip(rows, boxes, strict=True):
        per_unit = one[0]
        assert ratio[0] == pytest.approx(row["ratio"] * per_unit, abs=0.01)
        assert interval == pytest.approx([row["low"] * per_unit, row["high"] * per_unit], abs=0.01)


def test_headings_sort_by_keys_and_say_so(visit, rows):
    with visit("/leaderboard/") as tab:
        heading = tab.get_by_role("columnheader", name="Speed-up")
        heading.get_by_role("button").focus()
        orders = []
        for _ in range(3):
            tab.keyboard.press("Enter")
            orders.append((heading.get_attribute("aria-sort"), tab.evaluate(NAMES)))
        by_ratio = [row["pseudonym"] for row in sorted(rows, key=lambda row: row["ratio"])]
        assert [order for order, _ in orders] == ["descending", "ascending", None]
        # Python's sort and the table's are both stable, so tied rows keep the order of the page in either direction.
        falling = [row["pseudonym"] for row in sorted(rows, key=lambda row: -row["ratio"])]
        assert [names for _, names in orders] == [falling, by_ratio, [row["pseudonym"] for row in rows]]
        tab.keyboard.press("Space")
        assert "by Speed-up, highest first" in tab.text_content("[data-view=leaderboard] [role=status]")


def test_a_row_without_a_rank_comes_last_in_both_orders(visit):
    with visit("/leaderboard/") as tab:
        for _ in range(2):
            tab.get_by_role("columnheader", name="Rank").get_by_role("button").click()
            assert tab.locator(f"{ROWS} td:first-child").all_text_contents()[-1] == "–"


def test_search_and_choice_filter(visit, rows):
    with visit("/leaderboard/") as tab:
        tab.get_by_label("Who or variant").fill("VIVID")
        assert tab.evaluate(NAMES) == ["vivid crane 3"]
        assert "1 of 3 rows" in tab.text_content("[data-view=leaderboard] [role=status]")
        tab.get_by_label("Who or variant").fill("fast")
        assert len(tab.evaluate(NAMES)) == 3
        tab.get_by_label("Who or variant").fill("")
        tab.get_by_label("Status").select_option("self-reported")
        assert tab.evaluate(NAMES) == [row["pseudonym"] for row in rows if row["status"] == "self-reported"]
        tab.get_by_label("Who or variant").fill("nobody")
        assert tab.evaluate(NAMES) == [] and "0 of 3" in tab.text_content("[data-view=leaderboard] [role=status]")


def test_the_records_of_a_person_are_plotted_and_told(visit, rows):
    (ada,) = [row for row in rows if row["pseudonym"] == "amber teal 2"]
    assert len(ada["history"]) == 3
    with visit("/leaderboard/") as tab:
        button = tab.get_by_role("button", name="3 records of amber teal 2")
        assert button.get_attribute("aria-expanded") == "false"
        button.press("Enter")
        assert button.get_attribute("aria-expanded") == "true"
        told = tab.locator(".history li").all_text_contents()
        assert [one[:10] for one in told] == ["2026-11-20", "2026-11-21", "2026-11-22"]
        heights = [float(one.get_attribute("cy")) for one in tab.locator(".history circle").all()]
        ratios = [one["ratio"] for one in ada["history"]]
        assert sorted(range(3), key=lambda at: -heights[at]) == sorted(range(3), key=lambda at: ratios[at])
        assert "3 records of amber teal 2" in tab.get_attribute(".history svg", "aria-label")
        button.press("Enter")
        assert tab.locator(".history").count() == 0


def test_ones_own_rows_are_marked_for_oneself_alone(visit):
    with visit("/leaderboard/", "ada") as tab:
        assert tab.locator("tr.mine th").all_text_contents() == ["amber teal 2 (you)"]
    with visit("/leaderboard/") as tab:
        assert tab.locator("tr.mine").count() == 0
