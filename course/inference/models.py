"""The model that a `Setup` names, in the course's modules and in transformers' (Lecture 11)."""

import hashlib
from pathlib import Path

import torch

import course.language.model
from course.inference.protocol import Setup
from course.inference.quiet import quiet
from course.language.model import Llama, random_llama
from course.registry import sha256


def load(setup: Setup) -> Llama:
    """The model in the course's modules, in evaluation mode: SmolLM2's weights, or random ones made on the device.

    Raises:
        CourseError: SmolLM2 is not on this machine.
    """
    if setup.model == "smollm2":
        from course.language.pretrained import smollm

        return smollm(setup.torch_dtype, setup.device).requires_grad_(False)
    model = random_llama(setup.config, setup.seed, setup.torch_dtype, setup.device)
    return model.requires_grad_(False)


def load_transformers(setup: Setup, attention: str = "sdpa"):
    """The same weights as transformers' `LlamaForCausalLM`, in evaluation mode.

    Args:
        setup: what to load.
        attention: "sdpa" or "eager", as transformers names them.
    """
    with quiet():  # transformers imports torchao, which tells which of its kernels it could not load
        from course.language.pretrained import to_transformers

        model = to_transformers(load(setup), attention).requires_grad_(False)
    model.generation_config.eos_token_id = None  # random weights end a text anywhere: generate what is asked for
    return model


def fingerprint(setup: Setup) -> str:
    """A hexadecimal SHA-256 of what decides a model's weights, without loading them.

    Of SmolLM2 that is the published file; of random weights their shape, dtype, device and seed, PyTorch's version and
    the code that draws them.
    """
    if setup.model == "smollm2":
        from course.language.pretrained import CONVERSION, FILE, NAME
        from course.models import MODELS

        origin = f"{MODELS[NAME].hashes[FILE]} {CONVERSION}"
    else:
        code = sha256(Path(course.language.model.__file__))
        origin = f"{setup.config} {setup.device} {setup.seed} {torch.__version__} {code}"
    return hashlib.sha256(f"{origin} {setup.dtype}".encode()).hexdigest()
