"""``course portal``: the portal from the command line."""

import asyncio
import errno
import secrets
from pathlib import Path

import click

from course.errors import CourseError, shown

LOGS = "logs"  # below the data folder: what `up` reads before it serves
DEAD_LETTERS = "dead-letters"
FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def portal():
    """Serve the portal, and feed it: conversations out of logs, accounts, a demonstration.

    Everything is set by environment variables PORTAL_... and DATABASE_URL; services/portal/README.md lists them.
    """


@portal.command()
@click.option("--host", help="Address to listen on; 127.0.0.1 if not given.")
@click.option("--port", type=click.IntRange(0, 65535), help="8001 if not given; 0 takes a free one.")
def up(host: str | None, port: int | None):
    """Bring the database up to date, read the logs in its folder, and serve until SIGTERM or Ctrl+C.

    Logs go to standard output, a JSON object a line.
    """
    from services.portal.configuration import configuration

    found = configuration()
    prepare()
    load(found.folder / LOGS)
    serve(found.host if host is None else host, found.port if port is None else port)


@portal.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--owner", default="", help="The account whose conversations these are, where an entry names nobody.")
@click.option("--runner", default="direct", show_default=True, help="loop, direct, multi-process, portable.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True)
def ingest(files: tuple[Path, ...], owner: str, runner: str, workers: int):
    """Make conversations of the cloud logs in FILES: LogEntry JSON, a line each, or arrays as gcloud prints them.

    Again, in another order, or after a run that was killed: the end is the same. What cannot be read is written to
    dead-letters/NAME.dead.jsonl in the data folder, with the reason.

    \b
    The exit status is
      0  when all entries were read,
      1  when there are dead letters, or the database cannot take more,
      2  when the command line is wrong.
    """
    import time

    from services.portal.configuration import configuration

    prepare()
    letters = configuration().folder / DEAD_LETTERS
    names = [str(file) for file in files]
    began = time.perf_counter()
    with told():
        if runner == "loop":
            from services.portal.ingestion import ingest_in_a_loop

            counts = ingest_in_a_loop(names, letters, owner)
        else:
            from services.portal.ingestion import ingest as run

            counts = run(names, letters, owner, runner, workers)
    seconds = time.perf_counter() - began
    click.echo(f"{counts.entries} entries in {seconds:.1f} s: {sentence(counts)} {inventory()}")
    if counts.dead:
        click.echo(f"Dead letters, with reasons: {shown(letters)}", err=True)
        raise SystemExit(1)


@portal.command()
@click.argument("name")
@click.option("--instructor", is_flag=True, help="Sees everything; else an intern, who sees their own work.")
def account(name: str, instructor: bool):
    """Make an account called NAME, or give it a new password, which is printed once.

    An intern's name is that under which they hand in notebooks.
    """
    prepare()
    with told():
        click.echo(f"{name}: {make_account(name, instructor)}")


@portal.command()
def demo():
    """Fill the portal for a look around: two accounts, conversations out of logs of the inference service, records."""
    prepare()
    from services.portal.configuration import configuration

    with told():
        from services.portal.demo import fill

        for line in fill(configuration().folder):
            click.echo(line)


@portal.command()
@click.option("--kills", type=click.IntRange(min=1), default=100, show_default=True)
@click.option("--entries", type=click.IntRange(min=100), default=20_000, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
def drill(kills: int, entries: int, seed: int):
    """Kill an ingestion at random moments, again and again, and compare with one that nobody killed."""
    from services.portal.drill import run

    click.echo(run(kills, entries, seed))


def prepare() -> None:
    """Set Django up, and bring the database up to date."""
    from services.portal.start import ready

    ready()
    from django.core.management import call_command

    with told():
        call_command("migrate", verbosity=0, interactive=False)


class told:
    """Turns what a database says into a sentence for the person at the keyboard."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        from services.portal.problems import FULL, database_sentence

        if isinstance(error, ModuleNotFoundError):  # as in the image, which has no Beam
            raise CourseError(
                f"This needs {error.name}, which is not installed here. Run it in the kit's environment; to ingest, "
                "--runner loop does without."
            ) from error
        sentence = FULL if isinstance(error, OSError) and error.errno == errno.ENOSPC else database_sentence(error)
        if sentence is not None:
            raise CourseError(f"{sentence} ({str(error).splitlines()[0]})") from error


def load(folder: Path) -> None:
    """Read the logs in a folder, in a loop: what is there already changes nothing, and Beam takes longer to start."""
    from services.portal.ingestion import ingest_in_a_loop

    files = sorted(str(path) for path in folder.glob("*") if path.name.endswith((".jsonl", ".json", ".jsonl.gz")))
    if files:
        with told():
            counts = ingest_in_a_loop(files, folder.parent / DEAD_LETTERS)
        click.echo(f"{counts.entries} entries of {shown(folder)}: {sentence(counts)} {inventory()}", err=True)


def sentence(counts) -> str:
    """What was read, in words."""
    return f"{counts.said} about conversations, {counts.other} about other things, {counts.dead} dead letters."


def inventory() -> str:
    """What the portal holds, in words."""
    from services.portal.models import Conversation, Turn

    return f"The portal holds {Turn.objects.count()} of them in {Conversation.objects.count()} conversations."


def make_account(name: str, instructor: bool) -> str:
    """Make an account, or renew its password; the password.

    Raises:
        CourseError: it is no name for an account.
    """
    from django.core.exceptions import ValidationError

    from services.portal.models import Account

    password = secrets.token_urlsafe(12)
    found = Account.objects.filter(username=name).first() or Account(username=name)
    found.is_staff = instructor or found.is_staff
    found.set_password(password)
    try:
        found.full_clean()
    except ValidationError as error:
        raise CourseError(f"{name!r} is no name for an account: {' '.join(error.messages)}") from error
    found.save()
    return password


def serve(host: str, port: int) -> None:
    """Serve until told to end.

    Raises:
        CourseError: the port is taken, or the address is not this machine's.
    """
    import uvicorn

    from services.inference.command import listen

    class Server(uvicorn.Server):
        """A server that ends well when it is told to end; uvicorn's own ends by the signal."""

        def handle_exit(self, sig, frame) -> None:
            self.force_exit = self.should_exit
            self.should_exit = True

    listening = listen(host, port)
    from services.portal.asgi import application

    address, bound = listening.getsockname()[:2]
    where = f"http://{f'[{address}]' if ':' in address else address}:{bound}"
    click.echo(f"The portal listens on {where}/. Ctrl+C ends it.", err=True)
    config = uvicorn.Config(
        application,
        loop="asyncio",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=10,
        limit_concurrency=200,
    )
    asyncio.run(Server(config).serve([listening]))
