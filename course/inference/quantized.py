"""Weights in eight or four bits, multiplied in sixteen or thirty-two (Lecture 11).

Decoding reads every weight once a token, so fewer bits are fewer bytes; whether that is faster depends on a kernel that
multiplies the packed weights without writing them out first. In eager mode there is none, and the model gets slower.

Source: torchao, `torchao.quantization.quantize_`; for int8 each row of a matrix has its scale, for int4 each group of
`GROUP` weights.
"""

import importlib.util
import warnings

import torch

from course.inference import models
from course.inference.compiled import Compiled
from course.inference.eager import Eager
from course.inference.protocol import Setup
from course.inference.quiet import quiet

GROUP = 64


def quantize(model: torch.nn.Module, bits: int) -> torch.nn.Module:
    """Replace the weights of all linear layers, in place; an embedding that shares one keeps its own copy.

    Args:
        model: on its device, in its dtype.
        bits: 8, or 4 on a CUDA device in bfloat16, which its kernel asks for.

    Raises:
        ValueError: another number of bits.
    """
    with warnings.catch_warnings(), quiet():  # torchao tells which of its kernels it could not load
        warnings.simplefilter("ignore")
        from torchao.quantization import Int4WeightOnlyConfig, Int8WeightOnlyConfig, quantize_

    if bits == 8:
        quantize_(model, Int8WeightOnlyConfig())
    elif bits == 4:
        quantize_(model, Int4WeightOnlyConfig(group_size=GROUP, int4_packing_format="tile_packed_to_4d"))
    else:
        raise ValueError(f"Weights are quantized to 8 or 4 bits; {bits} came.")
    return model


class Int8(Eager):
    """int8 weights, called from Python one after the other: each is widened before it is used."""

    name, arithmetic = "int8", "int8"

    def __init__(self, setup: Setup):
        super().__init__(setup)
        quantize(self.model, 8)

    @classmethod
    def missing(cls, setup: Setup) -> str:
        return without_torchao()


class Int8Compiled(Compiled):
    """int8 weights and a compiled step, which widens them on the way from memory to the multiplier."""

    name, arithmetic = "int8-compiled", "int8"

    @classmethod
    def missing(cls, setup: Setup) -> str:
        return without_torchao() or super().missing(setup)

    def _weights(self, setup: Setup):
        return quantize(models.load(setup), 8)


class Int4Compiled(Compiled):
    """int4 weights and a compiled step, with the kernel that PyTorch brings for NVIDIA GPUs."""

    name, arithmetic = "int4-compiled", "int4"

    @classmethod
    def missing(cls, setup: Setup) -> str:
        if not setup.device.startswith("cuda") or setup.dtype != "bfloat16":
            return (
                f"torchao's int4 kernel runs on CUDA in bfloat16, not on {setup.device} in {setup.dtype}. "
                "Try genai-int4 for four bits on a CPU."
            )
        return without_torchao() or super().missing(setup)

    def _weights(self, setup: Setup):
        return quantize(models.load(setup), 4)


def without_torchao() -> str:
    """Why torchao cannot be used, or nothing."""
    return "" if importlib.util.find_spec("torchao") else "The package torchao is not installed. Run make course."
