"""Backends in other processes: tensor parallelism by hand equals one process; what starts, stops and fails."""

import copy
import os
import socket
import sys
from pathlib import Path

import psutil
import pytest
import torch
from torch.nn.functional import linear

from course.errors import CourseError
from course.inference import Setup, available, create
from course.inference.parity import measure, require
from course.inference.tensor_parallel import (
    TensorParallel,
    communication,
    indivisible,
    shard,
    shard_attention,
    shard_feed_forward,
    split_inputs,
    split_outputs,
)
from course.language.model import CONFIGS, random_llama

SHAPE = {"model": "tiny", "batch": 2, "length": 40, "threads": 1}


@pytest.fixture(scope="module")
def tokens():
    return torch.randint(0, 512, (2, 20), generator=torch.Generator().manual_seed(3))


@pytest.fixture(scope="module")
def reference():
    with create("transformers-eager", **SHAPE) as backend:
        yield backend


def test_the_parts_of_a_matrix_are_the_matrix():
    weight, x = torch.randn(6, 8), torch.randn(3, 8)
    outputs = [linear(x, split_outputs(weight, rank, 2)) for rank in range(2)]
    torch.testing.assert_close(torch.cat(outputs, -1), linear(x, weight))
    summands = [linear(part, split_inputs(weight, rank, 2)) for rank, part in enumerate(x.chunk(2, -1))]
    torch.testing.assert_close(sum(summands), linear(x, weight))


@pytest.mark.parametrize("world", [1, 2])
def test_the_summands_of_a_block_add_up(world):
    model, x = random_llama(CONFIGS["tiny"]), torch.randn(1, 7, 128)
    block, positions = model.layers[1], model.positions(7)
    with torch.no_grad():
        parts = [shard_feed_forward(copy.deepcopy(block.mlp), rank, world, None)(x) for rank in range(world)]
        torch.testing.assert_close(sum(parts), block.mlp(x))
        heads = [shard_attention(copy.deepcopy(block.self_attn), rank, world, None) for rank in range(world)]
        torch.testing.assert_close(sum(part(x, positions) for part in heads), block.self_attn(x, positions))


def test_two_processes_equal_one(reference, tokens):
    with create("tensor-parallel", **SHAPE) as backend:
        pids = [process.pid for process in backend._processes]
        parity = require(measure(reference, backend, tokens, n_prompt=9, n_new=4), "float32")
        assert parity.tokens == 1.0
        with pytest.raises(ValueError, match="made for 2 sequences"):
            backend.prefill(tokens[:1])
    assert not any(psutil.pid_exists(pid) for pid in pids)
    backend.close()
    with pytest.raises(CourseError, match="was closed"):
        backend.prefill(tokens)


def test_a_process_that_dies_ends_the_others_with_a_sentence(tokens):
    with create("tensor-parallel", **SHAPE) as backend:
        first, second = (process.pid for process in backend._processes)
        psutil.Process(second).kill()
        with pytest.raises(CourseError, match="tensor-parallel: "):
            backend.prefill(tokens)
        assert not psutil.pid_exists(first)


def test_a_process_that_does_not_start_is_one_sentence():
    class Stillborn(TensorParallel):
        def commands(self):
            return [([sys.executable, "-c", "raise SystemExit('out of luck')"], {})] * 2

    with pytest.raises(CourseError, match="tensor-parallel: a process did not start. Its last words: out of luck"):
        Stillborn(Setup(**SHAPE))


def test_a_process_that_cannot_make_its_part_is_one_sentence():
    class Misled(TensorParallel):
        shard = ("tensor_parallel", "Nothing")

    with pytest.raises(CourseError, match="tensor-parallel: AttributeError: .* has no attribute 'Nothing'"):
        Misled(Setup(**SHAPE))


def test_a_port_in_use_is_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            CourseError, match=f"Port {port} for the process group cannot be had: Address already in use"
        ):
            create("tensor-parallel", **SHAPE, port=port)
    with pytest.raises(CourseError, match="Port 70000 .* no such port"):
        create("tensor-parallel", **SHAPE, port=70000)


def test_heads_that_do_not_divide_are_refused():
    smollm = CONFIGS["smollm2-135m"]
    sentence = "2 processes cannot share 9 heads of queries and 3 heads of keys evenly. Try 1 or 3 processes."
    assert indivisible(smollm, 2) == sentence
    assert indivisible(smollm, 3) == ""
    with pytest.raises(CourseError, match=sentence):
        create("tensor-parallel", model="smollm2", length=64)
    with pytest.raises(CourseError, match="4 processes cannot share 2 heads of keys evenly"):
        shard(random_llama(CONFIGS["tiny"]), 0, 4, None)


def test_a_part_that_does_not_exist_is_refused():
    with pytest.raises(CourseError, match="number 2 does not exist"):
        split_outputs(torch.zeros(4, 4), 2, 2)
    with pytest.raises(CourseError, match="cannot be split into 3 equal parts of axis 1"):
        split_inputs(torch.zeros(3, 4), 0, 3)


def test_what_is_sent_is_counted(tokens):
    config, seen = CONFIGS["tiny"], []
    model = shard(random_llama(config), 0, 2, lambda summand: seen.append(summand.nbytes))
    with torch.no_grad():
        model(tokens)
    counted = communication(config, 2, batch=2, n=20)
    assert (len(seen), sum(seen)) == (counted.calls, counted.payload)
    assert counted.sent == counted.payload
    assert communication(config, 1).sent == 0
    assert communication(CONFIGS["llama-8b"], 4, bytes_per_value=2).sent == int(1.5 * 64 * 4096 * 2)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["deepspeed", "deepspeed-offload"])
def test_deepspeed_equals_one_process_and_leaves_nothing_behind(name, reference, tokens):
    """The first run on a machine compiles an extension, for minutes."""
    if reason := available("cpu")[name]:
        pytest.skip(reason)
    with create(name, **SHAPE) as backend:
        require(measure(reference, backend, tokens[:, :14], n_prompt=9, n_new=3), "float32")
        port = backend._port
    assert not list(Path("/dev/shm").glob(f"*_{os.getuid()}_*_{port}_*"))


def test_one_process_of_deepspeed_is_refused_as_a_lesson():
    assert "changes nothing" in available("cpu", processes=1)["deepspeed"]
