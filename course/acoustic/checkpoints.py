"""Trained networks as files: weights in half precision, and what is known about them beside (Lecture 5)."""

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files as package_files
from pathlib import Path

import torch
from torch import nn

from course.acoustic.alphabet import Alphabet
from course.acoustic.network import CtcNetwork
from course.errors import CourseError
from course.storage import write_atomic

SEEN = "seen"  # the checkpoint of the split whose speakers are all in training
COUNTER = "num_batches_tracked"  # of batch normalisation: only training needs it
LICENCE = (
    "CC BY-SA 4.0. Trained on the Free Spoken Digit Dataset (CC BY-SA 4.0) by Zohar Jackson, Cesar Souza, Jason Flaks, "
    "Yuxin Pan, Hereman Nicolas and Adhish Thite, github.com/Jakobovski/free-spoken-digit-dataset."
)


def shipped_folder() -> Path:
    """Where the kit keeps its checkpoints."""
    return Path(str(package_files("course"))) / "checkpoints"


def fingerprint(recordings: Sequence) -> str:
    """SHA-256 over names, words and samples of the recordings, in their order: what a network was trained on."""
    digest = hashlib.sha256()
    for recording in recordings:
        digest.update(f"{recording.name}\t{recording.text}\t{recording.sample_rate}\n".encode())
        digest.update(recording.signal.tobytes())
    return digest.hexdigest()


def save(module: nn.Module, facts: dict, name: str, folder: Path) -> Path:
    """Write ``name.safetensors`` in half precision, and ``facts`` to ``name.json`` beside it.

    Args:
        module: whose weights are stored.
        facts: what a reader or a program must know: alphabet, seed, scores …
        name: of both files, without suffix.
        folder: is created.
    """
    from safetensors.torch import save as as_bytes

    path = folder / f"{name}.safetensors"
    kept = {key: value for key, value in module.state_dict().items() if not key.endswith(COUNTER)}
    write_atomic(path, as_bytes({key: value.half().contiguous() for key, value in kept.items()}))
    write_atomic(path.with_suffix(".json"), json.dumps(facts, indent=2, ensure_ascii=False, sort_keys=True) + "\n")
    return path


def facts_of(name: str, folder: Path | None = None) -> dict:
    """What is known about a checkpoint.

    Raises:
        CourseError: there is none of this name.
    """
    path = (folder or shipped_folder()) / f"{name}.json"
    if not path.exists():
        there = sorted(found.stem for found in path.parent.glob("*.json"))
        raise CourseError(
            f"No checkpoint is called {name!r}; there are {', '.join(there) or 'none'}. "
            "Train one with 'course train digits'."
        )
    return json.loads(path.read_text(encoding="utf-8"))


def load_into(module: nn.Module, name: str, folder: Path | None = None) -> nn.Module:
    """Fill a module with the weights of a checkpoint, in single precision, ready to be used.

    Raises:
        CourseError: the file is missing, damaged, or another model's.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = (folder or shipped_folder()) / f"{name}.safetensors"
    try:
        weights = {key: value.float() for key, value in load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise CourseError(
            f"The weights {path.name} were expected and could not be read ({error}). Train them again with "
            "'course train digits'."
        ) from error
    wanted = {key: value.shape for key, value in module.state_dict().items() if not key.endswith(COUNTER)}
    if wanted != {key: value.shape for key, value in weights.items()}:
        raise CourseError(f"{path.name} holds another model: its tensors do not have the expected names and shapes.")
    module.load_state_dict(weights, strict=False)
    return module.eval().requires_grad_(False)


@lru_cache(maxsize=16)
def load_network(name: str, folder: Path | None = None) -> tuple[CtcNetwork, Alphabet]:
    """The CTC network of a checkpoint and its alphabet.

    Args:
        name: ``"seen"``, or ``"unseen-"`` and the speaker that training did not hear.
        folder: the kit's own, if None.
    """
    facts = facts_of(name, folder)
    alphabet = Alphabet(facts["alphabet"])
    torch.manual_seed(0)
    return load_into(CtcNetwork(len(alphabet), facts["width"]), name, folder), alphabet
