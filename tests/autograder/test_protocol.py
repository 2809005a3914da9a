"""Frames: plain data survives, everything else is refused on this side, whatever the other side sends."""

import contextlib
import json
import math
import socket
import struct
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.protocol import (
    ARRAYS_LIMIT,
    DEPTH_LIMIT,
    JSON_LIMIT,
    Closed,
    ProtocolError,
    receive,
    send,
)
from course.lab.student import plain_data

NUMBERS = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(),
    hnp.unsigned_integer_dtypes(),
    hnp.floating_dtypes(),
    hnp.complex_number_dtypes(),
)
ARRAYS = hnp.arrays(NUMBERS, hnp.array_shapes(min_dims=0, min_side=0, max_side=4))
SCALARS = st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats() | st.complex_numbers() | st.text()
PLAIN = st.recursive(
    SCALARS | ARRAYS,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def soon():
    return time.monotonic() + 5


def same(got, want):
    """Equality with types, dtypes, shapes and NaN."""
    if isinstance(want, np.ndarray):
        return (
            type(got) is np.ndarray
            and got.dtype == want.dtype
            and np.array_equal(got, want, equal_nan=want.dtype.kind in "fc")
        )
    if type(got) is not type(want):
        return False
    if isinstance(want, (list, tuple)):
        return len(got) == len(want) and all(map(same, got, want))
    if isinstance(want, dict):
        return got.keys() == want.keys() and all(same(got[key], want[key]) for key in want)
    if isinstance(want, complex):
        return same(got.real, want.real) and same(got.imag, want.imag)
    return got == want or (isinstance(want, float) and math.isnan(got) and math.isnan(want))


@given(PLAIN)
@settings(deadline=None, max_examples=150)
def test_plain_data_arrives_as_it_was(value):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send(ours, {"value": value}, soon())
        assert same(receive(theirs, soon())["value"], value)


@pytest.mark.parametrize(
    "value",
    [
        np.float32(0.1),
        np.str_("text"),
        np.int8(-3),
        np.bool_(True),
        np.complex64(1j),
        np.ma.masked_array([1, 2], [True, False]),
    ],
)
def test_numpy_values_become_what_a_local_student_returns(ends, value):
    send(ends[0], {"value": value}, soon())
    assert same(receive(ends[1], soon())["value"], plain_data(value))


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", {1: 2}, np.array(["text"]), np.array([None]), print])
def test_anything_else_is_refused_by_both(ends, value):
    with pytest.raises(TypeError, match="is no plain data"):
        send(ends[0], {"value": value})
    with pytest.raises(TypeError):
        plain_data(value)


def test_too_deep_and_too_large_are_refused_before_sending(ends):
    deep = []
    for _ in range(DEPTH_LIMIT + 1):
        deep = [deep]
    for value in (deep, np.zeros(ARRAYS_LIMIT // 8 + 1), "x" * JSON_LIMIT):
        with pytest.raises(ValueError, match="allowed"):
            send(ends[0], {"value": value})


def npy(header, content=b""):
    """An npy file of version 1.0 with any header."""
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


def array_frame(data):
    return json.dumps({"value": {"npy": [0, len(data)]}}).encode(), data


HEADER = "{{'descr': {!r}, 'fortran_order': False, 'shape': {}}}"
HOSTILE = {
    "no JSON": (b"{", b""),
    "no object": (b"[1]", b""),
    "no text": (b"\xff\xfe", b""),
    "deep": (b'{"value": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", b""),
    "a little too deep": (b'{"value": ' + b"[" * 50 + b"]" * 50 + b"}", b""),
    "an unknown kind": (b'{"value": {"pickle": "gASVAA=="}}', b""),
    "two kinds": (b'{"value": {"tuple": [], "dict": {}}}', b""),
    "a complex text": (b'{"value": {"complex": ["a", 1]}}', b""),
    "an endless integer": (b'{"value": ' + b"9" * 10_000 + b"}", b""),
    "no npy": array_frame(b"x" * 100),
    "npy of objects": array_frame(npy(HEADER.format("|O", (1,)), b"x" * 8)),
    "npy with a record": array_frame(npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}", b"x" * 8)),
    "npy with a huge shape": array_frame(npy(HEADER.format("<f8", (2**62, 2**62)), b"x" * 8)),
    "npy with a negative shape": array_frame(npy(HEADER.format("<f8", (-1,)), b"x" * 8)),
    "npy with code": array_frame(npy("__import__('os').abort()")),
    "npy cut short": array_frame(npy(HEADER.format("<f8", (2,)), b"x" * 8)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_frame_is_a_protocol_error(ends, kind):
    text, arrays = HOSTILE[kind]
    ends[0].settimeout(5)
    ends[0].sendall(struct.pack(">II", len(text), len(arrays)) + text + arrays)
    with pytest.raises(ProtocolError):
        receive(ends[1], soon())


def test_an_announced_flood_is_refused_before_it_comes(ends):
    ends[0].sendall(struct.pack(">II", 2**32 - 1, 2**32 - 1))
    with pytest.raises(ProtocolError, match="larger"):
        receive(ends[1], soon())


def test_an_end_and_a_silence_are_told_apart(ends):
    with pytest.raises(TimeoutError):
        receive(ends[1], time.monotonic() + 0.05)
    ends[0].sendall(b"\0\0")
    ends[0].close()
    with pytest.raises(Closed):
        receive(ends[1], soon())


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=300)
def test_noise_is_never_anything_but_an_error(noise):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(struct.pack(">II", len(noise), 0) + noise)
        ours.close()
        with contextlib.suppress(ProtocolError):
            assert isinstance(receive(theirs, soon()), dict)
