"""Text that is said as early as it is sure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inference.jobs import TORN, Reply, Sampling, Text


def bytes_to_text(tokens) -> str:
    """A tokenizer whose tokens are bytes."""
    return bytes(tokens).decode("utf-8", "replace")


def said(tokens, stop=()) -> tuple[list[str], bool]:
    text, pieces = Text(bytes_to_text, stop), []
    for token in tokens:
        piece, stopped = text.add(token)
        pieces.append(piece)
        if stopped:
            return pieces, True
    return [*pieces, text.rest()], False


@given(st.text(max_size=30))
def test_the_pieces_are_the_text_and_no_piece_has_half_a_letter(text):
    pieces, _ = said(text.encode())
    assert "".join(pieces) == text
    assert TORN in text or not any(TORN in piece for piece in pieces)


@given(st.text("abc", max_size=20), st.lists(st.text("abc", min_size=1, max_size=4), max_size=3))
def test_a_stop_text_ends_it_exactly_before_the_first_that_is_complete(text, stop):
    pieces, stopped = said(text.encode(), tuple(stop))
    ends = [text.find(one) + len(one) for one in stop if one in text]
    if not ends:
        assert ("".join(pieces), stopped) == (text, False)
        return
    heard = text[: min(ends)]
    assert stopped and "".join(pieces) == heard[: min(heard.find(one) for one in stop if one in heard)]


def test_what_may_become_a_stop_text_is_held_back_and_said_when_it_does_not():
    assert said(b"one\nUse", ("\nUser:",))[0] == ["o", "n", "e", "", "", "", "", "\nUse"]
    assert said(b"a\nb", ("\nUser:",))[0][:3] == ["a", "", "\nb"]


def reply(**more) -> Reply:
    return Reply(0, 1, [1, 2], more.pop("limit", 3), Sampling(), {0}, bytes_to_text, **more)


@pytest.mark.parametrize(
    "tokens, reason, heard, written",
    [
        (b"ab\0", "stop", "ab", 2),
        (b"abc", "length", "abc", 3),
        (b"\0", "stop", "", 0),
        ("é".encode() + b"\xc3", "length", "é" + TORN, 3),
    ],
)
def test_a_reply_ends_at_an_end_token_or_at_its_limit(tokens, reason, heard, written):
    one = reply()
    for token in tokens:
        assert not one.finished
        one.add(token)
    assert one.finished and one.finish_reason == reason and len(one.tokens) == written
    assert "".join(one.news.get_nowait() for _ in range(one.news.qsize())) == heard


def test_a_stop_text_is_a_stop():
    one = reply(stop=("b",), limit=9)
    one.add(ord("a"))
    one.add(ord("b"))
    assert one.finish_reason == "stop"
