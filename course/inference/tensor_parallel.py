"""Tensor parallelism by hand: every block split over processes, two sums a block to join it again (Lecture 11).

Each process holds some heads and some columns of the feed-forward part. What goes in is the same everywhere; the
matrices that widen are split by their outputs, those that narrow by their inputs, so that each process ends with a
summand of the block's output, and one sum over all processes gives the whole. Embeddings and the output matrix are not
split here: each process holds them whole.

Source: M. Shoeybi et al., Megatron-LM: Training Multi-Billion Parameter Language Models Using Model Parallelism, arXiv
1909.08053, 2019, section 3.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import nn

from course.errors import CourseError
from course.inference.protocol import Setup
from course.inference.remote import HOST, Remote
from course.inference.sdpa import Sdpa
from course.language.model import FeedForward, Llama, LlamaConfig, SelfAttention

Sum = Callable[[torch.Tensor], object]  # adds up a tensor over all processes, in place
ALL_REDUCES_PER_BLOCK = 2


def split_outputs(weight: torch.Tensor, rank: int, world: int) -> torch.Tensor:
    """The part of a matrix ``(out, in)`` that computes this process's outputs: ``(out / world, in)``.

    Raises:
        CourseError: the outputs do not divide by the number of processes.
    """
    return _part(weight, 0, rank, world)


def split_inputs(weight: torch.Tensor, rank: int, world: int) -> torch.Tensor:
    """The part of a matrix ``(out, in)`` that takes this process's inputs: ``(out, in / world)``.

    Raises:
        CourseError: the inputs do not divide by the number of processes.
    """
    return _part(weight, 1, rank, world)


class Summed(nn.Module):
    """A matrix of which each process holds some inputs; the product's summands are added up over all processes.

    Args:
        weight: ``(out, in / world)``.
        add: the sum over processes; None leaves the summand as it is.
    """

    def __init__(self, weight: torch.Tensor, add: Sum | None):
        super().__init__()
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.add = add

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(..., in / world)`` to ``(..., out)``."""
        summand = nn.functional.linear(x, self.weight)
        if self.add is not None:
            self.add(summand)
        return summand


def shard_attention(module: SelfAttention, rank: int, world: int, add: Sum | None) -> SelfAttention:
    """Keep this process's heads of a `SelfAttention`, in place; without ``add`` it gives its summand of the output."""
    module.n_heads, module.n_kv_heads = module.n_heads // world, module.n_kv_heads // world
    for linear in (module.q_proj, module.k_proj, module.v_proj):
        _shard(linear, rank, world)
    module.o_proj = Summed(split_inputs(module.o_proj.weight, rank, world), add)
    return module


def shard_feed_forward(module: FeedForward, rank: int, world: int, add: Sum | None) -> FeedForward:
    """Keep this process's columns of a `FeedForward`, in place; without ``add`` it gives its summand of the output."""
    for linear in (module.gate_proj, module.up_proj):
        _shard(linear, rank, world)
    module.down_proj = Summed(split_inputs(module.down_proj.weight, rank, world), add)
    return module


def shard(model: Llama, rank: int, world: int, add: Sum | None) -> Llama:
    """Keep this process's part of every block, in place.

    Args:
        model: whole.
        rank: number of the process, 0 to ``world - 1``.
        world: how many share the model.
        add: the sum over processes.

    Raises:
        CourseError: heads or widths do not divide.
    """
    if reason := indivisible(model.config, world):
        raise CourseError(reason)
    for block in model.layers:
        shard_attention(block.self_attn, rank, world, add)
        shard_feed_forward(block.mlp, rank, world, add)
    return model


def indivisible(config: LlamaConfig, world: int) -> str:
    """Why a model cannot be shared evenly by so many processes, or nothing."""
    parts = {
        "heads of queries": config.n_heads,
        "heads of keys": config.n_kv_heads,
        "columns of the feed-forward part": config.intermediate_size,
    }
    uneven = [f"{count} {name}" for name, count in parts.items() if count % world]
    if not uneven:
        return ""
    fits = [n for n in range(1, config.n_kv_heads + 1) if not any(count % n for count in parts.values())]
    return f"{world} processes cannot share {' and '.join(uneven)} evenly. Try {' or '.join(map(str, fits))} processes."


@dataclass(frozen=True)
class Communication:
    """What one pass sends.

    Attributes:
        calls: sums over all processes, one after the other: each waits for the slowest.
        payload: bytes that are summed, over all calls.
        sent: bytes that each process sends if the sums go around a ring.
    """

    calls: int
    payload: int
    sent: int


def communication(config: LlamaConfig, world: int, batch: int = 1, n: int = 1, bytes_per_value: int = 4):
    """What a pass over ``n`` positions of ``batch`` sequences sends: `Communication`; with n=1, what a token costs.

    In a ring, each process sends ``2 * (world - 1) / world`` of the payload (Patarasuk and Yuan 2009).
    """
    calls = ALL_REDUCES_PER_BLOCK * config.n_layers if world > 1 else 0
    payload = calls * batch * n * config.hidden_size * bytes_per_value
    return Communication(calls, payload, 2 * (world - 1) * payload // world)


class Shard(Sdpa):
    """What one process holds: a `Sdpa` backend of which every block is a part."""

    name = "tensor-parallel shard"

    def __init__(self, setup: Setup):
        rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        super().__init__(on_gpu(setup, rank))
        torch.distributed.init_process_group("gloo" if setup.device == "cpu" else "nccl", init_method="env://")
        shard(self.model, rank, world, torch.distributed.all_reduce)

    def close(self) -> None:
        """Leave the group."""
        super().close()
        torch.distributed.destroy_process_group()


class TensorParallel(Remote):
    """The model split by hand over `Setup.processes` processes: gloo on CPUs, NCCL with one GPU for each."""

    name, shard = "tensor-parallel", ("tensor_parallel", "Shard")

    @classmethod
    def missing(cls, setup: Setup) -> str:
        return without_gpus(setup) or indivisible(setup.config, setup.processes)

    def commands(self) -> list[tuple[list[str], dict[str, str]]]:
        """One program for each process."""
        arguments = [sys.executable, "-m", "course.inference.worker"]
        group = {"WORLD_SIZE": str(self.n_processes), "MASTER_ADDR": HOST, "MASTER_PORT": str(self._port)}
        group |= {"GLOO_SOCKET_IFNAME": "lo"}  # this machine alone, whatever its name resolves to
        return [(arguments, {**group, "RANK": str(rank)}) for rank in range(self.n_processes)]


def without_gpus(setup: Setup) -> str:
    """Why there are not enough devices for the processes, or nothing."""
    if setup.device == "cpu" or torch.cuda.device_count() >= setup.processes:
        return ""
    return f"{setup.processes} processes want a GPU each, and {torch.cuda.device_count()} can be seen here."


def on_gpu(setup: Setup, rank: int) -> Setup:
    """The setup for one process of the group: on the GPU of its number, or as it is without GPUs."""
    if setup.device == "cpu":
        return setup
    torch.cuda.set_device(rank)
    return replace(setup, device=f"cuda:{rank}")


def _part(weight: torch.Tensor, axis: int, rank: int, world: int) -> torch.Tensor:
    if not 0 <= rank < world:
        raise CourseError(f"Of {world} processes, number {rank} does not exist: they are counted from 0.")
    if weight.shape[axis] % world:
        raise CourseError(f"A matrix of {tuple(weight.shape)} cannot be split into {world} equal parts of axis {axis}.")
    return weight.chunk(world, axis)[rank].clone()


def _shard(linear: nn.Linear, rank: int, world: int) -> None:
    linear.weight = nn.Parameter(split_outputs(linear.weight, rank, world), requires_grad=False)
    linear.out_features //= world
