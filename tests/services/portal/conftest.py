"""The portal on a database of its own, with accounts and clients."""

import os
import secrets

import pytest
from hypothesis import settings as profile

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "services.portal.settings")
os.environ.setdefault("PORTAL_SECRET_KEY", secrets.token_urlsafe(64))

import django  # its settings are read from here on

django.setup()

profile.register_profile("course", deadline=None, derandomize=True)
profile.load_profile("course")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory):
    """The database of tests is a file: other connections, of threads and processes, see it as in real life."""
    from django.db import connections

    if connections["default"].vendor == "sqlite":
        connections["default"].settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(autouse=True)
def nothing_remembered(settings):
    """Each test begins with no request counted and no leaderboard computed; passwords are hashed fast, and badly."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    from django.core.cache import cache

    from services.portal.board import _ranked

    cache.clear()
    _ranked.cache_clear()


@pytest.fixture
def chosen(monkeypatch):
    """Set what is set otherwise by PORTAL_..., for a test."""
    from django.conf import settings

    def choose(**fields):
        monkeypatch.setattr(settings, "SET", settings.SET.model_copy(update=fields))

    return choose


@pytest.fixture
def people(db):
    """An instructor and two interns."""
    from services.portal.models import Account

    return {
        name: Account.objects.create_user(name, password=f"{name}'s long password", is_staff=name == "iris")
        for name in ("iris", "ada", "ben")
    }


@pytest.fixture
def as_(people, client):
    """A client that is logged in as somebody, or as nobody."""

    def log_in(name):
        client.logout()
        if name:
            client.force_login(people[name])
        return client

    return log_in


@pytest.fixture
def keep(db):
    """Store the conversations of log entries."""
    from services.portal.entries import Said, parse_entry
    from services.portal.made_up import lines
    from services.portal.store import store

    def put(entries, owner=""):
        rows = [parse_entry(line, owner=owner) for line in lines(list(entries))]
        assert all(isinstance(row, Said) for row in rows), rows
        store(rows)
        return rows

    return put


@pytest.fixture
def turn():
    """Make a log entry of a turn."""
    from datetime import timedelta

    from services.portal.made_up import START, entry

    def make(message, parent=None, second=0.0, conversation="call", insert_id=None, **payload):
        about = {"event": "turn", "conversation_id": conversation, "message_id": message, "parent_id": parent}
        about |= {"role": "caller", "text": f"text of {message}"} | payload
        named = entry(insert_id or f"{conversation}-{message}", START + timedelta(seconds=second), conversation)
        return named | {"jsonPayload": about}

    return make
