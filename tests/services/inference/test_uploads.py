"""Forms, in whatever pieces they arrive."""

import asyncio

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from services.inference.problems import Problem
from services.inference.uploads import LONGEST_FIELD, read_form

KNOWN = {"model", "response_format"}


def encoded(files, data=None) -> tuple[bytes, str]:
    request = httpx.Request("POST", "http://x", files=files, data=data)
    return request.read(), request.headers["content-type"]


def read(chunks, kind) -> tuple[dict, bytes]:
    """Parse a body that arrives in chunks."""
    waiting = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    waiting.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive():
        return waiting.pop(0)

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", kind.encode())], "path": "/"}
    return asyncio.run(read_form(Request(scope, receive), KNOWN))


def problem_of(body, kind) -> str:
    with pytest.raises(Problem) as found:
        read([body], kind)
    return found.value.code


@given(content=st.binary(max_size=300), cuts=st.lists(st.integers(0, 600), max_size=8), model=st.text(max_size=20))
def test_any_content_comes_through_in_any_pieces(content, cuts, model):
    body, kind = encoded({"file": ("a.wav", content)}, {"model": model})
    ends = sorted({min(cut, len(body)) for cut in cuts} | {0, len(body)})
    fields, found = read([body[start:end] for start, end in zip(ends, ends[1:], strict=False)], kind)
    assert found == content and fields == {"model": model}


def test_content_that_looks_like_the_form_itself_comes_through():
    content = b"\r\n--x\r\nContent-Disposition: form-data; name=model\r\n\r\n--\r\n--"
    body, kind = encoded({"file": ("a.wav", content)}, {"model": "m"})
    assert read([bytes([byte]) for byte in body], kind)[1] == content


@pytest.mark.parametrize(
    "kind, code",
    [
        ("application/json", "unsupported_media_type"),
        ("", "unsupported_media_type"),
        ("multipart/form-data", "invalid_multipart"),
        ("multipart/form-data; boundary=" + "x" * 71, "invalid_multipart"),
        ("multipart/form-data; boundary=other", "invalid_multipart"),
    ],
)
def test_what_is_no_form_is_refused(kind, code):
    assert problem_of(encoded({"file": ("a", b"1")})[0], kind) == code


def test_a_form_that_ends_early_or_has_broken_heads_is_refused():
    body, kind = encoded({"file": ("a", b"12345")})
    for end in range(0, len(body) - 8, 7):
        assert problem_of(body[:end], kind) == "invalid_multipart"
    boundary = kind.partition("boundary=")[2]
    assert problem_of(f"--{boundary}\r\nX: y\r\n\r\n1\r\n--{boundary}--\r\n".encode(), kind) == "invalid_multipart"


@pytest.mark.parametrize(
    "files, data",
    [
        ({"other": ("a", b"1")}, {}),
        ({"file": ("a", b"1")}, {"prompt": "x"}),
        ({"file": ("a", b"1")}, {"model": ["a", "b"]}),
        ({"file": ("a", b"1")}, {"model": "m" * (LONGEST_FIELD + 1)}),
        ({"model": ("a", b"1")}, {}),
        ([("file", ("a", b"1")), ("file", ("b", b"2"))], {}),
    ],
)
def test_fields_that_are_unknown_twice_too_long_or_of_another_kind_are_refused(files, data):
    assert problem_of(*encoded(files, data)) == "invalid_request"


def test_a_form_without_a_file_and_text_that_is_no_text_are_refused():
    body, kind = encoded({"model": (None, b"m")})
    assert problem_of(body, kind) == "invalid_request"
    body, kind = encoded([("model", (None, b"\xff\xfe")), ("file", ("a", b"1"))])
    assert problem_of(body, kind) == "invalid_request"


def test_too_many_parts_are_refused():
    body, kind = encoded([("model", (None, b"m"))] * 40)
    assert problem_of(body, kind) in ("invalid_request", "invalid_multipart")
