"""``course train``: train the kit's own networks again, by seed (Lecture 5)."""

from pathlib import Path

import click

from course import kit
from course.recordings import SPEAKERS

CHANGES = ("noisy", "plain", "bent")  # names in course.acoustic.shipping, which takes seconds to import


@click.group()
def train():
    """Train the networks that the kit ships."""


@train.command("digits")
@click.option(
    "--held-out",
    type=click.Choice(["none", "each", *SPEAKERS]),
    default="none",
    show_default=True,
    help="Speaker whom training does not hear; 'each' trains seven networks, one after the other.",
)
@click.option("--steps", type=click.IntRange(min=1), help="Batches of 24 strings; as shipped, if not given.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--changes",
    type=click.Choice(CHANGES),
    default=CHANGES[0],
    show_default=True,
    help="Done to the strings: noise and gaps; nothing (plain); speed, frequencies and colour as well (bent).",
)
@click.option("--recorded-only", is_flag=True, help="No synthetic voices: for the comparison of Lecture 5.")
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Folder; build/checkpoints.")
def digits(held_out: str, steps: int | None, seed: int, changes: str, recorded_only: bool, output: Path | None):
    """Train CTC networks on digit strings; about three minutes of one processor core for each.

    The network of all six speakers also gets its transducer and its attention decoder, a minute or two each.
    """
    from course.acoustic.shipping import train_digits

    folder = output or kit.build_dir() / "checkpoints"
    for speaker in [None, *SPEAKERS] if held_out == "each" else [None if held_out == "none" else held_out]:
        train_digits(speaker, folder, steps, seed, changes, recorded_only, say=click.echo)


@train.command("adapted")
@click.option("--speaker", type=click.Choice(["each", *SPEAKERS]), default="each", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Folder; build/checkpoints.")
def adapted(speaker: str, seed: int, output: Path | None):
    """Let a network learn from a stranger's digits without transcripts, and write its scores before and after.

    It takes the shipped network that never heard the speaker, and about 80 s of one processor core.
    """
    from course.acoustic.shipping import adapt_digits

    for name in SPEAKERS if speaker == "each" else [speaker]:
        adapt_digits(name, output or kit.build_dir() / "checkpoints", seed=seed, say=click.echo)
