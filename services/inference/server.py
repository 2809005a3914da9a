"""uvicorn, with an end in the right order: say not ready, close the door, finish what is inside, leave."""

import signal
import threading

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.inference.models import Models
from services.inference.settings import Settings


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP, with a limit on how long the head of a request may take; uvicorn waits for ever.

    Attributes:
        head_seconds: the limit. Who is slower is disconnected: without a request, there is nothing to answer.
    """

    head_seconds = 10.0
    _alarm = None

    def connection_made(self, transport) -> None:
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._expect()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._arrived()
        super().on_headers_complete()

    def _expect(self) -> None:
        self._arrived()
        self._alarm = self.loop.call_later(self.head_seconds, self.transport.close)

    def _arrived(self) -> None:
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None


def config(app, settings: Settings) -> uvicorn.Config:
    """uvicorn's configuration."""
    return uvicorn.Config(
        app,
        http=type("Protocol", (Protocol,), {"head_seconds": settings.head_seconds}),
        loop="asyncio",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=settings.drain_seconds,
    )


class Server(uvicorn.Server):
    """A server that drains at the first signal, and is in a hurry at the second.

    Args:
        config: uvicorn's.
        models: are told that the end is near.
        delay: seconds between that and closing the door, in which a load balancer notices that /readyz says 503.
    """

    def __init__(self, config: uvicorn.Config, models: Models, delay: float = 0.0):
        super().__init__(config)
        self._models, self._delay = models, delay

    def handle_exit(self, sig: int, frame) -> None:
        """Begin to end."""
        if self._models.draining or not self._delay:
            self._models.draining = True
            self.force_exit = self.should_exit
            self.should_exit = True
            return
        self._models.draining = True
        timer = threading.Timer(self._delay, self._close)
        timer.daemon = True
        timer.start()

    def _close(self) -> None:
        self.should_exit = True

    def stop(self) -> None:
        """What SIGTERM does, for who runs the server in a thread."""
        self.handle_exit(signal.SIGTERM, None)
