"""Features against brute force, librosa and torchaudio, on noise, tones and speech; what they promise; bad input."""

import librosa
import numpy as np
import pytest
import torch
import torchaudio
from hypothesis import given
from hypothesis import strategies as st

from course import features, sampling, spectrum
from course.features.mel import FLOOR

pytestmark = pytest.mark.filterwarnings("ignore:n_fft=:UserWarning")  # librosa, on short signals
SIGNALS = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("rate", "expected"), [(8000, (200, 80, 256)), (16_000, (400, 160, 512)), (44_100, (1102, 441, 2048))]
)
def test_the_usual_framing(rate, expected):
    assert features.frame_lengths(rate) == expected


# ------------------------------------------------------------------------------------------------------- transform


@given(SIGNALS, st.sampled_from([(256, 64, 256), (256, 80, 200), (512, 160, 400), (64, 7, 33)]), st.integers(1, 900))
def test_stft_is_librosas(rng, framing, n_samples):
    n_fft, hop_length, win_length = framing
    signal = rng.standard_normal(n_samples)
    ours = features.stft(signal, n_fft, hop_length, spectrum.hann_window(win_length))
    theirs = librosa.stft(
        signal, n_fft=n_fft, hop_length=hop_length, win_length=win_length, pad_mode="constant", dtype=np.complex128
    )
    np.testing.assert_allclose(ours, theirs.T, atol=1e-12 * n_fft)


def test_stft_is_its_definition(rng):
    signal, window = rng.standard_normal(60), rng.random(16)
    padded = np.pad(signal, 8)
    for t, row in enumerate(features.stft(signal, 16, 5, window)):
        for k, value in enumerate(row):
            angles = -2j * np.pi * k * np.arange(16) / 16
            assert value == pytest.approx(np.sum(padded[5 * t : 5 * t + 16] * window * np.exp(angles)))


@given(SIGNALS, st.integers(1, 600), st.sampled_from([(64, 16), (64, 37), (64, 60), (32, 1), (2, 1)]))
def test_there_and_back_is_exact(rng, n_samples, framing):
    signal = rng.standard_normal(n_samples)
    again = features.istft(features.stft(signal, *framing), framing[1], length=n_samples)
    inside = slice(0, n_samples // framing[1] * framing[1] + 1)  # up to the centre of the last frame
    np.testing.assert_allclose(again[inside], signal[inside], atol=1e-8)


@pytest.mark.parametrize("hop_length", [16, 40])
def test_the_inverse_is_librosas_and_the_nearest_signal(hop_length, rng):
    changed = features.stft(rng.standard_normal(640), 64, hop_length)
    changed = changed * rng.random(changed.shape)
    best = features.istft(changed, hop_length, length=640)
    theirs = librosa.istft(changed.T, hop_length=hop_length, n_fft=64, length=640)
    np.testing.assert_allclose(best[64:-64], theirs[64:-64], atol=1e-7)

    def distance(signal):
        error = np.abs(features.stft(signal, 64, hop_length) - changed) ** 2
        return 2 * np.sum(error) - np.sum(error[:, [0, -1]])  # the bins that rfft leaves out

    for _ in range(20):
        assert distance(best) < distance(best + 1e-3 * rng.standard_normal(640))


def test_lengths_asked_for_are_given(rng):
    transform = features.stft(rng.standard_normal(100), 32, 8)
    assert features.istft(transform, 8).size == 96
    assert features.istft(transform, 8, length=500).size == 500
    assert not features.istft(transform, 8, length=500)[200:].any()
    assert features.istft(features.stft([0.5], 32, 8), 8).size == 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: features.stft(np.ones(9), 8, 2, np.ones(9)), "at most 8 samples"),
        (lambda: features.stft(np.ones(9), 7, 2), "even n_fft"),
        (lambda: features.stft(np.ones(9), 8, 0), "hop_length of at least 1"),
        (lambda: features.istft(np.ones(5), 2), r"pass its .T"),
        (lambda: features.istft(np.ones((0, 5)), 2), "n_frames"),
        (lambda: features.istft(np.full((2, 5), np.nan), 2), "finite"),
        (lambda: features.istft(np.ones((2, 5)), 0), "at least 1"),
        (lambda: features.istft(np.ones((2, 5)), 2, length=0), "at least 1"),
        (lambda: features.frame_lengths(100), "Speech has 8000"),
        (lambda: features.frame_lengths(-8000), "above zero"),
    ],
)
def test_impossible_frames_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ------------------------------------------------------------------------------------------------------------- mel


def test_mel_is_librosas_and_goes_back():
    frequencies = np.linspace(0, 24_000, 500)
    assert features.hz_to_mel(frequencies) == pytest.approx(librosa.hz_to_mel(frequencies, htk=True))
    assert features.mel_to_hz(features.hz_to_mel(frequencies)) == pytest.approx(frequencies, abs=1e-9)
    assert features.hz_to_mel(1000) == pytest.approx(1000, abs=0.1)
    with pytest.raises(ValueError, match="negative"):
        features.hz_to_mel(-1.0)


@pytest.mark.parametrize(
    ("rate", "n_fft", "n_mels", "low", "high"),
    [(8000, 256, 40, 0, None), (8000, 256, 23, 300, 3400), (16_000, 512, 40, 0, None), (16_000, 1024, 80, 20, 7600)],
)
def test_the_filter_bank_is_librosas_and_torchaudios(rate, n_fft, n_mels, low, high):
    ours = features.mel_filter_bank(rate, n_fft, n_mels, low, high)
    theirs = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=n_mels, fmin=low, fmax=high, htk=True, norm=None)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    torchs = torchaudio.functional.melscale_fbanks(
        n_fft // 2 + 1, low, high or rate / 2, n_mels, rate, norm=None, mel_scale="htk"
    )
    np.testing.assert_allclose(ours, torchs.T.numpy(), atol=2e-4)  # torchaudio computes in float32
    assert not ours.flags.writeable


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((8000, 256, 100), r"of 100 are narrower than the 31.25 Hz"),
        ((8000, 256, 0), "0 from 0 to 4000"),
        ((8000, 256, 40, 300, 300), "300 to 300"),
        ((8000, 256, 40, 0, 5000), "between 0 and 4000 Hz"),
        ((0, 256), "above zero"),
    ],
)
def test_impossible_bands_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        features.mel_filter_bank(*arguments)


@given(SIGNALS, st.sampled_from([8000, 16_000]), st.integers(400, 3000))
def test_log_mel_is_librosas(rng, rate, n_samples):
    signal = rng.standard_normal(n_samples)
    win_length, hop_length, n_fft = features.frame_lengths(rate)
    theirs = librosa.feature.melspectrogram(
        y=signal, sr=rate, n_fft=n_fft, win_length=win_length, hop_length=hop_length, n_mels=40, htk=True, norm=None,
        pad_mode="constant",
    )  # fmt: skip
    np.testing.assert_allclose(features.log_mel(signal, rate), np.log(theirs.T), atol=1e-5)


def test_log_mel_is_torchaudios(rng):
    signal = rng.standard_normal(4000)
    transform = torchaudio.transforms.MelSpectrogram(
        8000, n_fft=256, win_length=200, hop_length=80, n_mels=40, pad_mode="constant"
    ).double()
    theirs = transform(torch.from_numpy(signal)).T.log().numpy()
    np.testing.assert_allclose(features.log_mel(signal, 8000), theirs, atol=1e-3)


def test_a_louder_signal_is_a_constant_more_and_silence_is_the_floor(rng):
    signal = rng.standard_normal(4000)
    difference = features.log_mel(10 * signal, 8000) - features.log_mel(signal, 8000)
    np.testing.assert_allclose(difference, np.log(100))
    assert (features.log_mel(np.zeros(4000), 8000) == np.log(FLOOR)).all()


@pytest.mark.parametrize("n_samples", [1, 2, 79, 80, 81, 8000])
def test_one_frame_for_each_hop_and_one_more(n_samples):
    assert features.log_mel(np.ones(n_samples), 8000).shape == (1 + n_samples // 80, 40)
    assert features.mfcc(np.ones(n_samples), 8000).shape == (1 + n_samples // 80, 13)


@pytest.mark.parametrize("kind", [np.float32, np.int16])
def test_other_kinds_of_samples_are_taken_as_numbers(kind, rng):
    signal = (100 * rng.standard_normal(1000)).astype(kind)
    np.testing.assert_allclose(features.mfcc(signal, 8000), features.mfcc(signal.astype(float), 8000))


@pytest.mark.parametrize("function", [features.log_mel, features.mfcc])
@pytest.mark.parametrize(
    ("signal", "error", "words"),
    [
        ([], ValueError, "at least one sample"),
        (np.ones((100, 2)), ValueError, "Pick one channel"),
        ([0.1, np.nan], ValueError, "1 NaN"),
        (np.ones(100, complex), TypeError, "real numbers"),
        (["a", "b"], TypeError, "real numbers"),
    ],
)
def test_what_is_no_signal_is_refused(function, signal, error, words):
    with pytest.raises(error, match=words):
        function(signal, 8000)


def test_wrong_framing_is_refused():
    with pytest.raises(ValueError, match="even n_fft"):
        features.log_mel(np.ones(100), 8000, n_fft=255)
    with pytest.raises(ValueError, match="window of at most 256"):
        features.log_mel(np.ones(1000), 8000, win_length=300, n_fft=256)
    with pytest.raises(ValueError, match="above zero"):
        features.mfcc(np.ones(100), np.nan)


# -------------------------------------------------------------------------------------------------------- cepstrum


@given(SIGNALS, st.integers(1, 40))
def test_mfcc_is_librosas(rng, n_coefficients):
    signal = rng.standard_normal(1600)
    theirs = librosa.feature.mfcc(S=features.log_mel(signal, 8000).T, n_mfcc=n_coefficients)
    np.testing.assert_allclose(features.mfcc(signal, 8000, n_coefficients), theirs.T, atol=1e-9)


def test_the_cosine_transform_is_a_rotation_that_goes_back(rng):
    rows = features.dct_matrix(40, 40)
    np.testing.assert_allclose(rows @ rows.T, np.eye(40), atol=1e-12)
    energies = rng.standard_normal((7, 40))
    np.testing.assert_allclose(features.log_mel_from_mfcc(energies @ rows.T), energies, atol=1e-12)
    smooth = features.log_mel_from_mfcc(energies @ rows[:13].T)
    np.testing.assert_allclose(smooth @ rows[:13].T, energies @ rows[:13].T, atol=1e-12)
    np.testing.assert_allclose(smooth @ rows[13:].T, 0, atol=1e-12)


@pytest.mark.parametrize("n_coefficients", [0, 41, -1])
def test_more_coefficients_than_bands_are_refused(n_coefficients):
    with pytest.raises(ValueError, match=f"{n_coefficients} came"):
        features.mfcc(np.ones(100), 8000, n_coefficients)
    with pytest.raises(ValueError, match="n_frames, n_coefficients"):
        features.log_mel_from_mfcc(np.ones(13))


# -------------------------------------------------------------------------------------------------------- dynamics


@given(SIGNALS, st.integers(1, 4), st.integers(1, 60))
def test_deltas_are_fitted_lines(rng, reach, n_frames):
    values = rng.standard_normal((n_frames, 3))
    padded = np.concatenate([np.repeat(values[:1], reach, 0), values, np.repeat(values[-1:], reach, 0)])
    slopes = features.deltas(values, reach)
    for t in range(n_frames):
        fitted = np.polyfit(np.arange(2 * reach + 1), padded[t : t + 2 * reach + 1], 1)[0]
        np.testing.assert_allclose(slopes[t], fitted, atol=1e-9)
    if n_frames >= 2 * reach + 1:
        theirs = librosa.feature.delta(values.T, width=2 * reach + 1, mode="nearest") if reach > 0 else 0
        np.testing.assert_allclose(slopes, theirs.T, atol=1e-9)


@given(SIGNALS, st.integers(2, 50))
def test_normalised_features_forget_gain_and_offset(rng, n_frames):
    values = rng.standard_normal((n_frames, 4))
    ready = features.normalise(values)
    np.testing.assert_allclose(ready.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(ready.std(axis=0), 1)
    np.testing.assert_allclose(features.normalise(3 * values + [1, -200, 5, 0]), ready, atol=1e-6)


def test_what_never_changes_becomes_zero(rng):
    values = np.column_stack([np.full(20, 1e6 / 3), rng.standard_normal(20)])
    assert (features.normalise(values)[:, 0] == 0).all()
    assert (features.normalise(features.mfcc(np.zeros(4000), 8000)) == 0).all()
    assert (features.normalise(values[:1]) == 0).all() and (features.deltas(values[:1]) == 0).all()


def test_a_filter_in_the_line_is_forgotten(rng):
    """White noise, so that every band is well above the floor, through a filter that is short beside the frame."""
    signal = 0.1 * rng.standard_normal(16_000)
    filtered = np.convolve(signal, [1.0, -0.7], "same")
    direct = np.abs(features.mfcc(signal, 8000) - features.mfcc(filtered, 8000)).mean()
    ready = [features.normalise(features.mfcc(x, 8000)) for x in (signal, filtered)]
    assert np.abs(ready[0] - ready[1]).mean() < 0.15 * direct


@pytest.mark.parametrize("function", [features.deltas, features.normalise])
@pytest.mark.parametrize("wrong", [np.ones(5), np.ones((0, 3)), np.full((2, 2), np.inf), np.ones((2, 2, 2))])
def test_what_are_no_features_is_refused(function, wrong):
    with pytest.raises(ValueError, match="Features were expected"):
        function(wrong)


def test_slopes_need_a_neighbour():
    with pytest.raises(ValueError, match="at least one neighbour"):
        features.deltas(np.ones((5, 2)), reach=0)


def test_a_tone_lights_the_band_that_holds_it():
    edges = features.mel_to_hz(np.linspace(0, features.hz_to_mel(4000), 42))
    for frequency in (250, 1000, 3000):
        loudest = np.argmax(features.log_mel(sampling.tone(frequency, 0.2, 8000), 8000)[10])
        assert edges[loudest] < frequency < edges[loudest + 2]
