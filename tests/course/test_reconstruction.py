"""The ways back: phases that fit better with every step, energies that are met, librosa's result; bad input."""

import librosa
import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

from course import features, reconstruction
from course.sampling import chime, tone
from course.spectrum import hann_window


@pytest.fixture
def magnitudes():
    return np.abs(features.stft(chime(8000, 0.5), 256, 64))


def test_every_step_comes_nearer(magnitudes):
    signals = [reconstruction.griffin_lim(magnitudes, 64, n_iterations=n) for n in range(12)]
    whole = [np.pad(s, (0, 64)) for s in signals]
    far = [reconstruction.inconsistency(magnitudes, s, 64) for s in whole]
    assert np.all(np.diff(far[:-1]) < 0.3) and far[-1] < far[0] - 5


def test_the_distance_never_grows(magnitudes):
    """Measured as Griffin and Lim do: on the signal's own transform, over all of its frames."""
    length = 64 * (len(magnitudes) - 1)
    far = [
        reconstruction.inconsistency(magnitudes, reconstruction.griffin_lim(magnitudes, 64, None, n, length), 64)
        for n in range(15)
    ]
    assert np.all(np.diff(far) < 0.05)


def test_it_comes_as_near_as_librosas(magnitudes):
    ours = reconstruction.griffin_lim(magnitudes, 64, n_iterations=32, length=4000)
    theirs = librosa.griffinlim(
        magnitudes.T, n_iter=32, hop_length=64, momentum=0, random_state=0, length=4000, pad_mode="constant"
    )
    mine, other = (reconstruction.inconsistency(magnitudes, signal, 64) for signal in (ours, theirs))
    assert mine < other + 2


def test_it_is_the_same_each_time_and_its_seed_matters(magnitudes):
    first, again, other = (reconstruction.griffin_lim(magnitudes, 64, n_iterations=3, seed=s) for s in (1, 1, 2))
    assert (first == again).all() and np.abs(first - other).max() > 1e-3
    still = reconstruction.griffin_lim(magnitudes, 64, n_iterations=0, seed=None)
    np.testing.assert_allclose(still, features.istft(magnitudes, 64))


def test_silence_comes_back_as_silence():
    assert not reconstruction.griffin_lim(np.zeros((10, 129)), 64).any()
    assert reconstruction.griffin_lim(np.ones((1, 129)), 64, n_iterations=2).size == 1


@pytest.mark.parametrize(
    ("magnitudes", "words"),
    [
        (np.ones(129), r"shape \(n_frames, n_bins\)"),
        (np.ones((0, 129)), "came with"),
        (-np.ones((2, 129)), "below 0"),
        (np.full((2, 129), np.nan), "NaN"),
    ],
)
def test_what_are_no_magnitudes_is_refused(magnitudes, words):
    with pytest.raises(ValueError, match=words):
        reconstruction.griffin_lim(magnitudes, 64)


def test_fewer_than_no_steps_are_refused(magnitudes):
    with pytest.raises(ValueError, match="-1 came"):
        reconstruction.griffin_lim(magnitudes, 64, n_iterations=-1)


def test_a_signal_keeps_itself_when_it_exchanges_phases_with_itself(rng):
    signal = rng.standard_normal(1024)
    np.testing.assert_allclose(reconstruction.exchange_phases(signal, signal, 256, 64), signal, atol=1e-9)
    assert reconstruction.exchange_phases(signal, signal[:500], 256, 64).size == 500


def test_short_frames_follow_the_magnitudes_and_long_ones_the_phases():
    low_then_high = np.concatenate([tone(500, 0.5, 8000), tone(1500, 0.5, 8000)])
    high_then_low = np.concatenate([tone(1500, 0.5, 8000), tone(500, 0.5, 8000)])

    def starts_high(signal):
        power = np.abs(features.stft(signal)) ** 2
        return power[10:50, 48].sum() > power[10:50, 16].sum()

    assert not starts_high(reconstruction.exchange_phases(low_then_high, high_then_low, 256, 64))
    assert starts_high(reconstruction.exchange_phases(low_then_high, high_then_low, 8192, 2048))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_bins_behind_the_bands_have_the_bands_energies(seed):
    rng = np.random.default_rng(seed)
    bank = features.mel_filter_bank(8000, 256, 40)
    power = np.exp(2 * rng.standard_normal((3, 129)))
    bands = power @ bank.T
    spectra = reconstruction.spectra_from_mel(bands, bank)
    assert (spectra >= 0).all()
    best = [
        np.sqrt(2) * scipy.optimize.nnls(bank, row)[1] for row in bands
    ]  # an independent way: exact, up to rounding
    assert np.abs(spectra @ bank.T - bands).max() < 0.05 * bands.max() and max(best) < 1e-6 * bands.max()


def test_energies_of_another_number_of_bands_are_refused():
    bank = features.mel_filter_bank(8000, 256, 40)
    with pytest.raises(ValueError, match="40 bands were expected and those of 13"):
        reconstruction.spectra_from_mel(np.ones((2, 13)), bank)
    assert not reconstruction.spectra_from_mel(np.zeros((2, 40)), bank).any()


@pytest.mark.parametrize("rate", [8000, 16_000])
def test_speech_from_log_mel_has_its_log_mel(rate):
    signal = chime(rate, 0.5)
    wanted = features.log_mel(signal, rate)
    sound = reconstruction.speech_from_log_mel(wanted, rate)
    _, hop_length, _ = features.frame_lengths(rate)
    assert sound.size == (len(wanted) - 1) * hop_length
    got = features.log_mel(sound, rate)
    loud = wanted > wanted.max() - 7  # 30 dB
    assert np.corrcoef(wanted[loud], got[loud])[0, 1] > 0.9


def test_features_that_are_none_are_refused():
    for wrong in (np.ones(40), np.full((3, 40), np.inf), np.ones((0, 40))):
        with pytest.raises(ValueError, match="Magnitudes were expected"):
            reconstruction.speech_from_log_mel(wrong, 8000)
    with pytest.raises(ValueError, match="above zero"):
        reconstruction.speech_from_log_mel(np.ones((3, 40)), 0)


def test_the_window_is_used():
    window = hann_window(200)
    magnitudes = np.abs(features.stft(chime(8000, 0.3), 256, 80, window))
    sound = reconstruction.griffin_lim(magnitudes, 80, window, 32, length=2400)
    assert reconstruction.inconsistency(magnitudes, sound, 80, window) < -8
