"""A click group that rooms of the kit join by entry points, so that ``course`` never imports the room."""

from importlib.metadata import entry_points

import click


class Rooms(click.Group):
    """A click group with its own commands and those of an entry-point group, which are loaded when they are used.

    Args:
        rooms: the name of the entry-point group.
    """

    def __init__(self, *args, rooms: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.rooms = rooms

    def list_commands(self, context):
        return sorted({*super().list_commands(context), *(point.name for point in entry_points(group=self.rooms))})

    def get_command(self, context, name):
        for point in entry_points(group=self.rooms, name=name):
            return point.load()
        return super().get_command(context, name)
