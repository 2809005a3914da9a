"""``course data`` and ``course models``: list, pull and verify what the registries hold."""

from collections import Counter

import click
from rich.console import Console
from rich.table import Table

from course.data import CORPORA
from course.errors import CourseError
from course.models import MODELS
from course.registry import Registry, Resource


@click.group()
def data():
    """Corpora: licence, size, SHA-256 and where they come from."""


@click.group()
def models():
    """Models: licence, size, SHA-256 and where they come from."""


def _on_this_machine(registry: Registry, resource: Resource) -> str:
    found = Counter(registry.verify(resource.name).values())
    total = len(resource.hashes)
    if not total:  # pinned by a commit: its files are known once they are here
        return "not here"
    if found["wrong"]:
        return f"{found['wrong']} of {total} files have a wrong SHA-256"
    if found["right"] == total:
        return f"all {total} files right" if total > 1 else "here, SHA-256 right"
    return f"{found['right']} of {total} files here" if found["right"] else "not here"


def _table(registry: Registry) -> Table:
    table = Table("name", "what", "licence", "MB", "from", "on this machine")
    for resource in registry:
        size = f"{resource.bytes / 1e6:.1f}"
        table.add_row(
            resource.name,
            resource.title,
            resource.licence,
            size,
            str(resource.origin),
            _on_this_machine(registry, resource),
        )
    return table


def _add_commands(group: click.Group, registry: Registry) -> None:
    @group.command("list", help=f"Every {registry.noun}: licence, size, origin, and whether it is here.")
    def list_():
        Console().print(_table(registry))

    @group.command(help=f"Bring a {registry.noun} into the cache and check every file.")
    @click.argument("name")
    def pull(name):
        click.echo(f"{registry[name].title}: {registry.pull(name)}")

    @group.command(help="Check the SHA-256 of every file that is here.")
    @click.argument("names", nargs=-1)
    def verify(names):
        wrong = []
        for name in names or registry.resources:
            resource = registry[name]
            click.echo(f"{name}: {_on_this_machine(registry, resource)}")
            wrong += [f"{name}/{file}" for file, state in registry.verify(name).items() if state == "wrong"]
        if wrong:
            raise CourseError(f"wrong SHA-256: {', '.join(wrong[:5])}. Remove them and run 'pull' again.")


_add_commands(data, CORPORA)
_add_commands(models, MODELS)
