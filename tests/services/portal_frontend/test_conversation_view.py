"""A conversation: the tree in the portal's page, the turn in the address, recordings, and turns that come in later."""

import json
import subprocess
import sys

import pytest

TREE = "[data-view=conversation-tree]"
TEXTS = f"() => [...document.querySelectorAll('{TREE} .turns .said')].map(one => one.textContent)"
SELECTED = f"{TREE} .turn.selected .said"


def texts_to(nodes, identifier):
    """The oracle: what was said from the top down to a turn."""
    by_id = {node["id"]: node for node in nodes}
    node = by_id[identifier]
    return [*(texts_to(nodes, node["parent"]) if node["parent"] else []), node["text"]]


@pytest.fixture
def ingest(portal):
    """Bring log entries into the running portal, as `course portal ingest` does."""

    def bring(*entries, owner="ada"):
        log = portal.folder / "later.jsonl"
        log.write_text("".join(json.dumps(one) + "\n" for one in entries), encoding="utf-8")
        command = [sys.executable, "-m", "services.portal", "ingest", str(log), "--owner", owner, "--runner", "loop"]
        subprocess.run(command, env=portal.environment, check=True, capture_output=True)

    return bring


@pytest.fixture
def said():
    """A turn of the conversation "later", as an entry."""
    from datetime import timedelta

    from services.portal.made_up import START, entry

    def make(message, parent, second):
        about = {"event": "turn", "conversation_id": "later", "message_id": message, "parent_id": parent}
        about |= {"role": "caller", "text": f"text of {message}"}
        time = START + timedelta(seconds=second)
        return entry(f"later-{message}", time, "later") | {"jsonPayload": about}

    return make


def nodes_of(tab):
    return json.loads(tab.text_content("#conversation-data"))["nodes"]


def test_the_tree_shows_and_keys_walk_it(visit):
    with visit("/conversations/ada~demo-call/", "ada") as tab:
        chosen = [node for node in nodes_of(tab) if node["chosen"]]
        assert tab.evaluate(TEXTS) == [node["text"] for node in chosen]
        assert tab.locator(f"{TREE} canvas").bounding_box()["height"] > 100
        tab.get_by_role("tree").focus()
        tab.keyboard.press("ArrowDown")
        tab.wait_for_selector(SELECTED)
        first = tab.url
        assert "#node=" in first and tab.text_content(SELECTED) == texts_to(nodes_of(tab), first.split("=")[-1])[-1]
        tab.keyboard.press("ArrowDown")
        tab.wait_for_function(f"() => document.querySelectorAll('{TREE} .turns .turn').length > 1")
        assert tab.url != first
        assert tab.evaluate(TEXTS) == texts_to(nodes_of(tab), tab.url.split("=")[-1])


def test_a_click_opens_a_turn(visit):
    with visit("/conversations/ada~demo-call/", "ada") as tab:
        box = tab.locator(f"{TREE} canvas").bounding_box()
        places = [(x, y) for y in range(20, int(box["height"]), 16) for x in range(20, int(box["width"]), 24)]
        for x, y in places:
            tab.mouse.click(box["x"] + x, box["y"] + y)
            if "#node=" in tab.url:
                break
        tab.wait_for_selector(SELECTED)
        assert tab.evaluate(TEXTS)[-1] == texts_to(nodes_of(tab), tab.url.split("=")[-1])[-1]


def test_search_finds_turns(visit):
    with visit("/conversations/ada~demo-call/", "ada") as tab:
        tab.get_by_role("tree").focus()
        tab.keyboard.press("/")
        tab.keyboard.type("debit card")
        tab.keyboard.press("Enter")
        tab.wait_for_selector(SELECTED)
        assert tab.text_content(SELECTED) == "I lost my debit card yesterday."


@pytest.mark.parametrize("address", ["#node=t2", "?at=t2"])
def test_an_address_names_a_turn(visit, address):
    with visit(f"/conversations/ada~demo-call/{address}", "ada") as tab:
        assert tab.text_content(SELECTED) == "I lost my debit card yesterday."
        assert tab.locator(f"{TREE} h2").last.text_content() == "What led to the selected turn"
        tab.evaluate("location.hash = '#node=t3'")
        tab.wait_for_function(f"() => document.querySelector('{SELECTED}').textContent.startsWith('I have blocked it')")
        tab.evaluate("location.hash = '#node=nobody'")
        tab.wait_for_function(f"() => !document.querySelector('{SELECTED}')")


def test_recordings_come_from_the_portal(visit, portal):
    with visit("/conversations/ada~hostile/#node=h2", "ada") as tab:
        source = tab.get_attribute(f"{TREE} .turn.selected audio", "src")
        assert source == "/conversations/ada~hostile/audio/hello.wav"
        seconds = tab.evaluate(
            f"() => new Promise((good, bad) => {{ const one = document.querySelector('{TREE} .turn.selected audio');"
            " one.onloadedmetadata = () => good(one.duration); one.onerror = bad; one.preload = 'auto'; one.load(); })"
        )
        assert seconds == pytest.approx(0.1, abs=0.001)


def test_hostile_text_is_text(visit):
    with visit("/conversations/ada~hostile/#node=h2", "ada") as tab:
        assert tab.evaluate(TEXTS)[0].startswith("</script><img")
        assert tab.locator(f"{TREE} img").count() == 0 and tab.title() != "broken in"


def test_refresh_brings_what_the_logs_have_since(visit, ingest, said):
    ingest(said("a", None, 0))
    with visit("/conversations/ada~later/", "ada") as tab:
        status = f"{TREE} .fresh [role=status]"
        tab.get_by_role("button", name="Refresh").click()
        tab.wait_for_function(f"() => document.querySelector('{status}').textContent.startsWith('No new turn')")
        ingest(said("b", "a", 3), said("c", "b", 6))
        tab.get_by_role("button", name="Refresh").click()
        tab.wait_for_function(f"() => document.querySelector('{status}').textContent.startsWith('2 new turns')")
        assert tab.evaluate(TEXTS) == ["text of a", "text of b", "text of c"]
        ingest(said("d", "c", 9))
        tab.get_by_label("Live").check()
        tab.wait_for_function(f"() => document.querySelectorAll('{TREE} .turns .turn').length === 4")


def test_who_is_logged_out_is_told(visit):
    with visit("/conversations/ada~demo-call/", "ada", expected=["Failed to load resource"]) as tab:
        tab.context.clear_cookies()
        tab.get_by_role("button", name="Refresh").click()
        tab.wait_for_function(
            f"() => document.querySelector('{TREE} .fresh [role=status]').textContent.includes('Log in')"
        )
        assert tab.locator(f"{TREE} .turns .turn").count() > 0


def test_interns_open_their_own_conversations_alone(visit):
    refused = ["Failed to load resource"]
    for name, other in (("ada", "ben"), ("ben", "ada")):
        with visit("/conversations/", name) as tab:
            owners = {link.get_attribute("href").split("/")[2].split("~")[0] for link in tab.locator("tbody a").all()}
            assert owners == {name}
        with visit(f"/conversations/{other}~demo-call/", name, expected=refused) as tab:
            assert tab.locator(TREE).count() == 0 and "debit card" not in tab.content()
    with visit("/conversations/ben~demo-call/", "iris") as tab:
        assert tab.get_by_role("tree").is_visible()
