"""Who speaks when, or at least whether anyone does (Lecture 2).

Two detectors with one answer each 10 ms: one that compares the level with a noise floor which it follows, and Silero's
network, which has learned from thousands of hours what speech looks like.

Sources: L. R. Rabiner and M. R. Sambur, An algorithm for determining the endpoints of isolated utterances, Bell System
Technical Journal 54 (1975), for levels and thresholds; Silero Team, Silero VAD (2024), for the network.
"""

from functools import lru_cache

import numpy as np

from course.features.transform import HOP_SECONDS, frame_lengths
from course.levels import decibels
from course.sampling import as_signal
from course.spectrum import frames

QUIETEST_DB = -80.0  # the lowest level that is told apart: rounding to 16 bits leaves about this
MARGIN_DB = 9.0  # above the noise floor: speech
RISE_DB_PER_SECOND = 6.0  # as fast as the floor may rise; it falls at once
HANGOVER = 0.2  # seconds for which speech is taken to go on: quiet ends of words, stops
SILERO = {8_000: (256, 32), 16_000: (512, 64)}  # Hz: samples in a chunk, and of the chunk before that go with it


def frame_levels(signal, sample_rate: float) -> np.ndarray:
    """Level of each 25 ms, every 10 ms: ``(1 + n_samples // hop_length,)`` dB relative to full scale, at least -80."""
    win_length, hop_length, _ = frame_lengths(sample_rate)
    power = np.mean(frames(signal, win_length + win_length % 2, hop_length) ** 2, axis=1)
    return np.maximum(decibels(np.sqrt(power)), QUIETEST_DB)


def noise_floor(levels, rise: float = RISE_DB_PER_SECOND * HOP_SECONDS) -> np.ndarray:
    """The level of what never stops: it follows a fall at once and a rise only slowly.

    Args:
        levels: ``(n_frames,)`` dB.
        rise: dB per frame.

    Returns:
        ``(n_frames,)`` dB. The first frames are taken as what the floor starts from, whatever they hold.
    """
    floor, current = np.empty(len(levels)), np.inf
    for t, level in enumerate(levels):
        current = min(level, current + rise)
        floor[t] = current
    return floor


def energy_activity(signal, sample_rate: float, margin_db: float = MARGIN_DB, hangover: float = HANGOVER) -> np.ndarray:
    """Speech is what stands out of the noise floor, and a little longer.

    Args:
        signal: ``(n_samples,)``.
        sample_rate: Hz.
        margin_db: how far above the floor, in dB.
        hangover: seconds for which an answer "speech" is held.

    Returns:
        ``(n_frames,)`` bool, one each 10 ms; frame ``t`` is centred on ``t * 10`` ms. Silence has no speech.

    Raises:
        TypeError, ValueError: no signal, or a sample rate that is none.
    """
    levels = frame_levels(signal, sample_rate)
    return held(levels > noise_floor(levels) + margin_db, hangover)


def held(active, hangover: float = HANGOVER) -> np.ndarray:
    """Every ``True`` goes on for ``hangover`` seconds: ``(n_frames,)`` bool in and out, one each 10 ms."""
    active = np.asarray(active, dtype=bool)
    reach = round(hangover / HOP_SECONDS)
    counts = np.cumsum(np.pad(active, (reach + 1, 0)).astype(int))
    return counts[reach + 1 :] > counts[: active.size]


def silero_probabilities(signal, sample_rate: int) -> np.ndarray:
    """Silero's probability of speech for each 32 ms.

    The network keeps a state from chunk to chunk, so that each answer rests on all that went before and on nothing that
    comes: it can listen to a call that goes on.

    Args:
        signal: ``(n_samples,)``; the last chunk is filled up with zeros.
        sample_rate: 8,000 or 16,000 Hz.

    Returns:
        ``(ceil(n_samples / chunk),)`` float64 in [0, 1].

    Raises:
        TypeError, ValueError: no signal, or a sample rate that the network has not learned.
    """
    signal = as_signal(signal).astype(np.float32)
    if sample_rate not in SILERO:
        raise ValueError(f"Silero was expected to get 8000 or 16000 Hz and {sample_rate} Hz came. Resample first.")
    chunk, context = SILERO[sample_rate]
    n_chunks = -(-signal.size // chunk)
    padded = np.pad(signal, (context, n_chunks * chunk - signal.size))
    state, answers = np.zeros((2, 1, 128), np.float32), np.empty(n_chunks)
    rate = np.array(sample_rate, dtype=np.int64)
    for i in range(n_chunks):
        heard = padded[None, i * chunk : (i + 1) * chunk + context]
        probability, state = _silero().run(None, {"input": heard, "state": state, "sr": rate})
        answers[i] = probability[0, 0]
    return answers


def silero_activity(signal, sample_rate: int, threshold: float = 0.5) -> np.ndarray:
    """Where Silero's probability reaches ``threshold``.

    Args:
        signal, sample_rate: as for :func:`silero_probabilities`.
        threshold: probability.

    Returns:
        ``(n_frames,)`` bool, one each 10 ms, as from :func:`energy_activity`.
    """
    speech = silero_probabilities(signal, sample_rate) >= threshold
    _, hop_length, _ = frame_lengths(sample_rate)
    centres = hop_length * np.arange(1 + as_signal(signal).size // hop_length)
    return speech[np.minimum(centres // SILERO[sample_rate][0], speech.size - 1)]


def segments(active, hop_seconds: float = HOP_SECONDS) -> list[tuple[float, float]]:
    """Start and end, in seconds, of every stretch of speech in ``(n_frames,)`` bool."""
    edges = np.flatnonzero(np.diff(np.pad(np.asarray(active, dtype=np.int8), 1)))
    return [(float(start * hop_seconds), float(end * hop_seconds)) for start, end in edges.reshape(-1, 2)]


def call_with_pauses(signals, sample_rate: float, rng, pause: tuple[float, float] = (0.4, 1.6)):
    """Recordings one after the other with pauses between them, before and after, and where the speech is.

    Args:
        signals: arrays ``(n_samples,)`` that hold speech from their first sample to their last.
        sample_rate: Hz.
        rng: a NumPy random generator.
        pause: shortest and longest pause, seconds.

    Returns:
        The call ``(n_samples,)``, silent in the pauses, and ``(n_frames,)`` bool, one each 10 ms: whether the centre of
        the frame lies in a recording.
    """
    pieces, speech = [], []
    for signal in [*signals, np.zeros(0)]:
        silent = np.zeros(round(rng.uniform(*pause) * sample_rate))
        pieces += [silent, signal]
        speech += [np.zeros(silent.size, bool), np.ones(len(signal), bool)]
    call, inside = np.concatenate(pieces), np.concatenate(speech)
    _, hop_length, _ = frame_lengths(sample_rate)
    return call, np.append(inside, False)[::hop_length][: 1 + call.size // hop_length]


def detection_scores(active, truth) -> dict[str, float]:
    """How well frames of speech are found.

    Args:
        active, truth: ``(n_frames,)`` bool.

    Returns:
        ``missed``, the share of speech called silence; ``false_alarms``, the share of silence called speech (0 where
        there is none of either); and ``f1``, twice the hits over twice the hits plus both kinds of error.

    Raises:
        ValueError: two lengths.
    """
    active, truth = np.asarray(active, dtype=bool), np.asarray(truth, dtype=bool)
    if active.shape != truth.shape:
        raise ValueError(f"Two answers for each frame were expected, and {active.shape} and {truth.shape} came.")
    hits, misses, alarms = np.sum(active & truth), np.sum(~active & truth), np.sum(active & ~truth)
    return {
        "missed": float(misses / max(1, truth.sum())),
        "false_alarms": float(alarms / max(1, np.sum(~truth))),
        "f1": float(2 * hits / max(1, 2 * hits + misses + alarms)),
    }


@lru_cache
def _silero():
    """Silero's network in ONNX Runtime, on one thread: it is small, and threads would cost more than they save."""
    import onnxruntime

    from course.models import MODELS

    path = MODELS.fetch("silero-vad", "silero_vad.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
