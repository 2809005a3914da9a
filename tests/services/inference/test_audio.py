"""Files that strangers send."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inference.audio import read_recording
from services.inference.problems import Problem


def code_of(content, longest=60.0) -> str:
    with pytest.raises(Problem) as found:
        read_recording(content, longest)
    assert found.value.body["error"]["param"] == "file"
    return found.value.code


@pytest.mark.parametrize(
    "form, subtype, rate",
    [("WAV", "PCM_16", 8000), ("WAV", "ULAW", 8000), ("FLAC", "PCM_16", 16000), ("OGG", "OPUS", 16000),
     ("OGG", "VORBIS", 22050), ("MP3", "MPEG_LAYER_III", 16000), ("WAV", "FLOAT", 48000)],
)  # fmt: skip
@pytest.mark.parametrize("channels", [1, 2])
def test_a_tone_is_a_tone_in_each_format(sound, form, subtype, rate, channels):
    recording = read_recording(sound(1.0, rate, form, subtype, channels), 60)
    assert recording.sample_rate == rate and recording.seconds == pytest.approx(1.0, abs=0.15)
    middle = recording.samples[len(recording.samples) // 4 : len(recording.samples) // 2]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("content", [b"", b"not audio", b"RIFF\x10\0\0\0WAVE", bytes(5000), b"OggS" + bytes(200)])
def test_what_is_no_audio_is_corrupt(content):
    assert code_of(content) == "corrupt_audio"


def test_a_file_that_ends_early_is_read_as_far_as_it_goes(sound):
    content = sound(2.0)
    assert read_recording(content[: len(content) // 2], 60).seconds == pytest.approx(1.0, abs=0.01)


def test_a_header_without_samples_is_empty(sound):
    assert code_of(sound(0.0)) == "empty_audio"


def test_two_hours_are_refused_from_the_header(sound):
    content = sound(1.0)
    assert code_of(sound(7200, 2000, "FLAC"), 900) == "audio_too_long"
    assert code_of(content, 0.5) == "audio_too_long"
    assert read_recording(content, 1.0).seconds == 1.0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_corrupt(sound, value):
    content = bytearray(sound(0.1, subtype="FLOAT"))
    content[-4:] = struct.pack("<f", value)
    assert code_of(bytes(content)) == "corrupt_audio"


@pytest.mark.parametrize("rate", [1, 400_000, 2**31 - 1])
def test_a_rate_that_no_speech_has_is_corrupt(sound, rate):
    content = bytearray(sound(0.1))
    content[24:28] = struct.pack("<I", rate)
    assert code_of(bytes(content)) == "corrupt_audio"


@given(data=st.data())
def test_broken_bytes_are_read_or_refused_never_anything_else(data):
    """A real header with bytes changed: a recording, or a problem."""
    import io

    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.zeros(400), 8000, format=data.draw(st.sampled_from(["WAV", "FLAC"])))
    content = bytearray(file.getvalue())
    for place in data.draw(st.lists(st.integers(0, min(120, len(content) - 1)), min_size=1, max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    try:
        recording = read_recording(bytes(content), 5.0)
    except Problem as problem:
        assert problem.code in ("corrupt_audio", "empty_audio", "audio_too_long")
    else:
        assert recording.seconds <= 5 and np.isfinite(recording.samples).all()
