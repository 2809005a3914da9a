"""A service in this process, without a network or over loopback, with fake engines that a test can hold."""

import asyncio
import contextlib
import io
import json
import threading
import time

import httpx
import numpy as np
import pytest
import soundfile
from hypothesis import settings

from services.inference.app import create_app
from services.inference.command import listen
from services.inference.engines import FakeChat, FakeSpeech
from services.inference.logs import Log
from services.inference.server import Server, config
from services.inference.settings import Settings

settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")
PATIENCE = 30.0  # seconds until a test gives up; nothing is judged by it


@pytest.fixture
def anyio_backend():
    return "asyncio"


class HeldChat(FakeChat):
    """A fake engine that makes no part while a test holds it, and breaks at the word "poison"."""

    def __init__(self, slots: int = 4):
        super().__init__(slots)
        self.free, self.sizes = threading.Event(), []
        self.free.set()

    def encode(self, messages):
        if any(message["content"] == "refused" for message in messages):
            raise ValueError("A text that this model takes was expected.")
        self.poison = super().encode([{"role": "user", "content": "poison"}])[1]
        return super().encode(messages)

    def _next(self, jobs):
        self.free.wait(PATIENCE)
        if any(self.poison in job.prompt for job in jobs):
            raise RuntimeError("poison")
        self.sizes.append(len(jobs))
        return super()._next(jobs)


class HeldSpeech(FakeSpeech):
    """A fake engine that makes no part while a test holds it."""

    def __init__(self, slots: int = 4):
        super().__init__(slots)
        self.free, self.pieces = threading.Event(), 0
        self.free.set()

    def step(self, jobs):
        self.free.wait(PATIENCE)
        self.pieces += len(jobs)
        return super().step(jobs)


class Service:
    """An application with its parts at hand."""

    def __init__(self, chat=None, speech=None, clock=None, **chosen):
        self.settings = Settings(**{"engine": "fake", "max_wait": 0.0, "log_texts": True, **chosen})
        self.chat, self.speech, self.written = chat or HeldChat(), speech or HeldSpeech(), io.StringIO()
        self.app = create_app(self.settings, self.chat, self.speech, clock, Log("test-project", self.written))
        self.models = self.app.state.models

    @property
    def entries(self) -> list[dict]:
        """What was logged, without what is not about requests."""
        entries = [json.loads(line) for line in self.written.getvalue().splitlines()]
        return [entry for entry in entries if "httpRequest" in entry]

    def number(self, name: str, **labels) -> float:
        """A metric's value."""
        return self.app.state.metrics.registry.get_sample_value(name, labels) or 0.0

    @contextlib.asynccontextmanager
    async def client(self):
        """A client of the application, without a network, once all models are loaded or known to be missing."""
        async with self.app.router.lifespan_context(self.app):
            await until(lambda: all(one.state != "loading" for one in self.models.all))
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://service", timeout=PATIENCE) as client:
                yield client

    @contextlib.contextmanager
    def serving(self):
        """The application behind uvicorn on loopback: its address, and the server."""
        listening = listen("127.0.0.1", 0)
        server = Server(config(self.app, self.settings), self.models, self.settings.drain_delay)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
        thread.start()
        host, port = listening.getsockname()
        try:
            wait_until(lambda: server.started and all(one.state != "loading" for one in self.models.all))
            yield f"http://{host}:{port}", server
        finally:
            self.chat.free.set()
            self.speech.free.set()
            server.should_exit = True
            thread.join(PATIENCE)
            assert not thread.is_alive()


@pytest.fixture(scope="session")
def service():
    """The class, of which each test makes its own."""
    return Service


async def until(true) -> None:
    """Return as soon as something is true."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "It did not come true."
        await asyncio.sleep(0.002)


def wait_until(true) -> None:
    """Return as soon as something is true."""
    asyncio.run(until(true))


@pytest.fixture
def asked():
    """Make a chat request."""
    return lambda content="What is my balance?", **more: {
        "model": "fake-chat",
        "messages": [{"role": "user", "content": content}],
        **more,
    }


@pytest.fixture
def sound():
    """Make a file with a tone in it."""

    def make(seconds=1.0, rate=8000, form="WAV", subtype=None, channels=1) -> bytes:
        times = np.arange(round(seconds * rate)) / rate
        samples = np.tile(0.5 * np.sin(2 * np.pi * 440 * times)[:, None], (1, channels))
        file = io.BytesIO()
        soundfile.write(file, samples, rate, format=form, subtype=subtype)
        return file.getvalue()

    return make


@pytest.fixture
def upload(sound):
    """Make what httpx wants for an upload."""

    def make(content=None, **fields) -> dict:
        content = sound() if content is None else content
        return {"files": {"file": ("call.wav", content)}, "data": {"model": "fake-speech"} | fields}

    return make


@pytest.fixture
def come_true():
    """Wait until something is true: in a coroutine, or, with ``.blocking``, in a thread."""
    until.blocking = wait_until
    return until
