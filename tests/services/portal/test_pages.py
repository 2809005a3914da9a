"""Who sees what, what a page shows without scripts, and what hostile texts do: nothing."""

import json
import re

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from services.portal.made_up import entries

pytestmark = pytest.mark.django_db
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}"


@pytest.fixture
def filled(keep, turn):
    """A conversation of Ada's, one of Ben's of the same name, and one that is nobody's."""
    for owner in ("ada", "ben", ""):
        keep([turn("a", text=f"{owner or 'nobody'} speaks"), turn("b", "a", 5, text="an answer")], owner)


# What anonymous, an intern and an instructor get. 302 leads to the log-in.
MATRIX = {
    "/": (200, 200, 200),
    "/leaderboard/": (200, 200, 200),
    "/login/": (200, 302, 302),
    "/conversations/": (302, 200, 200),
    "/conversations/ada~call/": (302, 200, 200),
    "/conversations/ben~call/": (302, 404, 200),
    "/conversations/call/": (302, 404, 200),
    "/conversations/none/": (302, 404, 404),
    "/conversations/ben~call/audio/x.wav": (302, 404, 404),
    "/records/": (302, 200, 200),
    "/class/": (302, 403, 200),
    "/class/feedback/ada/lab01/lab01.html": (302, 404, 404),
    "/class/assets/source-serif.woff2": (302, 404, 404),
    "/account/": (302, 200, 200),
    "/account/password/": (302, 200, 200),
    "/logout/": (405, 405, 405),
    "/api/conversations/": (401, 200, 200),
    "/api/conversations/ada~call/": (401, 200, 200),
    "/api/conversations/ben~call/": (401, 404, 200),
    "/api/leaderboard/": (200, 200, 200),
    "/healthz": (200, 200, 200),
    "/readyz": (200, 200, 200),
    "/nothing/": (404, 404, 404),
    "/api/nothing/": (404, 404, 404),
    "/admin/": (404, 404, 404),
}


@pytest.mark.parametrize("address", MATRIX)
def test_who_sees_what(address, filled, as_, chosen, tmp_path):
    chosen(class_folder=tmp_path)
    for name, status in zip((None, "ada", "iris"), MATRIX[address], strict=True):
        answer = as_(name).get(address)
        assert answer.status_code == status, (name, answer.content[:300])
        if status == 302 and not name:
            assert answer["Location"].startswith("/login/?next=")
        if address.startswith("/api/"):
            assert answer["Content-Type"] == "application/json"


def test_every_address_is_in_the_matrix():
    from services.portal.urls import urlpatterns

    patterns = [re.compile("^/" + re.sub(r"<str:\w+>", "[^/]+", str(one.pattern)) + "$") for one in urlpatterns]
    assert all(any(pattern.match(address) for address in MATRIX) for pattern in patterns)


def test_an_intern_lists_and_finds_only_their_own(filled, as_):
    for address in ("/api/conversations/", "/api/conversations/?q=speaks"):
        found = as_("ada").get(address).json()
        assert [one["id"] for one in found["conversations"]] == ["ada~call"] and found["count"] == 1
    assert as_("ada").get("/api/conversations/?q=nobody").json()["count"] == 0
    assert as_("iris").get("/api/conversations/?q=answer").json()["count"] == 3
    assert "ben speaks" not in as_("ada").get("/conversations/").content.decode()


def test_the_list_has_pages_and_search(keep, as_):
    keep(entries(60, 1))
    client = as_("iris")
    first, last = (client.get(f"/api/conversations/?page={page}").json() for page in (1, 99))
    assert (first["pages"], first["page"], last["page"]) == (3, 1, 3)
    assert len(first["conversations"]) == 25 and len(last["conversations"]) == 10
    times = [one["latest"] for one in first["conversations"]]
    assert times == sorted(times, reverse=True)
    page = BeautifulSoup(client.get("/conversations/?q=card").content, "html.parser")
    assert page.find("input", {"name": "q"})["value"] == "card"
    assert client.get("/conversations/", {"q": "100%_\\ \0" + "x" * 5000, "page": "abc"}).status_code == 200


def test_a_conversation_is_whole_without_a_script(keep, turn, as_):
    keep([turn("a"), turn("b", "a", 1, text="one way"), turn("c", "a", 2, text="the other way"), turn("d", "zz", 3)])
    client = as_("iris")
    page = BeautifulSoup(client.get("/conversations/call/").content, "html.parser")
    assert [one["id"] for one in page.select(".turn")] == ["turn-a", "turn-c"]
    assert [link["href"] for link in page.select(".turn details a")] == ["?at=d#turn-d", "?at=b#turn-b"]
    page = BeautifulSoup(client.get("/conversations/call/?at=b").content, "html.parser")
    assert [one["id"] for one in page.select(".turn")] == ["turn-a", "turn-b"]
    assert "no log that was read" in client.get("/conversations/call/?at=d").content.decode()
    data = json.loads(page.find("script", id="conversation-data").string)
    assert data == client.get("/api/conversations/call/").json()
    assert page.select_one("[data-view=conversation-tree]")["data-source"] == "conversation-data"


def test_hostile_texts_are_texts(keep, turn, as_, people):
    people["ada"].pseudonym = HOSTILE
    people["ada"].save()
    keep([turn("a", text=HOSTILE, scores={HOSTILE[:70]: 1.0}, model=HOSTILE)], "ada")
    for address in ("/", "/conversations/", f"/conversations/?q={HOSTILE}", "/conversations/ada~call/", "/account/"):
        text = as_("ada").get(address).content.decode()
        page = BeautifulSoup(text, "html.parser")
        assert all(script.get("type") == "application/json" or script.get("src") for script in page.find_all("script"))
        assert not page.find_all(onerror=True) and "alert(1)</script>" not in text and "49" not in page.get_text()
    page = BeautifulSoup(as_("ada").get("/conversations/ada~call/").content, "html.parser")
    assert page.select_one(".said").get_text() == HOSTILE
    assert json.loads(page.find("script", id="conversation-data").string)["nodes"][0]["text"] == HOSTILE


def test_recordings_are_played_to_who_may_hear_them(keep, turn, as_, tmp_path, settings):
    settings.DATA = tmp_path
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "a.wav").write_bytes(b"RIFF0123456789")
    keep([turn("a", audio="a.wav"), turn("b", "a", 1, audio="gone.wav")], "ada")
    address = reverse("audio", args=["ada~call", "a.wav"])
    node = as_("ada").get("/api/conversations/ada~call/").json()["nodes"][0]
    assert node["audio"] == address
    assert as_("ada").get(address).content == b"RIFF0123456789"
    part = as_("ada").get(address, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content, part["Content-Type"]) == (206, b"0123", "audio/wav")
    assert as_("ben").get(address).status_code == 404
    for name in ("gone.wav", "secret-key", "..%2Fsecret-key"):
        assert as_("ada").get(f"/conversations/ada~call/audio/{name}").status_code == 404


def test_logging_in_and_out(people, client):
    wrong = client.post("/login/", {"username": "ada", "password": "guess"})
    assert wrong.status_code == 200 and b"correct username and password" in wrong.content
    right = client.post("/login/?next=/account/", {"username": "ada", "password": "ada's long password"})
    assert right["Location"] == "/account/"
    away = client.post(
        "/login/", {"username": "ada", "password": "ada's long password", "next": "https://evil.example/"}
    )
    assert away["Location"] == "/"
    assert client.post("/logout/")["Location"] == "/"
    assert client.get("/account/").status_code == 302


def test_changing_the_password(as_):
    client = as_("ada")
    short = {"old_password": "ada's long password", "new_password1": "ada", "new_password2": "ada"}
    assert b"too short" in client.post("/account/password/", short).content
    good = short | {"new_password1": "kestrel over water", "new_password2": "kestrel over water"}
    assert client.post("/account/password/", good)["Location"] == "/account/"
    assert b"The password is changed." in client.get("/account/").content


def test_forms_need_their_token(people):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(people["ada"])
    for address in ("/login/", "/logout/", "/records/", "/account/password/"):
        answer = strict.post(address, {"username": "ada"})
        assert answer.status_code == 403 and b"not this portal" in answer.content


def test_who_tries_too_often_has_to_wait(people, client, chosen):
    chosen(login_rate="3/h", page_rate="8/h")
    tries = [client.post("/login/", {"username": "ada", "password": "x"}) for _ in range(5)]
    assert [one.status_code for one in tries] == [200, 200, 200, 429, 429] and tries[-1]["Retry-After"]
    other = client.post("/login/", {"username": "ADA", "password": "x"}, REMOTE_ADDR="10.0.0.9")
    assert other.status_code in (200, 429)
    found = [client.get("/leaderboard/", REMOTE_ADDR="10.0.0.7").status_code for _ in range(9)]
    assert found == [200] * 8 + [429]
    assert client.get("/api/leaderboard/", REMOTE_ADDR="10.0.0.7").json()["error"]["status"] == 429
    assert client.get("/healthz", REMOTE_ADDR="10.0.0.7").status_code == 200


def test_headers_keep_strangers_out(client, db):
    answer = client.get("/leaderboard/")
    policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'" and policy["form-action"] == "'self'"
    assert answer["X-Frame-Options"] == "DENY" and answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_pages_have_no_style_or_script_in_them(filled, as_):
    for address in (
        "/",
        "/login/",
        "/leaderboard/",
        "/conversations/",
        "/conversations/ada~call/",
        "/records/",
        "/account/",
    ):
        client = as_("ada" if address != "/login/" else None)
        page = BeautifulSoup(client.get(address).content, "html.parser")
        assert not page.find_all(style=True) and not page.find_all("style")
        assert not [name for tag in page.find_all(True) for name in tag.attrs if name.startswith("on")]
        assert page.find("title").string and page.find("meta", {"name": "description"})["content"]
        for tag in page.find_all(["script", "link"], {"src": True}) + page.find_all("link"):
            found = client.get(tag.get("src") or tag["href"])
            assert found.status_code == 200 and found.content
