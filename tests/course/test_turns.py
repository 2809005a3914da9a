"""End-pointing on timelines made by hand, frame by frame against the pauses, and the shortest time-out that will do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.turns import FRAME, EndPointer, Turn, end_point, shortest_time_out, take_turns

pauses_lists = st.lists(st.lists(st.integers(1, 200), max_size=5), min_size=1, max_size=8)


def timeline(text: str) -> list[bool]:
    """Frames from a drawing: # is speech, . is silence."""
    return [mark == "#" for mark in text]


@pytest.mark.parametrize(
    ("drawing", "patience", "frame"),
    [
        ("##...", 3, 5),  # the third silent frame after speech ends at frame 5
        ("##..##...", 3, 9),  # a pause of two frames is waited out
        ("##..##...", 2, 4),  # and cut into by who waits for two
        ("...##...", 3, 8),  # silence before speech does not count
        ("##..", 3, None),
        ("....", 1, None),
        ("", 1, None),
        ("#.", 1, 2),
        (".#.#.#...", 2, 8),
    ],
)
def test_end_points_of_drawn_timelines(drawing, patience, frame):
    moment = end_point(timeline(drawing), patience * FRAME)
    assert moment == (None if frame is None else pytest.approx(frame * FRAME))


def turn_of(pauses, sound=30):
    """A turn in frames: sounds of equal length with these pauses between, as Turn and as frames."""
    frames, sounds, at = [], [], 0
    for pause in [*pauses, 0]:
        sounds.append((at * FRAME, (at + sound) * FRAME))
        frames += [True] * sound + [False] * pause
        at += sound + pause
    return Turn(tuple(sounds)), frames


@given(pauses_lists, st.integers(1, 250))
def test_frames_and_pauses_agree_on_who_is_cut_off(turns, patience):
    """The listener that hears frame by frame cuts in where the arithmetic of pauses says so."""
    made = [turn_of(pauses) for pauses in turns]
    cut, waits = [], []
    for turn, frames in made:
        moment = end_point(frames + [False] * (patience + 1), patience * FRAME)
        cut.append(moment < turn.end - 1e-9)
        waits += [] if cut[-1] else [moment - turn.end]
    # A hair less than the time-out: pauses are sums of hundredths.
    result = take_turns([turn for turn, _ in made], patience * FRAME - 1e-6)
    assert result.cut_in == pytest.approx(np.mean(cut))
    if waits:
        assert result.latency == pytest.approx(np.mean(waits), abs=1e-4)
    else:
        assert result.latency is None


@given(pauses_lists, st.floats(0, 1))
def test_the_shortest_time_out_is_found_by_trying_all(turns, share):
    made = [turn_of(pauses)[0] for pauses in turns]
    expected = next(
        n
        for n in range(1, 300)
        if sum(any(pause >= n for pause in pauses) for pauses in turns) <= share * len(turns) + 1e-9
    )
    assert shortest_time_out(made, share) == pytest.approx(expected * FRAME)


def test_the_delay_of_the_reply_comes_on_top():
    turns = [Turn(((0.0, 1.0),)), Turn(((0.0, 0.5), (1.5, 2.0)))]
    assert take_turns(turns, 0.8, delay=0.3).latency == pytest.approx(1.1)
    assert take_turns(turns, 0.8).cut_in == 0.5 and take_turns(turns, 1.2).cut_in == 0


def test_pauses_lie_between_sounds():
    turn = Turn(((0.25, 1.0), (1.5, 1.75), (3.0, 4.0)))
    assert turn.pauses == pytest.approx([0.5, 1.25]) and turn.end == 4.0
    assert Turn(((0.0, 1.0),)).pauses.size == 0


@pytest.mark.parametrize(
    "sounds", [(), ((1.0, 0.5),), ((0.0, 1.0), (0.5, 2.0)), ((-1.0, 1.0),), ((0.0, float("nan")),)]
)
def test_impossible_turns_are_refused(sounds):
    with pytest.raises(ValueError, match="in order"):
        Turn(sounds)


@pytest.mark.parametrize(("time_out", "hop"), [(0, 0.01), (-1, 0.01), (1, 0), (float("nan"), 0.01)])
def test_impossible_time_outs_are_refused(time_out, hop):
    with pytest.raises(ValueError, match="above 0 s"):
        EndPointer(time_out, hop)


def test_no_turns_and_impossible_shares_are_refused():
    turn = Turn(((0.0, 1.0),))
    for call in (lambda: take_turns([], 0.5), lambda: take_turns([turn], 0), lambda: shortest_time_out([], 0.1)):
        with pytest.raises(ValueError, match="expected"):
            call()
    with pytest.raises(ValueError, match="share from 0 to 1"):
        shortest_time_out([turn], 1.5)


def test_a_time_out_shorter_than_a_frame_waits_for_one():
    assert end_point(timeline("#.."), 0.001) == pytest.approx(2 * FRAME)
