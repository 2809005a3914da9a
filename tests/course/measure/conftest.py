from datetime import UTC, datetime

import pytest

from course.measure.rehearsal import Measurement, Server

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def record():
    """An honest record of two made-up backends."""
    return Measurement(3).record()


@pytest.fixture(scope="session")
def server_record():
    """An honest record of a made-up server."""
    return Server(3).record()


@pytest.fixture
def now():
    """A moment after the records were made."""
    return NOW
