"""Frames between the checker and the process that runs a student's code: data in, data out, never code.

A frame is two lengths, a JSON object and the bytes of its arrays in npy form. Both ends import this module, so it
knows nothing but the standard library and NumPy. What arrives from the student's end is hostile: lengths, depth,
dtypes and shapes are checked before anything is allocated, and whatever is wrong with a frame is a ProtocolError.
"""

import io
import json
import math
import socket
import struct
import time
from typing import Any

import numpy as np

LENGTHS = struct.Struct(">II")
JSON_LIMIT = 4 << 20
ARRAYS_LIMIT = 64 << 20
DEPTH_LIMIT = 24
NUMBER_KINDS = "biufc"
SCALARS = {"b": bool, "i": int, "u": int, "f": float, "c": complex}
UNREADABLE = (ValueError, TypeError, KeyError, OverflowError, RecursionError, MemoryError)


class ProtocolError(Exception):
    """A frame broke the rules; nothing after it on the same channel can be trusted."""


class Closed(ProtocolError):
    """The other end is gone."""


def send(channel: socket.socket, message: dict[str, Any], deadline: float | None = None) -> None:
    """Send one message, whose values are plain data.

    Args:
        channel: a connected stream socket.
        message: text keys; None, bool, int, float, complex, str, lists, tuples, dicts with text keys, NumPy arrays.
        deadline: the ``time.monotonic()`` by which it must be sent.

    Raises:
        TypeError: a value is not plain data; nothing was sent.
        ValueError: the message is larger or deeper than a frame may be; nothing was sent.
        TimeoutError: the deadline passed.
        Closed: the other end is gone.
    """
    arrays = io.BytesIO()
    text = json.dumps({key: _encode(value, arrays, 1) for key, value in message.items()}).encode()
    if len(text) > JSON_LIMIT or arrays.tell() > ARRAYS_LIMIT:
        raise ValueError(f"The data is larger than the {JSON_LIMIT >> 20} MiB (arrays: {ARRAYS_LIMIT >> 20}) allowed.")
    channel.settimeout(_left(deadline))
    try:
        channel.sendall(LENGTHS.pack(len(text), arrays.tell()) + text + arrays.getvalue())
    except TimeoutError:
        raise
    except OSError as error:
        raise Closed(str(error)) from error


def receive(channel: socket.socket, deadline: float | None = None) -> dict[str, Any]:
    """Receive one message.

    Raises:
        TimeoutError: the deadline (``time.monotonic()``) passed.
        Closed: the other end is gone.
        ProtocolError: the frame is too large, too deep, or not what :func:`send` makes.
    """
    text_length, arrays_length = LENGTHS.unpack(_read(channel, LENGTHS.size, deadline))
    if text_length > JSON_LIMIT or arrays_length > ARRAYS_LIMIT:
        raise ProtocolError("a frame larger than allowed")
    text, arrays = _read(channel, text_length, deadline), _read(channel, arrays_length, deadline)
    try:
        message = json.loads(text)
        return {key: _decode(value, arrays, 1) for key, value in message.items()}
    except (*UNREADABLE, AttributeError) as error:
        raise ProtocolError(f"a frame that cannot be read: {type(error).__name__}") from error


def _left(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _read(channel: socket.socket, length: int, deadline: float | None) -> bytes:
    data = bytearray()
    while len(data) < length:
        channel.settimeout(_left(deadline))
        try:
            part = channel.recv(min(length - len(data), 1 << 20))
        except TimeoutError:
            raise
        except OSError as error:
            raise Closed(str(error)) from error
        if not part:
            raise Closed("end of stream")
        data += part
    return bytes(data)


def _encode(value: Any, arrays: io.BytesIO, depth: int) -> Any:
    """JSON for ``value``: what JSON lacks is an object with one key that names its kind."""
    if depth > DEPTH_LIMIT:
        raise ValueError(f"The data is nested deeper than the {DEPTH_LIMIT} levels allowed.")
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is complex:
        return {"complex": [value.real, value.imag]}
    if isinstance(value, np.ndarray) and value.dtype.kind in NUMBER_KINDS:
        return {"npy": _write_array(value, arrays)}
    if type(value) is np.str_:
        return value.item()
    if isinstance(value, np.generic) and value.dtype.kind in NUMBER_KINDS:
        return _encode(SCALARS[value.dtype.kind](value), arrays, depth)
    if type(value) in (list, tuple):
        items = [_encode(item, arrays, depth + 1) for item in value]
        return items if type(value) is list else {"tuple": items}
    if type(value) is dict and all(type(key) is str for key in value):
        return {"dict": {key: _encode(item, arrays, depth + 1) for key, item in value.items()}}
    raise TypeError(
        f"{_described(value)} is no plain data; use numbers, text, NumPy arrays, or lists, tuples and dicts of them."
    )


def _write_array(value: np.ndarray, arrays: io.BytesIO) -> list[int]:
    """Append the array as npy, a subclass as the plain array that it holds; return where it starts and ends."""
    start = arrays.tell()
    if start + value.nbytes > ARRAYS_LIMIT:
        raise ValueError(f"The arrays are larger than the {ARRAYS_LIMIT >> 20} MiB allowed.")
    np.lib.format.write_array(arrays, np.array(value, subok=False), version=(1, 0), allow_pickle=False)
    return [start, arrays.tell()]


def _decode(value: Any, arrays: bytes, depth: int) -> Any:
    if depth > DEPTH_LIMIT:
        raise ValueError("nested too deep")
    if isinstance(value, list):
        return [_decode(item, arrays, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "dict":
        return {key: _decode(item, arrays, depth + 1) for key, item in content.items()}
    if kind == "tuple":
        return tuple(_decode(item, arrays, depth + 1) for item in content)
    if kind == "complex":
        real, imaginary = content
        return complex(float(real), float(imaginary))
    if kind == "npy":
        start, end = content
        return _read_array(arrays[start:end])
    raise ValueError("an unknown kind of value")


def _read_array(data: bytes) -> np.ndarray:
    """The array of an npy file of version 1.0, with its size checked against the bytes that are there."""
    file = io.BytesIO(data)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("npy of another version")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    content = data[file.tell() :]
    if dtype.kind not in NUMBER_KINDS or dtype.fields or dtype.subdtype or dtype.itemsize > 32:
        raise ValueError("an array of something else than numbers")
    if any(length < 0 for length in shape) or math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError("an array whose shape does not fit its bytes")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C").copy()


def _described(value: Any) -> str:
    if isinstance(value, (np.ndarray, np.generic)):
        return f"A NumPy value of dtype {value.dtype}"
    if type(value) is dict:
        return "A dict whose keys are not all text"
    return f"An object of type {type(value).__name__}"
