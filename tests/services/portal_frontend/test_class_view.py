"""The class as an instructor looks at it: a lab by its tasks, all labs, who is stuck."""

VIEW = "[data-view=class-table]"
TABLE = (
    f"() => [...document.querySelectorAll('{VIEW} tbody tr')].map(row => [...row.children].map(one => one.innerText))"
)
STUDENTS = f"{VIEW} tbody th"


def test_a_lab_by_its_tasks_is_sorted_and_filtered(visit):
    with visit("/class/?lab=lab01-sound", "iris") as tab:
        rows = tab.evaluate(TABLE)
        assert [row[:3] for row in rows] == [
            ["ada", "12 of 12", "graded"],
            ["ben", "0 of 12", "graded"],
            ["chloe", "6 of 12", "graded"],
        ]
        assert [row[3:5] for row in rows] == [["6", "6"], ["0", "0"], ["6", "0"]]
        assert rows[1][5].startswith("Task frames: Mind </script><img") and rows[0][5] == rows[2][5] == ""
        tab.get_by_role("columnheader", name="Score").get_by_role("button").click()
        assert tab.locator(STUDENTS).all_text_contents() == ["ben", "chloe", "ada"]
        tab.get_by_role("columnheader", name="Task energy").get_by_role("button").press("Enter")
        assert tab.locator(STUDENTS).all_text_contents()[-1] == "ada"
        tab.get_by_label("Only who is stuck").check()
        assert tab.locator(STUDENTS).all_text_contents() == ["ben"]
        tab.get_by_label("Only who is stuck").uncheck()
        tab.get_by_label("Student").fill("CHL")
        assert tab.locator(STUDENTS).all_text_contents() == ["chloe"]


def test_status_is_chosen_among_those_there_are(visit):
    with visit("/class/?lab=lab02-spectra", "iris") as tab:
        assert tab.locator(f"{VIEW} option").all_text_contents() == ["all", "graded", "timeout"]
        tab.get_by_label("Status").select_option("timeout")
        assert tab.evaluate(TABLE)[0][0] == "chloe" and "It ran too long." in tab.evaluate(TABLE)[0]


def test_all_labs_side_by_side(visit):
    with visit("/class/", "iris") as tab:
        tab.get_by_role("button", name="All labs").click()
        tab.get_by_role("columnheader", name="Spectra").wait_for()
        assert tab.evaluate(TABLE) == [
            ["ada", "24 of 24", "12 of 12", "12 of 12", ""],
            ["ben", "0 of 12", "0 of 12", "–", "Sound as numbers"],
            ["chloe", "6 of 24", "6 of 12", "timeout", "Spectra"],
        ]
        by_lab = tab.get_by_role("columnheader", name="Spectra").get_by_role("button")
        for last in range(2):  # whoever handed nothing in comes last, in both orders
            by_lab.click()
            assert tab.locator(STUDENTS).all_text_contents()[-1] == "ben", last
        tab.get_by_label("Only who is stuck in a lab").check()
        assert sorted(tab.locator(STUDENTS).all_text_contents()) == ["ben", "chloe"]
        tab.get_by_role("columnheader", name="Spectra").get_by_role("link").click()
        assert tab.url.endswith("?lab=lab02-spectra")
        assert tab.get_by_role("button", name="This lab, by task").get_attribute("aria-pressed") == "true"


def test_a_lab_that_does_not_come_is_told(visit):
    with visit("/class/", "iris", expected=["Failed to load resource"]) as tab:
        tab.route("**/class/?lab=lab02-spectra", lambda route: route.fulfill(status=503, body="away"))
        tab.get_by_role("button", name="All labs").click()
        tab.wait_for_function("() => document.body.innerText.includes('came with status 503')")
        assert tab.locator(STUDENTS).count() == 3


def test_the_class_is_no_interns_business(visit):
    with visit("/class/", "ada", expected=["Failed to load resource"]) as tab:
        assert tab.locator(VIEW).count() == 0 and "chloe" not in tab.content()
