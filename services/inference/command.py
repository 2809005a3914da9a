"""``course serve``: the service from the command line."""

import asyncio
import logging
import socket

import click

from course.errors import CourseError
from services.inference.settings import Settings


@click.command()
@click.option("--host", help="Address to listen on; 127.0.0.1 if not given.")
@click.option("--port", type=click.IntRange(0, 65535), help="8000 if not given; 0 takes a free one.")
@click.option("--engine", type=click.Choice(["real", "fake"]), help="fake answers without any model.")
def serve(host: str | None, port: int | None, engine: str | None):
    """Serve transcription and chat over HTTP, with OpenAI's routes, until SIGTERM or Ctrl+C.

    Everything else is set by environment variables INFERENCE_...; services/inference/README.md lists them. Logs go to
    standard output, a JSON object a line.
    """
    settings = Settings.from_environment(host=host, port=port, engine=engine)
    listening = listen(settings.host, settings.port)
    # Imported only now, so that a wrong setting or a taken port is told at once.
    from services.inference.app import create_app
    from services.inference.logs import Handler
    from services.inference.server import Server, config

    app = create_app(settings, *engines(settings))
    logging.getLogger("uvicorn").handlers = [Handler(app.state.log)]
    address, bound = listening.getsockname()[:2]
    where = f"http://{f'[{address}]' if ':' in address else address}:{bound}"
    click.echo(
        f"The inference service listens on {where}; its contract is {where}/openapi.json. Ctrl+C ends it.", err=True
    )
    asyncio.run(Server(config(app, settings), app.state.models, settings.drain_delay).serve([listening]))


def engines(settings: Settings):
    """The chat's and the speech's engine, not loaded yet."""
    from services.inference.engines import FakeChat, FakeSpeech, Moonshine

    if settings.engine == "fake":
        return FakeChat(settings.max_batch, settings.fake_seconds), FakeSpeech(seconds=settings.fake_seconds)
    from services.inference.smollm import SmolLM2

    longest = settings.max_prompt_tokens + settings.max_answer_tokens
    return SmolLM2(settings.max_batch, longest, settings.threads), Moonshine()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        CourseError: the port is taken, or the address is not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(1024)
        listening.setblocking(False)
    except OSError as error:
        raise CourseError(
            f"The service cannot listen on {host}, port {port}: {error.strerror}. Try --port 0."
        ) from error
    return listening
