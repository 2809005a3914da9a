"""The command line: accounts, settings, a disk that is full, and what is printed."""

import pytest
from click.testing import CliRunner
from django.db import connection

from course.errors import CourseError
from services.portal.command import portal, told
from services.portal.configuration import Configuration, configuration
from services.portal.made_up import entries, lines
from services.portal.models import Account, Conversation, Turn
from services.portal.secrets_kept import kept_key, make_key


@pytest.fixture
def run(tmp_path, chosen, monkeypatch):
    """Run the command with a data folder of its own, on the database of the tests."""
    configured = Configuration(data=tmp_path)
    monkeypatch.setattr("services.portal.configuration.configuration", lambda: configured)
    monkeypatch.setattr("services.portal.start.configuration", lambda: configured)
    return lambda *words: CliRunner().invoke(portal, [str(word) for word in words])


@pytest.mark.django_db
def test_an_account_is_made_and_its_password_renewed(run, client):
    first, second = run("account", "iris", "--instructor"), run("account", "iris")
    assert first.exit_code == second.exit_code == 0 and first.output != second.output
    assert Account.objects.get().is_staff
    assert not client.login(username="iris", password=first.output.split()[1])
    assert client.login(username="iris", password=second.output.split()[1])
    refused = run("account", "a b/c")
    assert isinstance(refused.exception, CourseError) and "no name for an account" in str(refused.exception)


@pytest.mark.django_db
def test_ingest_says_what_it_read_and_ends_with_1_for_dead_letters(run, tmp_path):
    log = tmp_path / "calls.jsonl"
    log.write_bytes(b"\n".join(lines(list(entries(2, 2)))))
    good = run("ingest", "--runner", "loop", "--owner", "ada", log)
    assert good.exit_code == 0 and "4 entries in" in good.output and "4 of them in 2 conversations" in good.output
    assert set(Conversation.objects.values_list("owner", flat=True)) == {"ada"}
    log.write_bytes(log.read_bytes() + b"\nrubbish")
    bad = run("ingest", "--runner", "loop", "--owner", "ada", log)
    assert bad.exit_code == 1 and "1 dead letters" in bad.output and (tmp_path / "dead-letters").is_dir()
    assert run("ingest").exit_code == 2


@pytest.mark.django_db(transaction=True)
def test_a_full_database_is_told_and_the_rest_comes_when_there_is_room(run, tmp_path):
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite can be told to be full")
    log = tmp_path / "calls.jsonl"
    log.write_bytes(b"\n".join(lines(list(entries(300, 10)))))
    with connection.cursor() as cursor:
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages + 100}")
    try:
        full = run("ingest", "--runner", "loop", log)
        assert isinstance(full.exception, CourseError) and "is full" in str(full.exception)
        kept = Turn.objects.count()
        assert kept % 1000 == 0 and kept < 3000
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 1073741823")
    assert run("ingest", "--runner", "loop", log).exit_code == 0 and Turn.objects.count() == 3000


def test_a_disk_that_is_full_is_told():
    with pytest.raises(CourseError, match="is full"), told():
        raise OSError(28, "No space left on device")
    with pytest.raises(ZeroDivisionError), told():
        1 / 0  # noqa: B018 - it is to raise


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORTAL_PROT", "1", "no setting PORTAL_PROT. Is PORTAL_PORT meant"),
        ("PORTAL_PORT", "70000", "PORTAL_PORT='70000' cannot be"),
        ("PORTAL_LOGIN_RATE", "many", "PORTAL_LOGIN_RATE='many' cannot be"),
        ("PORTAL_ORIGIN", "portal.example", "such as https://portal.example"),
        ("PORTAL_BUSY_SECONDS", "-1", "PORTAL_BUSY_SECONDS='-1' cannot be"),
    ],
)
def test_a_wrong_setting_is_told(name, value, sentence, monkeypatch):
    monkeypatch.setenv(name, value)
    configuration.cache_clear()
    try:
        with pytest.raises(CourseError, match=sentence):
            configuration()
    finally:
        configuration.cache_clear()


def test_the_key_is_made_once_and_a_short_one_refused(tmp_path):
    assert kept_key(tmp_path) == ""
    make_key(tmp_path)
    key = kept_key(tmp_path)
    make_key(tmp_path)
    assert kept_key(tmp_path) == key and len(key) > 60
    (tmp_path / "secret-key").write_text("short")
    with pytest.raises(CourseError, match="fewer than 50 letters"):
        make_key(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(CourseError, match="cannot be written|readable"):
        make_key(tmp_path / "file" / "below")


def test_https_makes_everything_strict():
    """Settings are read in a process of their own."""
    import json
    import os
    import subprocess
    import sys
    from pathlib import Path

    names = [
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECURE_SSL_REDIRECT",
        "SECURE_HSTS_SECONDS",
        "ALLOWED_HOSTS",
    ]
    code = (
        f"import json; from services.portal import settings as s; print(json.dumps([getattr(s, n) for n in {names}]))"
    )
    environment = os.environ | {"PORTAL_ORIGIN": "https://portal.example:8443", "PORTAL_SECRET_KEY": "k" * 60}
    kit = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=kit, env=environment, capture_output=True, text=True)
    cookie, csrf, redirect, hsts, hosts = json.loads(done.stdout)
    assert cookie and csrf and redirect and hsts > 10**7 and "portal.example" in hosts


@pytest.mark.django_db
def test_the_tables_are_those_of_the_models():
    from django.core.management import call_command

    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
