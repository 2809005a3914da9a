"""The tree in Chromium: what a reader sees and does, with the mouse, the keys and a screen reader."""

import re

import pytest
from playwright.sync_api import expect

from course.errors import CourseError
from course.site.checks.browser import DARK, LIGHT, PHONE, PHONE_DARK, axe_source

HOST = "document.querySelector('#tree > div').shadowRoot"
PIXELS = f"""() => {{
  const canvas = {HOST}.querySelector('canvas');
  const {{ data }} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height), found = new Map();
  for (let i = 0; i < data.length; i += 4) {{
    const colour = data[i + 3] ? `${{data[i]}} ${{data[i + 1]}} ${{data[i + 2]}}` : 'none';
    found.set(colour, (found.get(colour) ?? 0) + 1);
  }}
  return Object.fromEntries(found);
}}"""
WASH, MARK, BAD, HIT = "233 244 246", "255 241 194", "163 36 47", "201 138 0"  # of the light palette
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def tree(tab):
    return tab.get_by_role("tree")


def card(tab):
    return tab.get_by_role("complementary")


def selected(tab):
    """The turn that a screen reader is at: the item that the tree names as its active one."""
    active = f"{HOST}.getElementById({HOST}.querySelector('[role=tree]').getAttribute('aria-activedescendant'))"
    return tab.evaluate(f"{active}?.querySelector('.said').textContent ?? null")


def settled(tab):
    tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_keys_walk_parents_children_and_alternatives(visit, call):
    tab = visit(call)
    tree(tab).focus()
    seen = []
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp", "ArrowUp"):
        tab.keyboard.press(key)
        seen.append(selected(tab))
    hello, first, second = "Hello, I lost my card.", "Which card?", "I have blocked it."
    # The chosen alternative comes first, and where there is nothing further the walk stays.
    assert seen == [hello, second, first, "The debit card.", "The debit card.", first, hello, hello]
    assert tab.evaluate("chosen") == ["hello", "second", "first", "debit", "first", "hello"]


def test_enter_opens_a_card_with_all_that_is_known(visit, call):
    tab = visit(call)
    tree(tab).focus()
    tab.keyboard.press("ArrowDown")
    expect(card(tab)).to_have_count(0)
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    for words in ("on the chosen way", "I have blocked it.", "model-b", "31 + 7", "1.25 s", "1 of 2"):
        expect(card(tab)).to_contain_text(words)
    tab.get_by_role("button", name="Next alternative").click()
    for words in ("an alternative", "helpfulness", "0.25", "wer", "1.5", "2 of 2"):
        expect(card(tab)).to_contain_text(words)
    tab.get_by_role("button", name="After").click()
    expect(card(tab)).to_contain_text("clock By its clock it is 3.0 s older")
    tab.keyboard.press("Escape")
    expect(card(tab)).to_have_count(0)
    expect(tree(tab)).to_be_focused()


def test_a_click_on_the_drawing_opens_what_lies_there(visit, call):
    tab = visit(call)
    box = tab.locator("#tree canvas").bounding_box()
    at = tab.evaluate(f"""() => {{ // the middle of what has the colour of a problem: the card of its turn
      const canvas = {HOST}.querySelector('canvas'), found = [];
      const {{ data, width }} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      for (let i = 0; i < data.length; i += 4) {{
        if (`${{data[i]}} ${{data[i + 1]}} ${{data[i + 2]}}` === '{BAD}') found.push([(i / 4) % width, i / 4 / width]);
      }}
      const x = Math.max(...found.map(([x]) => x));
      const y = Math.max(...found.filter(([at]) => at > x - 150).map(([, y]) => y));
      return [x - 60, y - 30].map((one) => one / (canvas.width / canvas.clientWidth));
    }}""")
    tab.mouse.click(box["x"] + at[0], box["y"] + at[1])
    expect(card(tab)).to_contain_text("The debit card.")
    assert tab.evaluate("chosen") == ["debit"]


def test_search_counts_marks_and_goes_round(visit, call):
    tab = visit(call)
    assert MARK not in tab.evaluate(PIXELS)
    tree(tab).focus()
    tab.keyboard.press("/")
    expect(tab.get_by_role("searchbox")).to_be_focused()
    tab.keyboard.type("card")
    status = tab.get_by_role("status")
    expect(status).to_have_text("3 turns found")
    settled(tab)
    assert tab.evaluate(PIXELS)[MARK] > 10_000
    told = []
    for key in ("Enter", "Enter", "Enter", "Enter", "Shift+Enter"):
        tab.keyboard.press(key)
        told.append((status.text_content(), selected(tab)))
    hello, which, debit = "Hello, I lost my card.", "Which card?", "The debit card."
    assert told == [("1 of 3", hello), ("2 of 3", which), ("3 of 3", debit), ("1 of 3", hello), ("3 of 3", debit)]
    tab.get_by_role("searchbox").fill("card which AGENT")
    expect(status).to_have_text("1 turn found")
    tab.get_by_role("searchbox").fill("cheque")
    expect(status).to_have_text("Nothing found")
    expect(tab.get_by_role("button", name="Next hit")).to_be_disabled()


def test_branches_fold_and_a_search_unfolds_what_it_finds(visit, call):
    tab = visit(call)
    items = tab.get_by_role("treeitem")
    expect(items).to_have_count(5)
    tab.get_by_role("button", name="Fold alternatives").click()
    expect(items).to_have_count(4)
    expect(tab.get_by_role("treeitem", expanded=False)).to_contain_text("Which card?")
    tab.get_by_role("searchbox").fill("debit")
    tab.keyboard.press("Enter")
    expect(items).to_have_count(5)
    tree(tab).focus()
    tab.keyboard.press("Home")
    tab.keyboard.press(" ")
    expect(items).to_have_count(1)
    expect(tab.get_by_role("button", name="Unfold all")).to_have_attribute("aria-pressed", "true")
    tab.get_by_role("button", name="Unfold all").click()
    expect(items).to_have_count(5)


def test_a_selection_inside_what_is_folded_goes_up_to_it(visit, call):
    tab = visit(call, selected="debit")
    expect(card(tab)).to_contain_text("The debit card.")
    tab.get_by_role("button", name="Fold alternatives").click()
    assert tab.evaluate("chosen") == ["first"] and selected(tab) == "Which card?"


def test_the_outline_is_a_tree_by_rows(visit, call):
    tab = visit(call)
    tab.get_by_role("button", name="Outline").click()
    items = tab.get_by_role("treeitem")
    facts = """(items) => items.map((one) =>
      ['level', 'posinset', 'setsize'].map((name) => Number(one.getAttribute(`aria-${name}`))))"""
    assert items.evaluate_all(facts) == [[1, 1, 1], [2, 1, 2], [3, 1, 1], [2, 2, 2], [3, 1, 1]]
    tree(tab).focus()
    seen = []
    for key in (
        "ArrowDown",
        "ArrowDown",
        "ArrowDown",
        "ArrowDown",
        "ArrowLeft",
        "ArrowLeft",
        "ArrowRight",
        "ArrowRight",
    ):
        tab.keyboard.press(key)
        seen.append(selected(tab))
    hello, first, second, debit = "Hello, I lost my card.", "Which card?", "I have blocked it.", "The debit card."
    assert seen == [hello, second, "Thank you.", first, first, hello, second, "Thank you."]
    expect(items).to_have_count(4)  # the first answer was folded by an arrow to the left
    assert debit not in items.all_text_contents()


def test_zoom_by_keys_buttons_and_wheel_alike(visit, five_thousand):
    tab = visit(five_thousand)
    ink = lambda: tab.evaluate(PIXELS).get(WASH, 0)  # noqa: E731
    near = ink()
    tree(tab).focus()
    tab.keyboard.press("-")
    settled(tab)
    assert 0 < ink() < near
    tab.get_by_role("button", name="Zoom in").click()
    settled(tab)
    assert ink() == pytest.approx(near, rel=0.02)
    tab.keyboard.press("Shift+Tab")
    before = tab.evaluate("scrollY")
    tab.locator("#tree canvas").hover()
    tree(tab).focus()
    tab.mouse.wheel(0, 300)
    settled(tab)
    assert ink() < near and tab.evaluate("scrollY") == before


def test_a_wheel_scrolls_the_page_unless_the_reader_works_in_the_tree(visit, five_thousand):
    tab = visit(five_thousand)
    tab.evaluate("document.body.style.height = '3000px'")
    before = tab.evaluate(PIXELS)
    tab.locator("#tree canvas").hover()
    tab.mouse.wheel(0, 200)
    tab.wait_for_function("scrollY > 0")
    assert tab.evaluate(PIXELS)[WASH] == pytest.approx(
        before[WASH], rel=0.05
    )  # a card under the pointer has another edge


def test_dragging_moves_the_drawing(visit, five_thousand):
    tab = visit(five_thousand)
    box = tab.locator("#tree canvas").bounding_box()
    tab.mouse.move(box["x"] + 700, box["y"] + 300)
    tab.mouse.down()
    tab.mouse.move(box["x"] - 900, box["y"] + 300, steps=4)
    tab.mouse.up()
    settled(tab)
    assert WASH not in tab.evaluate(PIXELS)  # the chosen way has left the stage
    assert tab.evaluate("chosen") == []  # and a drag is no click


def test_five_thousand_turns_are_drawn_and_few_are_elements(visit, five_thousand):
    tab = visit(five_thousand)
    tab.get_by_role("searchbox").fill("balance")
    tab.get_by_role("button", name="Show all").click()
    settled(tab)
    n_hits = sum("balance" in node["text"] for node in five_thousand["nodes"])
    expect(tab.get_by_role("status")).to_have_text(f"{n_hits:,} turns found")
    drawn = tab.evaluate(PIXELS)
    assert drawn[HIT] > 300 and sum(drawn.values()) - drawn["none"] > 10_000
    assert tab.evaluate(f"{HOST}.querySelectorAll('*').length") < 400
    tab.get_by_role("button", name="Outline").click()
    assert tab.evaluate(f"{HOST}.querySelectorAll('*').length") < 600
    tree(tab).focus()
    tab.keyboard.press("End")
    expect(tab.locator("#tree .item.selected")).to_be_in_viewport()
    assert selected(tab) is not None


def test_a_chain_of_five_thousand_turns_is_no_burden(visit):
    names = [f"turn-{number}" for number in range(5_000)]
    nodes = [
        {"id": name, "parent": before, "role": "user", "text": "and then", "chosen": True}
        for name, before in zip(names, [None, *names], strict=False)
    ]
    tab = visit({"version": 1, "nodes": nodes}, selected="turn-4999")
    assert selected(tab) == "and then"
    tree(tab).focus()
    tab.keyboard.press("Home")
    assert tab.evaluate("chosen") == ["turn-0"]


def test_other_data_keeps_what_the_reader_did(visit, call):
    tab = visit(call)
    tab.get_by_role("button", name="Fold alternatives").click()
    tab.get_by_role("searchbox").fill("card")
    tree(tab).focus()
    tab.keyboard.press("Home")
    more = {"id": "more", "parent": "thanks", "role": "agent", "text": "Is the card all?", "chosen": True}
    tab.evaluate("(data) => view.update({ conversation: data })", call | {"nodes": [*call["nodes"], more]})
    assert selected(tab) == "Hello, I lost my card."
    expect(tab.get_by_role("status")).to_have_text("1 of 4")
    expect(tab.get_by_role("treeitem", expanded=False)).to_contain_text("Which card?")
    tab.evaluate("view.update({ selected: 'debit' })")  # from the page; what hides it opens
    expect(card(tab)).to_contain_text("The debit card.")
    tab.evaluate("(data) => view.update({ conversation: data })", call | {"nodes": call["nodes"][:1], "problems": []})
    expect(card(tab)).to_have_count(0)
    assert tab.evaluate("chosen.at(-1)") is None


def test_hostile_text_stays_text(visit, call):
    evil = "<img src=x onerror=\"document.title = 'broken in'\"><script>document.title = 'broken in'</script>"
    nodes = [node | {"role": evil, "text": evil, "model": evil, "scores": {evil: 0.5}} for node in call["nodes"]]
    problems = [{"node": "hello", "kind": "clock", "message": evil}]
    tab = visit(call | {"title": evil, "nodes": nodes, "problems": problems}, selected="hello")
    expect(card(tab)).to_contain_text("<img src=x onerror=")
    tab.get_by_role("button", name="Outline").click()
    assert tab.locator("#tree img, #tree script").count() == 0
    assert tab.title() == "Conversation tree"


@pytest.mark.parametrize(
    "address", ["https://elsewhere.example/a.wav", "javascript:alert(1)", "data:text/html,x", "//x.y/a"]
)
def test_sound_of_another_host_is_not_offered(visit, call, address):
    call["nodes"][0]["audio"] = address
    tab = visit(call, selected="hello")
    expect(card(tab)).to_contain_text("Hello, I lost my card.")
    assert tab.locator("#tree audio").count() == 0


def test_sound_of_this_site_has_a_player_which_a_key_starts(visit, call):
    tab = visit(call, selected="hello")
    player = tab.locator("#tree audio")
    expect(player).to_have_attribute("src", re.compile("/tree/call.wav$"))
    assert not player.evaluate("one => one.autoplay")
    tree(tab).focus()
    with tab.expect_request("**/call.wav"):
        tab.keyboard.press("p")
    assert player.evaluate("one => one.autoplay")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 2}, "version 1, got 2"),
        ({"nodes": None}, "“nodes” as a list"),
        ({"nodes": [{"id": "a", "role": "user"}]}, "“text” of turn “a”"),
        ({"nodes": [{"id": "a", "role": "user", "text": "x"}] * 2}, "two turns are called “a”"),
        ({"nodes": [{"id": "a", "parent": "b", "role": "user", "text": "x"}]}, "which is none"),
        ({"nodes": [{"id": "a", "parent": "a", "role": "user", "text": "x"}]}, "follows itself"),
    ],
)
def test_what_is_no_conversation_is_refused_and_leaves_the_page_as_it_was(visit, call, change, words):
    tab = visit(call)
    tried = """async (data) => {
      const { mountTree } = await import("./widget.mjs"), place = document.createElement("div");
      try { mountTree(place, data); } catch (error) { return [error.name, error.message, place.children.length]; }
    }"""
    name, message, n_children = tab.evaluate(tried, call | change)
    assert name == "RangeError" and words in message and ": try " in message and n_children == 0


def test_an_empty_conversation_is_one(visit):
    tab = visit({"version": 1, "nodes": []})
    expect(tab.get_by_role("status")).to_have_text("0 turns")
    tree(tab).focus()
    for key in ("ArrowDown", "Enter", "End", "0", "+", "p", " "):
        tab.keyboard.press(key)
    assert selected(tab) is None


def test_two_live_side_by_side_and_one_can_go(visit, call):
    tab = visit(call)
    tab.evaluate(
        "(data) => { window.other = document.querySelector('main').appendChild(document.createElement('div')); }"
    )
    tab.evaluate("""async (data) => {
      const { mountTree } = await import("./widget.mjs");
      window.second = mountTree(other, data, { selected: "debit" });
    }""", call)  # fmt: skip
    expect(tab.get_by_role("complementary")).to_have_count(1)
    tab.evaluate("view.destroy()")
    expect(tab.locator("#tree")).to_be_empty()
    expect(tab.get_by_role("tree")).to_have_count(1)


def test_the_book_hosts_it_without_a_kernel(visit, call):
    tab = visit(call)
    tab.evaluate("view.destroy()")
    tab.evaluate("""async (data) => {
      const { start } = await import("./widgets.js"), place = document.querySelector("#tree");
      const model = JSON.stringify({ conversation: data, selected: "debit" });
      Object.assign(place.dataset, { module: "widget.mjs", model });
      await start(place);
    }""", call)  # fmt: skip
    expect(card(tab)).to_contain_text("The debit card.")
    tab.get_by_role("button", name="Before").click()
    expect(card(tab)).to_contain_text("Which card?")


def test_the_colours_follow_the_page(visit, call):
    tab = visit(call)
    assert WASH in tab.evaluate(PIXELS)
    tab.evaluate("document.documentElement.dataset.theme = 'dark'")
    settled(tab)
    assert WASH not in tab.evaluate(PIXELS) and "19 39 47" in tab.evaluate(PIXELS)
    tab.evaluate("document.documentElement.style.setProperty('--accent-wash', 'rgb(1, 200, 3)')")
    tab.evaluate("document.documentElement.dataset.theme = 'light'")
    settled(tab)
    assert "1 200 3" in tab.evaluate(PIXELS)


@pytest.mark.parametrize("view", [LIGHT, DARK, PHONE, PHONE_DARK], ids=lambda view: view.name)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(visit, call, view):
    try:
        axe = axe_source()
    except CourseError as error:
        pytest.skip(str(error))
    tab = visit(call, view, selected="debit")
    tab.get_by_role("searchbox").fill("card")
    tab.get_by_text("Keys", exact=True).click()
    for name in ("Outline", "Fold alternatives"):
        tab.evaluate(axe)
        found = tab.evaluate("axe.run({resultTypes: ['violations']}).then(({ violations }) => violations)")
        assert [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in found] == []
        assert tab.evaluate(WIDER) <= 0
        tab.get_by_role("button", name=name).click()
