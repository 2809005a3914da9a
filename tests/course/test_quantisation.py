"""Quantisation against the 6 dB rule, libsndfile's G.711 bytes, librosa's and torchaudio's curves."""

import io

import librosa
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from course import levels, quantisation

EVERY_SAMPLE = np.arange(-32_768, 32_768).astype(np.int16)
EVERY_CODE = np.arange(256).astype(np.uint8)
in_scale = st.lists(st.floats(-1, 1), min_size=1, max_size=50)


def libsndfile_bytes(samples: np.ndarray) -> bytes:
    soundfile.write(file := io.BytesIO(), samples, 8000, format="RAW", subtype="ULAW")
    return file.getvalue()


@given(in_scale, st.integers(1, 16))
def test_rounding_is_within_half_a_step_and_takes_2_to_the_bits_values(samples, bits):
    rounded = quantisation.quantise(samples, bits)
    step = 2 / 2**bits
    error = np.abs(rounded - samples)
    assert (error[np.array(samples) <= 1 - step] <= step / 2 + 1e-12).all() and error.max() <= step
    assert rounded.min() >= -1 and rounded.max() <= 1 - step
    assert (rounded / step == np.round(rounded / step)).all()
    assert quantisation.quantise(rounded, bits).tolist() == rounded.tolist()


def test_all_values_are_used():
    assert np.unique(quantisation.quantise(np.linspace(-1, 1, 1001), 3)).tolist() == [
        -1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75,
    ]  # fmt: skip


@pytest.mark.parametrize("bits", [4, 8, 12, 16])
def test_each_bit_buys_6_db(bits):
    sine = 0.5 * np.sin(2 * np.pi * 997 * np.arange(48_000) / 48_000)
    expected = 6.02 * bits + 1.76 - 6.02  # Bennett 1948
    assert levels.snr_db(sine, quantisation.quantise(sine, bits)) == pytest.approx(expected, abs=0.7)


@pytest.mark.parametrize("bits", [0, 33, 2.5, -8])
def test_bits_out_of_range_are_refused(bits):
    with pytest.raises(ValueError, match="1 to 32 bits"):
        quantisation.quantise([0.0], bits)


@given(in_scale)
def test_the_curve_is_librosas_and_has_an_inverse(samples):
    compressed = quantisation.mu_law_compress(samples)
    assert compressed == pytest.approx(librosa.mu_compress(np.array(samples), quantize=False), abs=1e-12)
    assert quantisation.mu_law_expand(compressed) == pytest.approx(samples, abs=1e-12)


@pytest.mark.parametrize("curve", [quantisation.mu_law_compress, quantisation.mu_law_expand])
def test_the_curve_refuses_what_is_beyond_full_scale(curve):
    with pytest.raises(ValueError, match="peak of 1.5"):
        curve([0.2, -1.5])


def test_the_curve_is_torchaudios(rng):
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchaudio.functional", exc_type=(ImportError, OSError))
    samples = rng.uniform(-1, 1, 1000)
    codes = functional.mu_law_encoding(torch.from_numpy(samples), 256).numpy()
    expected = np.floor((quantisation.mu_law_compress(samples) + 1) / 2 * 255 + 0.5)
    assert codes.tolist() == expected.tolist()


def test_every_16_bit_sample_gets_libsndfiles_byte():
    assert quantisation.mu_law_encode(EVERY_SAMPLE / 32_768).tobytes() == libsndfile_bytes(EVERY_SAMPLE)


def test_every_byte_decodes_to_libsndfiles_sample():
    expected, _ = soundfile.read(
        io.BytesIO(EVERY_CODE.tobytes()), dtype="int16", format="RAW", subtype="ULAW", samplerate=8000, channels=1
    )
    decoded = quantisation.mu_law_decode(EVERY_CODE)
    assert decoded.dtype == np.float32 and (decoded * 32_768).tolist() == expected.tolist()


def test_decoding_and_encoding_again_keeps_every_value():
    again = quantisation.mu_law_decode(quantisation.mu_law_encode(quantisation.mu_law_decode(EVERY_CODE)))
    assert again.tolist() == quantisation.mu_law_decode(EVERY_CODE).tolist()


def test_g711_published_values():
    """G.711, table 2a: full scale is 1000 0000 and decodes to 8031 of 8192; zero is 1111 1111."""
    assert quantisation.mu_law_encode([1.0, 0.0, -1.0]).tolist() == [0x80, 0xFF, 0x00]
    assert (quantisation.mu_law_decode(np.array([0x80, 0xFF, 0x00], np.uint8)) * 8192).tolist() == [8031, 0, -8031]


def test_beyond_full_scale_clips():
    assert quantisation.mu_law_encode([5.0, -5.0]).tolist() == quantisation.mu_law_encode([1.0, -1.0]).tolist()


@pytest.mark.parametrize("codes", [[1, 2], np.zeros(3, np.int8), np.zeros(3)])
def test_codes_that_are_not_bytes_are_refused(codes):
    with pytest.raises(TypeError, match="uint8"):
        quantisation.mu_law_decode(codes)
