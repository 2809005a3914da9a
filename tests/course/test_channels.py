"""What a call does to speech, against the codecs of libsndfile and against closed forms."""

import io

import numpy as np
import pytest
import soundfile

from course.channels import (
    CONDITIONS,
    mix_at_snr,
    through_gsm,
    through_mu_law,
    through_telephone,
    with_echo,
    with_noise,
)
from course.recordings import Recording, prompts


def recording(signal, sample_rate=8000, name="test") -> Recording:
    return Recording(name, np.asarray(signal, dtype=float), sample_rate, "one", "nobody", "made up", False)


def speechlike(rng, n_samples, sample_rate=8000) -> Recording:
    noise = rng.standard_normal(n_samples + 7)
    return recording(0.2 * np.convolve(noise, np.ones(8) / 8, "valid")[:n_samples], sample_rate)


def through_soundfile(signal, subtype: str) -> np.ndarray:
    file = io.BytesIO()
    soundfile.write(file, signal, 8000, format="WAV", subtype=subtype)
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]


def test_mu_law_equals_the_codec_of_libsndfile(rng):
    sound = speechlike(rng, 4000)
    integers = np.round(sound.signal * 32768).astype(np.int16)
    np.testing.assert_array_equal(through_mu_law(sound).signal, through_soundfile(integers, "ULAW"))


def test_gsm_equals_the_codec_of_libsndfile(rng):
    sound = speechlike(rng, 3200)
    np.testing.assert_array_equal(through_gsm(sound).signal, through_soundfile(sound.signal, "GSM610")[:3200])


@pytest.mark.parametrize("n_samples", [0, 1, 159, 160, 161, 319, 320, 321, 1001])
@pytest.mark.parametrize("channel", [through_mu_law, through_gsm, through_telephone])
def test_codecs_keep_any_length(rng, channel, n_samples):
    assert channel(speechlike(rng, n_samples)).signal.shape == (n_samples,)


@pytest.mark.parametrize("name", [name for name in CONDITIONS if "dishes" not in name])
def test_codecs_bring_wide_band_to_8_khz(rng, name):
    sound = CONDITIONS[name](speechlike(rng, 16000, 16000))
    assert (sound.sample_rate, sound.signal.size) == ((16000, 16000) if name == "clean" else (8000, 8000))


def test_the_telephone_keeps_300_to_3400_hz():
    time = np.arange(8000) / 8000
    levels = {}
    for frequency in (60, 150, 500, 1000, 3000, 3900):
        tone = recording(0.5 * np.sin(2 * np.pi * frequency * time))
        power = np.mean(through_telephone(tone).signal[800:-800] ** 2)
        levels[frequency] = 10 * np.log10(power / 0.125 + 1e-12)
    assert all(abs(levels[frequency]) < 1 for frequency in (500, 1000, 3000))
    assert levels[60] < -25 and levels[150] < -20 and levels[3900] < -12


@pytest.mark.parametrize("snr_db", [-5, 0, 5, 10, 40])
def test_a_mixture_has_the_snr_that_was_asked_for(rng, snr_db):
    signal, noise = rng.standard_normal(5000), 7 * rng.standard_normal(5000)
    added = mix_at_snr(signal, noise, snr_db) - signal
    assert 10 * np.log10(np.mean(signal**2) / np.mean(added**2)) == pytest.approx(snr_db)
    np.testing.assert_allclose(added / np.linalg.norm(added), noise / np.linalg.norm(noise), atol=1e-9)


def test_short_noise_is_repeated(rng):
    signal, noise = rng.standard_normal(1000), rng.standard_normal(300)
    added = mix_at_snr(signal, noise, 0) - signal
    np.testing.assert_allclose(added[300:600], added[:300])


@pytest.mark.parametrize("bad", [np.zeros(0), np.zeros(10), np.full(10, np.nan), np.ones((10, 2))])
@pytest.mark.parametrize("role", ["signal", "noise"])
def test_what_has_no_level_is_refused(role, bad):
    parts = {"signal": np.ones(10), "noise": np.ones(10)} | {role: bad}
    with pytest.raises(ValueError, match=f"A {role} with one channel and some power was expected"):
        mix_at_snr(parts["signal"], parts["noise"], 5)


def test_noise_that_is_silent_beside_the_signal_is_refused():
    with pytest.raises(ValueError, match="beside the signal is silent"):
        mix_at_snr(np.ones(10), np.r_[np.zeros(10), 1.0], 5)


def test_noise_follows_from_the_name_of_the_recording(rng):
    sound = speechlike(rng, 4000)
    other = recording(sound.signal, name="other")
    np.testing.assert_array_equal(with_noise(sound, 5).signal, with_noise(sound, 5).signal)
    assert not np.array_equal(with_noise(sound, 5).signal, with_noise(other, 5).signal)


def test_noise_may_be_given_and_drawn(rng):
    sound = speechlike(rng, 400)
    noise = rng.standard_normal(4000)
    first = with_noise(sound, 0, noise, np.random.default_rng(1)).signal
    np.testing.assert_array_equal(first, with_noise(sound, 0, noise, np.random.default_rng(1)).signal)
    assert not np.array_equal(first, with_noise(sound, 0, noise, np.random.default_rng(2)).signal)


def test_a_loud_mixture_is_made_quieter_and_keeps_its_snr(rng):
    loud = recording(np.sign(rng.standard_normal(4000)))
    mixture = with_noise(loud, 0, rng.standard_normal(4000)).signal
    assert np.abs(mixture).max() == pytest.approx(1, abs=1e-6)
    gain = mixture @ loud.signal / (loud.signal @ loud.signal)
    rest = mixture - gain * loud.signal
    assert 10 * np.log10(gain**2 * 4000 / (rest @ rest)) == pytest.approx(0, abs=0.2)


def test_silence_has_no_snr():
    with pytest.raises(ValueError, match="some power"):
        with_noise(recording(np.zeros(100)), 10)


def test_an_echo_is_the_sound_once_more():
    click = recording(np.r_[1.0, np.zeros(99)], 1000)
    heard = with_echo(click, delay=0.05, gain=0.5).signal
    assert heard.size == 150 and heard[0] == 1 and heard[50] == 0.5
    assert np.count_nonzero(heard) == 2
    assert with_echo(click, delay=0).signal.size == 100
    with pytest.raises(ValueError, match="at least 0 s"):
        with_echo(click, delay=-0.1)


def test_every_condition_is_deterministic_and_stays_within_full_scale():
    for spoken in prompts(3):
        for condition in CONDITIONS.values():
            first, second = condition(spoken), condition(spoken)
            np.testing.assert_array_equal(first.signal, second.signal)
            assert first.text == spoken.text and np.abs(first.signal).max() <= 1
            assert first.seconds == pytest.approx(spoken.seconds, abs=1e-3)
