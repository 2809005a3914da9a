"""What a call does to speech: a narrow band, µ-law, GSM, noise from a kitchen, and echo (Lectures 2 to 6).

Each function takes a recording and returns a new one. The telephone's codecs work at 8 kHz, so what went through them
is at 8 kHz.

Sources: ITU-T Recommendation G.711 (µ-law), ETSI EN 300 961 (GSM 06.10 full rate).
"""

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from zlib import crc32

import numpy as np

from course.quantisation import mu_law_decode, mu_law_encode
from course.recordings import Recording, kitchen_noise, resampled

TELEPHONE_RATE = 8000
TELEPHONE_BAND = (300.0, 3400.0)  # Hz


def through_mu_law(recording: Recording) -> Recording:
    """Brought to 8 kHz, coded into one µ-law byte per sample, and decoded."""
    narrow = resampled(recording, TELEPHONE_RATE)
    return replace(narrow, signal=mu_law_decode(mu_law_encode(narrow.signal)) if narrow.signal.size else narrow.signal)


def through_gsm(recording: Recording) -> Recording:
    """Brought to 8 kHz and through the GSM 06.10 full-rate codec, 13 kbit/s; as long as before."""
    import soundfile

    narrow = resampled(recording, TELEPHONE_RATE)
    n_samples = narrow.signal.size
    coded = io.BytesIO()
    padded = np.pad(narrow.signal, (0, -n_samples % 320))  # two frames of 160 samples make a block of the file format
    soundfile.write(coded, padded, TELEPHONE_RATE, format="WAV", subtype="GSM610")
    coded.seek(0)
    decoded, _ = soundfile.read(coded, dtype="float32")
    return replace(narrow, signal=np.pad(decoded, (0, max(0, n_samples - decoded.size)))[:n_samples])


def through_telephone(recording: Recording) -> Recording:
    """An analogue line: 300 to 3,400 Hz at 8 kHz, then µ-law."""
    from scipy.signal import butter, sosfiltfilt

    narrow = resampled(recording, TELEPHONE_RATE)
    if narrow.signal.size < 2:
        return through_mu_law(narrow)
    sections = butter(4, TELEPHONE_BAND, "bandpass", fs=TELEPHONE_RATE, output="sos")
    padding = min(narrow.signal.size - 1, 200)
    band = sosfiltfilt(sections, narrow.signal.astype(float), padlen=padding)
    return through_mu_law(replace(narrow, signal=np.clip(band, -1, 1)))


def mix_at_snr(signal, noise, snr_db: float) -> np.ndarray:
    """Add noise, scaled so that the mean power of the signal is ``snr_db`` above the noise's.

    Args:
        signal: ``(n_samples,)``.
        noise: ``(n_noise,)``; its start is used, and it is repeated where it is too short.
        snr_db: signal-to-noise ratio in dB, over the whole signal.

    Returns:
        ``(n_samples,)`` float64; may go beyond ±1.

    Raises:
        ValueError: more than one channel, or a signal or noise that is empty or silent, which has no level to scale to.
    """
    signal, noise = np.asarray(signal, dtype=float), np.asarray(noise, dtype=float)
    for role, samples in (("signal", signal), ("noise", noise)):
        if samples.ndim != 1 or not samples.any() or not np.isfinite(samples).all():
            raise ValueError(
                f"A {role} with one channel and some power was expected, an array (n_samples,); the shape "
                f"{samples.shape} came{', silent or with NaN' if samples.size else ''}."
            )
    noise = np.resize(noise, signal.shape)
    if not noise.any():
        raise ValueError("Noise with some power was expected; its part beside the signal is silent. Use another part.")
    gain = np.sqrt(np.mean(signal**2) / np.mean(noise**2) / 10 ** (snr_db / 10))
    return signal + gain * noise


def with_noise(
    recording: Recording, snr_db: float, noise: np.ndarray | None = None, rng: np.random.Generator | None = None
) -> Recording:
    """The recording with noise under it, at a signal-to-noise ratio over the whole recording.

    Args:
        recording: somebody speaking.
        snr_db: signal-to-noise ratio in dB.
        noise: ``(n_samples,)`` at the recording's rate; a kitchen without it.
        rng: draws where in the noise to start; without it that follows from the recording's name.

    Returns:
        The mixture; where it would go beyond ±1 all of it is made quieter.

    Raises:
        ValueError: an empty or silent recording.
    """
    noise = kitchen_noise(recording.sample_rate) if noise is None else np.asarray(noise)
    rng = rng or np.random.default_rng(crc32(recording.name.encode()))
    start = int(rng.integers(max(1, noise.size - recording.signal.size + 1)))
    return replace(recording, signal=_within_full_scale(mix_at_snr(recording.signal, noise[start:], snr_db)))


def with_echo(recording: Recording, delay: float = 0.15, gain: float = 0.4) -> Recording:
    """The recording and, after it, itself once more: as when a loudspeaker reaches the far microphone.

    Args:
        recording: somebody speaking.
        delay: seconds, at least 0.
        gain: of the second copy.

    Returns:
        A recording that is ``delay`` longer.

    Raises:
        ValueError: a negative delay.
    """
    if delay < 0:
        raise ValueError(f"A delay of at least 0 s was expected and {delay} came: an echo follows its sound.")
    n_delay = round(delay * recording.sample_rate)
    signal = np.pad(recording.signal.astype(float), (0, n_delay))
    signal[n_delay:] += gain * recording.signal
    return replace(recording, signal=_within_full_scale(signal))


def _within_full_scale(signal: np.ndarray) -> np.ndarray:
    return signal / max(1.0, np.abs(signal).max(initial=0.0))


def _unchanged(recording: Recording) -> Recording:
    return recording


CONDITIONS: dict[str, Callable[[Recording], Recording]] = {
    "clean": _unchanged,
    "µ-law": through_mu_law,
    "GSM": through_gsm,
    "dishes 10 dB": partial(with_noise, snr_db=10),
    "dishes 5 dB": partial(with_noise, snr_db=5),
    "dishes 0 dB": partial(with_noise, snr_db=0),
}
