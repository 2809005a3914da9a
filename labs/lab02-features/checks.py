"""Hidden checks of Lab 2. They run outside of the student's process, on inputs drawn for each submission.

Frames, transforms, filters and coefficients are held to independent references. Pitch and activity are held to voices
whose truth is known because they are made here: harmonics through resonators, unlike the voices of the lab's own
practice calls, in noises and at levels that those do not have. What is asked is what the docstrings promise.
"""

import numpy as np
import scipy.fft
import scipy.signal

from course.lab.checking import check, covers, expect, latitude, oracle

RATES = (8000, 11025, 16000)  # Hz
SLOW = 20.0  # seconds for a call that may ask a stand-in for every frame
# The first three resonances of seven vowels, Hz.
VOWELS = (
    (730, 1090, 2440),
    (270, 2290, 3010),
    (300, 870, 2240),
    (530, 1840, 2480),
    (570, 840, 2410),
    (660, 1720, 2410),
    (440, 1020, 2240),
)
NOISES = ("white", "pink", "engine", "tones", "band")


# Task 1: frames


@oracle("frames")
def frames(signal, frame_length, hop_length):
    """Sample by sample number: which sample stands where, and silence where there is none."""
    signal = np.asarray(signal, dtype=float)
    if signal.ndim != 1 or frame_length < 1 or hop_length < 1:
        raise ValueError(f"No frames of {frame_length} every {hop_length} can be cut from {signal.shape}.")
    centres = np.arange(0, signal.size + 1, hop_length)
    places = centres[:, np.newaxis] - frame_length // 2 + np.arange(frame_length)
    there = (places >= 0) & (places < signal.size)
    return np.where(there, np.append(signal, 0.0)[np.where(there, places, -1)], 0.0)


@check("frames", hint="Number the samples 1, 2, 3, … and see which of them stand in the middle frames, and where.")
def centres_each_frame(student, rng):
    for frame_length, hop_length in ((200, 80), (256, 64), (8, 3)):
        signal = rng.standard_normal(int(rng.integers(1000, 2000)))
        expect.close(student(signal, frame_length, hop_length), frames(signal, frame_length, hop_length), atol=0)


@check("frames", hint="An odd frame has as many samples before its centre as after it.")
def centres_odd_frames(student, rng):
    for frame_length, hop_length in ((1, 1), (3, 1), (201, 80), (25, 10)):
        signal = rng.standard_normal(int(rng.integers(300, 600)))
        expect.close(student(signal, frame_length, hop_length), frames(signal, frame_length, hop_length), atol=0)


@check("frames", hint="Count the frames where the number of samples is a multiple of the hop, one more and one less.")
def counts_the_frames(student, rng):
    hop_length = int(rng.integers(5, 100))
    for n_samples in (3 * hop_length - 1, 3 * hop_length, 3 * hop_length + 1, hop_length - 1, hop_length):
        signal = rng.standard_normal(n_samples)
        for frame_length in (2, 31, 64, 700):
            expect.close(student(signal, frame_length, hop_length), frames(signal, frame_length, hop_length), atol=0)


@check("frames", hint="Try signals of no sample and of one: there is always a frame around sample 0.")
def frames_the_shortest_signals(student, rng):
    for n_samples in (0, 1, 2):
        signal = rng.standard_normal(n_samples)
        for frame_length, hop_length in ((1, 1), (2, 1), (5, 2), (256, 80)):
            expect.close(student(signal, frame_length, hop_length), frames(signal, frame_length, hop_length), atol=0)


@check("frames", hint="A hop may be longer than a frame: then some samples are in no frame at all.")
def leaves_samples_out(student, rng):
    signal = rng.standard_normal(500)
    for frame_length, hop_length in ((4, 9), (7, 100), (1, 250), (10, 501)):
        expect.close(student(signal, frame_length, hop_length), frames(signal, frame_length, hop_length), atol=0)


@check("frames", hint="Samples may be integers of 16 bits; frames are floating-point numbers.")
def returns_floats(student, rng):
    signal = rng.integers(-32768, 32768, 300).astype(np.int16)
    cut = expect.array(student(signal, 64, 20), (16, 64), dtype="float")
    expect.close(cut, frames(signal, 64, 20), atol=0)


@check("frames", hint="Go through what raises ValueError: two channels, a frame of nothing, a hop that goes nowhere.")
def refuses_what_cannot_be_cut(student, rng):
    signal = rng.standard_normal(100)
    for arguments in (
        (signal, 0, 10),
        (signal, -4, 10),
        (signal, 10, 0),
        (signal, 10, -1),
        (signal.reshape(2, 50), 10, 5),
        (np.zeros((0, 2)), 10, 5),
    ):
        expect.raises(student, ValueError, *arguments)


# Task 2: combine


@oracle("combine")
def combine(parts):
    """Back to the samples by SciPy's inverse transform, dealt together, transformed again."""
    parts = np.asarray(parts, dtype=complex)
    if parts.ndim < 2 or parts.size == 0:
        raise ValueError(f"Parts have the shape (n_parts, ..., m), without a 0; got {parts.shape}.")
    samples = np.moveaxis(scipy.fft.ifft(parts), 0, -1)
    return scipy.fft.fft(samples.reshape(*samples.shape[:-2], -1))


@covers("combine")
def not_a_list_of_lists(parts):
    """The text speaks of arrays."""
    return isinstance(parts, np.ndarray)


def _dealt(rng, n_parts, m, *signals):
    """Transforms of the parts of random complex signals: (n_parts, *signals, m)."""
    samples = rng.standard_normal((2, *signals, n_parts * m))
    samples = samples[0] + 1j * samples[1]
    return np.stack([scipy.fft.fft(samples[..., j::n_parts]) for j in range(n_parts)]), scipy.fft.fft(samples)


@check("combine", hint="Two parts, both halves of the result: the second half has its own factors, with another sign.")
def combines_two_parts(student, rng):
    for m in (1, 2, 3, 8, 100, 513):
        parts, whole = _dealt(rng, 2, m)
        expect.close(student(parts), whole, atol=1e-8)


@check(
    "combine",
    hint="With p parts of m values the factor of part j turns j times as fast as that of part 1, over n = p · m.",
)
def combines_many_parts(student, rng):
    for n_parts, m in ((3, 4), (5, 5), (7, 2), (4, 16), (13, 9)):
        parts, whole = _dealt(rng, n_parts, m)
        expect.close(student(parts), whole, atol=1e-8)


@check("combine", hint="One part alone is the whole; parts of one value each make a transform from its definition.")
def knows_one_part_and_one_value(student, rng):
    parts, whole = _dealt(rng, 1, 12)
    expect.close(student(parts), whole, atol=1e-8)
    parts, whole = _dealt(rng, 11, 1)
    expect.close(student(parts), whole, atol=1e-8)
    expect.close(student(np.array([[3.5]])), [3.5 + 0j], atol=1e-12)


@check("combine", hint="Axes between the first and the last are different signals; each comes out as if it were alone.")
def combines_stacks(student, rng):
    for n_parts, m, signals in ((2, 8, (3,)), (3, 5, (2, 3)), (5, 2, (5,)), (2, 4, (2, 2, 2))):
        parts, whole = _dealt(rng, n_parts, m, *signals)
        expect.close(student(parts), whole, atol=1e-8)


@check("combine", hint="Parts of real numbers, or of integers, are transforms as well; the result is complex.")
def takes_real_parts(student, rng):
    for parts in (rng.standard_normal((2, 6)), rng.integers(-9, 9, (3, 4)), rng.integers(-9, 9, (4, 2, 1))):
        whole = expect.array(student(parts), dtype="complex")
        expect.close(whole, combine(parts), atol=1e-8)


@check("combine", hint="A transform is linear: a mixture of parts gives the mixture of the results.")
def combines_linearly(student, rng):
    (one, _), (two, _) = _dealt(rng, 6, 7), _dealt(rng, 6, 7)
    apart = expect.array(student(one), (42,)) * 2 - expect.array(student(two), (42,)) * 1j
    expect.close(student(2 * one - 1j * two), apart, atol=1e-7)


@check(
    "combine",
    hint="Two parts of 131,072 values take too long or too much memory: one product per value and part is "
    "enough. A matrix of all n times n factors, or a sum over all samples for each k, costs as much as having no FFT.",
)
def combines_long_parts_in_time(student, rng):
    parts, whole = _dealt(rng, 2, 131_072)
    expect.close(student(parts, seconds=4.0), whole, atol=1e-6)


@check("combine", hint="Raise ValueError for a single axis, for no parts, and for parts without values.")
def refuses_what_is_no_part(student, rng):
    for shape in ((6,), (0, 4), (2, 0), (3, 0, 5), ()):
        expect.raises(student, ValueError, rng.standard_normal(shape) + 0j)


# Task 3: power_spectrogram


@oracle("power_spectrogram")
def power_spectrogram(signal, n_fft, hop_length):
    """SciPy's window and transform on frames cut by sample number."""
    if n_fft < 2 or n_fft % 2:
        raise ValueError(f"A frame has an even number of samples, 2 or more; got {n_fft}.")
    window = scipy.signal.windows.hann(n_fft, sym=False)
    spectra = scipy.fft.rfft(frames(signal, n_fft, hop_length) * window, axis=1)
    return spectra.real**2 + spectra.imag**2


def _relative(got, want, tolerance=1e-9):
    """Equal within a share of the largest wanted value."""
    expect.close(got, want, atol=tolerance * max(float(np.max(want, initial=0.0)), 1e-300))


@check(
    "power_spectrogram", hint="Compare with the definition: window, transform, squared magnitude, for a single frame."
)
def equals_the_definition(student, rng):
    for n_fft, hop_length in ((256, 80), (200, 50), (64, 64), (30, 7)):
        signal = rng.standard_normal(int(rng.integers(600, 1500)))
        _relative(student(signal, n_fft, hop_length), power_spectrogram(signal, n_fft, hop_length))


@check("power_spectrogram", hint="The periodic window is longer by a zero than it looks: its peak is at n_fft / 2.")
def uses_the_periodic_window(student, rng):
    for n_fft in (4, 8, 12):
        signal = np.full(50, rng.uniform(0.5, 2))
        _relative(student(signal, n_fft, 5), power_spectrogram(signal, n_fft, 5))


@check(
    "power_spectrogram", hint="Parseval: in each frame the power over all n_fft frequencies is n_fft times its energy."
)
def keeps_the_energy(student, rng):
    signal, n_fft = rng.standard_normal(700), 128
    power = expect.array(student(signal, n_fft, 100), (8, 65), dtype="float")
    energy = np.sum((frames(signal, n_fft, 100) * scipy.signal.windows.hann(n_fft, sym=False)) ** 2, axis=1)
    expect.close(power[:, 0] + power[:, -1] + 2 * power[:, 1:-1].sum(axis=1), n_fft * energy, rtol=1e-9, atol=0)


@check("power_spectrogram", hint="Three times the amplitude is nine times the power, at every frequency.")
def grows_with_the_square(student, rng):
    signal = rng.standard_normal(400)
    base = expect.array(student(signal, 64, 32), (13, 33))
    for gain in (-3.0, 1e-3, 1e4):
        _relative(student(gain * signal, 64, 32), gain**2 * base)


@check("power_spectrogram", hint="Try signals of no sample, of one, and shorter than a frame, integers, and n_fft = 2.")
def knows_short_signals(student, rng):
    for n_samples in (0, 1, 50, 79, 80):
        signal = rng.standard_normal(n_samples)
        _relative(student(signal, 256, 80), power_spectrogram(signal, 256, 80))
    signal = rng.integers(-32768, 32768, 500).astype(np.int16)
    _relative(student(signal, 128, 64), power_spectrogram(signal, 128, 64))
    _relative(student(signal, 2, 100), power_spectrogram(signal, 2, 100))


@check(
    "power_spectrogram",
    hint="Raise ValueError for odd frame lengths, for lengths below 2, for no hop, for two channels.",
)
def refuses_odd_frames(student, rng):
    signal = rng.standard_normal(300)
    for arguments in (
        (signal, 255, 80),
        (signal, 1, 80),
        (signal, 0, 80),
        (signal, -2, 80),
        (signal, 256, 0),
        (signal.reshape(2, 150), 64, 10),
    ):
        expect.raises(student, ValueError, *arguments)


# Task 4: mel_filters


@oracle("mel_filters")
def mel_filters(n_filters, n_fft, sample_rate, low, high):
    """Each triangle by interpolation between its three corners; corners by the inverse of the formula, one by one."""
    if not 0 <= low < high <= sample_rate / 2 or n_filters < 1:
        raise ValueError(f"{n_filters} filters from {low} to {high} Hz at {sample_rate} Hz: that does not fit.")
    lowest, highest = (np.log1p(edge / 700) for edge in (low, high))  # mel / 1127; the factor cancels out
    step = (highest - lowest) / (n_filters + 1)
    corners = [700 * np.expm1(lowest + index * step) for index in range(n_filters + 2)]
    bins = scipy.fft.rfftfreq(n_fft, 1 / sample_rate)
    rows = [np.interp(bins, corners[index : index + 3], [0, 1, 0], left=0, right=0) for index in range(n_filters)]
    if not all(np.any(row > 0) for row in rows):
        raise ValueError(f"Bins of {sample_rate / n_fft} Hz are too wide for {n_filters} filters.")
    return np.stack(rows)


@covers("mel_filters")
def has_an_even_frame(n_filters, n_fft, sample_rate, low, high):
    """The text speaks of an even n_fft of 2 or more and a positive rate, and of whole numbers of filters."""
    known = isinstance(n_filters, int) and isinstance(n_fft, int) and not isinstance(n_filters, bool)
    return known and n_fft >= 2 and n_fft % 2 == 0 and sample_rate > 0


BANKS = (
    (24, 256, 8000, 0.0, 4000.0),
    (20, 512, 16000, 100.0, 7200.0),
    (40, 1024, 16000, 20.0, 8000.0),
    (13, 400, 11025, 133.3, 5000.0),
)


@check("mel_filters", hint="Compute the corners of a small bank by hand: evenly spaced in mel, both ends included.")
def has_the_triangles(student, rng):
    for bank in BANKS:
        expect.close(student(*bank), mel_filters(*bank), atol=1e-9)


@check("mel_filters", hint="The edges may lie anywhere, also between bins: corners are not rounded to bins.")
def puts_corners_anywhere(student, rng):
    for _ in range(4):
        rate = int(rng.choice(RATES))
        bank = (int(rng.integers(5, 20)), 512, rate, float(rng.uniform(0, 400)), float(rng.uniform(2500, rate / 2)))
        expect.close(student(*bank), mel_filters(*bank), atol=1e-9)


@check("mel_filters", hint="Neighbouring triangles add up to one between the first top and the last.")
def adds_up_to_one(student, rng):
    weights = expect.array(student(10, 2048, 8000, 200.0, 3600.0), (10, 1025), dtype="float")
    expect.true((weights >= 0) & (weights <= 1 + 1e-12))
    tops = np.argmax(weights, axis=1)
    expect.close(weights.sum(axis=0)[tops[0] + 1 : tops[-1]], np.ones(tops[-1] - tops[0] - 1), atol=1e-9)


@check("mel_filters", hint="A single filter has three corners, and is 0 outside of its first and last one.")
def builds_a_single_filter(student, rng):
    low = float(rng.uniform(0, 900))
    for bank in ((1, 512, 8000, low, low + 900), (1, 64, 8000, 0.0, 4000.0), (2, 64, 16000, 1000.0, 8000.0)):
        expect.close(student(*bank), mel_filters(*bank), atol=1e-9)


@check("mel_filters", hint="Another sample rate moves the bins and leaves the corners where they are, in hertz.")
def keeps_corners_at_any_rate(student, rng):
    for rate in (*RATES, 44100, 5000):
        for bank in ((12, 1024, rate, 150.0, 2400.0), (9, 512, rate, 0.0, rate / 2)):
            expect.close(student(*bank), mel_filters(*bank), atol=1e-9)


@check("mel_filters", hint="Go through the docstring: edges in order, inside 0 to half the rate, one filter or more.")
def refuses_impossible_edges(student, rng):
    for bank in (
        (10, 256, 8000, -1.0, 4000.0),
        (10, 256, 8000, 100.0, 4001.0),
        (10, 256, 8000, 2000.0, 2000.0),
        (10, 256, 8000, 2000.0, 1000.0),
        (0, 256, 8000, 100.0, 4000.0),
        (-3, 256, 8000, 100.0, 4000.0),
    ):
        expect.raises(student, ValueError, *bank)


@check(
    "mel_filters", hint="Ask for so many filters that one of them, not all, holds no bin: it is deaf and to be refused."
)
def refuses_deaf_filters(student, rng):
    for bank in ((60, 128, 8000, 0.0, 4000.0), (60, 256, 16000, 0.0, 8000.0), (1, 16, 8000, 510.0, 980.0)):
        expect.raises(student, ValueError, *bank)


# Task 5: mfcc


@oracle("mfcc")
def mfcc(power, filters, n_coefficients):
    """SciPy's cosine transform of the logarithms of sums."""
    power, filters = np.asarray(power, dtype=float), np.asarray(filters, dtype=float)
    if power.ndim != 2 or filters.ndim != 2 or power.shape[1] != filters.shape[1]:
        raise ValueError(f"Expected (n_frames, n_bins) and (n_filters, n_bins); got {power.shape}, {filters.shape}.")
    if not 1 <= n_coefficients <= len(filters):
        raise ValueError(f"{len(filters)} bands do not have {n_coefficients} coefficients.")
    bands = np.einsum("tk,mk->tm", power, filters)
    return scipy.fft.dct(np.log(np.clip(bands, 1e-8, None)), type=2, axis=1, norm="ortho")[:, :n_coefficients]


@covers("mfcc")
def has_powers(power, filters, n_coefficients):
    """A power and a weight are 0 or more, and both are arrays of finite numbers."""
    arrays = isinstance(power, np.ndarray) and isinstance(filters, np.ndarray)
    return arrays and bool(np.all(power >= 0) and np.all(filters >= 0) and np.isfinite(power).all())


def _speech_like(rng, n_frames, n_bins):
    """Powers over many orders of magnitude."""
    return 10.0 ** rng.uniform(-7, 3, (n_frames, n_bins))


@check("mfcc", hint="Step by step: weighted sums, natural logarithm, cosine transform over the bands.")
def equals_the_reference(student, rng):
    for n_coefficients in (1, 2, 13, 24):
        power, bank = _speech_like(rng, 9, 129), mel_filters(24, 256, 8000, 0.0, 4000.0)
        expect.close(student(power, bank, n_coefficients), mfcc(power, bank, n_coefficients), atol=1e-8)


@check("mfcc", hint="Any filters will do, not only triangles, and any number of them: also a single band.")
def takes_any_filters(student, rng):
    for n_filters, n_bins in ((1, 5), (3, 3), (7, 20), (50, 11)):
        power, bank = _speech_like(rng, 4, n_bins), rng.uniform(0, 1, (n_filters, n_bins))
        expect.close(student(power, bank, n_filters), mfcc(power, bank, n_filters), atol=1e-8)


@check(
    "mfcc", hint="An orthonormal transform keeps lengths: the squares of all coefficients add up to those of the logs."
)
def keeps_lengths(student, rng):
    power, bank = _speech_like(rng, 6, 16), np.eye(16)
    coefficients = expect.array(student(power, bank, 16), (6, 16), dtype="float")
    expect.close(np.sum(coefficients**2, axis=1), np.sum(np.log(np.maximum(power, 1e-8)) ** 2, axis=1), rtol=1e-9)


@check("mfcc", hint="A louder recording differs in coefficient 0 and in no other.")
def puts_loudness_first(student, rng):
    power, bank = rng.uniform(0.1, 5, (5, 33)), mel_filters(10, 64, 8000, 0.0, 4000.0)
    once, louder = (expect.array(student(gain * power, bank, 6), (5, 6)) for gain in (1.0, 100.0))
    want = np.zeros((5, 6))
    want[:, 0] = np.sqrt(10) * np.log(100)
    expect.close(louder - once, want, atol=1e-8)


@check(
    "mfcc", hint="The floor is put under each band's sum, right before the logarithm; what is above it stays as it is."
)
def has_a_floor(student, rng):
    power = np.vstack([np.zeros(12), 10.0 ** rng.uniform(-12, -6, (5, 12)), np.full(12, 0.4e-8)])
    bank = np.kron(np.eye(4), np.ones(3))
    expect.close(student(power, bank, 4), mfcc(power, bank, 4), atol=1e-8)


@check("mfcc", hint="A recording may have a single frame, or none at all: then there are no rows, and no error.")
def takes_any_number_of_frames(student, rng):
    bank = mel_filters(10, 64, 8000, 0.0, 4000.0)
    for n_frames in (0, 1, 2):
        power = _speech_like(rng, n_frames, 33)
        expect.close(student(power, bank, 5), mfcc(power, bank, 5), atol=1e-8)


@check("mfcc", hint="Raise ValueError where shapes do not fit together, and for no coefficients or more than bands.")
def refuses_what_does_not_fit(student, rng):
    power, bank = _speech_like(rng, 4, 20), rng.uniform(0, 1, (6, 20))
    for arguments in (
        (power, bank, 0),
        (power, bank, 7),
        (power, bank, -1),
        (power[:, :19], bank, 3),
        (power[0], bank, 3),
        (power, bank[0], 1),
        (power[np.newaxis], bank, 3),
        (power, bank[np.newaxis], 1),
    ):
        expect.raises(student, ValueError, *arguments)


# Task 6: difference


@oracle("difference")
def difference(frames, max_lag):
    """SciPy's correlation of what is left of a frame's mean, in which rounding is smaller."""
    frames = np.asarray(frames, dtype=float)
    n = frames.shape[-1] if frames.ndim else 0
    if not 0 <= max_lag < n:
        raise ValueError(f"{n} samples have lags of 0 to {n - 1}, not {max_lag}.")
    frames = frames - frames.mean(axis=-1, keepdims=True)
    turned = frames[..., : n - max_lag][..., ::-1]
    products = scipy.signal.fftconvolve(frames, turned, mode="valid", axes=-1)
    squares = np.cumsum(np.concatenate([np.zeros_like(frames[..., :1]), frames**2], axis=-1), axis=-1)
    energy = squares[..., n - max_lag :] - squares[..., : max_lag + 1]
    return np.clip(energy[..., :1] + energy - 2 * products, 0, None)


@latitude("difference")
def within_rounding(arguments, reference, given):
    """A millionth of the sum of squares of each frame is as near as the text asks, and nothing negative."""
    if np.shape(given) != np.shape(reference) or np.asarray(given).dtype.kind != "f":
        return False
    energy = np.sum(np.asarray(arguments[0], dtype=float) ** 2, axis=-1, keepdims=True)
    return bool(np.all(np.abs(given - reference) <= 1e-6 * energy)) and bool(np.all(given >= 0))


@covers("difference")
def has_finite_frames(frames, max_lag):
    """Frames are arrays of finite numbers, one or more frames, and a lag is a whole number of samples."""
    known = isinstance(frames, np.ndarray) and isinstance(max_lag, int)
    return known and (frames.size > 0 or frames.ndim == 1) and bool(np.isfinite(frames).all())


def _as_defined(frame, max_lag):
    """The definition, in the whole numbers or floats of the frame, one lag after the other."""
    width = len(frame) - max_lag
    return np.array(
        [np.sum((frame[:width] - frame[lag : lag + width]) ** 2) for lag in range(max_lag + 1)], dtype=float
    )


def _expect_difference(got, frame, max_lag):
    """Within a millionth of the frame's energy of the definition, and never negative."""
    expect.close(got, _as_defined(frame, max_lag), atol=1e-6 * float(np.sum(frame**2)))
    expect.true(np.asarray(got) >= 0, "A sum of squares is never negative, not even by rounding.")


@check("difference", hint="Compare with the definition, written as two loops, on a dozen random numbers.")
def equals_its_definition(student, rng):
    for n_samples, max_lag in ((12, 5), (100, 30), (333, 200), (400, 133), (64, 32)):
        frame = rng.standard_normal(n_samples)
        _expect_difference(student(frame, max_lag), frame, max_lag)


@check("difference", hint="Every lag compares the same number of samples, also where the frame begins or ends loudly.")
def compares_the_same_samples(student, rng):
    for swell in (np.linspace(0, 1, 200) ** 4, np.linspace(1, 0, 200) ** 4):
        frame = swell * rng.standard_normal(200)
        for max_lag in (20, 150, 190):
            _expect_difference(student(frame, max_lag), frame, max_lag)


@check(
    "difference", hint="A constant far from 0 is no difference at all: use double precision, in the running total too."
)
def is_zero_at_the_period(student, rng):
    for period in (16, 25, 37):
        frame = np.tile(rng.standard_normal(period), 12) + rng.uniform(-3, 3)
        curve = expect.array(student(frame, 4 * period), (4 * period + 1,), dtype="float")
        _expect_difference(curve, frame, 4 * period)
        expect.true(np.argmin(curve[1 : period + 5]) == period - 1)


@check("difference", hint="Try no lag at all, the longest one, and a frame of a single sample.")
def knows_the_longest_lag(student, rng):
    frame = rng.standard_normal(50)
    for max_lag in (0, 1, 48, 49):
        _expect_difference(student(frame, max_lag), frame, max_lag)
    expect.close(student(np.array([2.5]), 0), [0.0], atol=1e-5)


@check(
    "difference", hint="A stack of frames has one curve for each frame, along the last axis, each as if it were alone."
)
def takes_stacks(student, rng):
    stack = rng.standard_normal((2, 3, 90)) * np.array([1e-3, 1.0, 100.0])[:, np.newaxis]
    curves = expect.array(student(stack, 40), (2, 3, 41), dtype="float")
    for place in np.ndindex(2, 3):
        _expect_difference(curves[place], stack[place], 40)


@check(
    "difference", hint="Squares of 16-bit samples do not fit into 16 bits; and silence differs from itself by nothing."
)
def takes_integers_and_silence(student, rng):
    samples = rng.integers(-32768, 32768, 120).astype(np.int16)
    _expect_difference(student(samples, 60), samples.astype(float), 60)
    expect.close(student(np.zeros(80), 30), np.zeros(31), atol=0)


@check(
    "difference",
    hint="Half a million samples take too long: n · max_lag products are 10^11. The correlation of two signals is a "
    "product of their transforms, and a sum over a moving stretch is a difference of two running totals.",
)
def keeps_up_with_long_signals(student, rng):
    n_samples, max_lag = 2**19 + 3, 2**18
    signal = rng.standard_normal(n_samples) + 0.5 * np.sin(np.arange(n_samples) / 50)
    curve = expect.array(student(signal, max_lag, seconds=4.0), (max_lag + 1,), dtype="float")
    width = n_samples - max_lag
    for lag in (0, 1, 4711, 100_000, max_lag):
        want = np.sum((signal[:width] - signal[lag : lag + width]) ** 2)
        expect.close(curve[lag], want, atol=1e-6 * float(np.sum(signal**2)))


@check(
    "difference", hint="Raise ValueError for a lag below 0, for one as long as the frame, and for frames of nothing."
)
def refuses_lags_that_do_not_fit(student, rng):
    frame = rng.standard_normal(30)
    for arguments in (
        (frame, -1),
        (frame, 30),
        (frame, 31),
        (frame[:0], 0),
        (frame.reshape(3, 10), 10),
        (np.array(1.0), 0),
    ):
        expect.raises(student, ValueError, *arguments)


# Voices and noises for Tasks 7 and 8


def _faded(n_samples, sample_rate):
    """A weight that rises and falls within 15 ms at either end."""
    ramp = min(n_samples // 2, int(0.015 * sample_rate))
    envelope = np.ones(n_samples)
    envelope[:ramp] = np.sin(np.linspace(0, np.pi / 2, ramp)) ** 2
    envelope[n_samples - ramp :] = envelope[:ramp][::-1]
    return envelope


def _vowel(rng, height, sample_rate):
    """A vowel of 0.15 to 0.3 s and its pitch at each sample: all harmonics alike, through three resonators."""
    time = np.arange(round(rng.uniform(0.15, 0.3) * sample_rate)) / sample_rate
    drift, wobble = rng.uniform(-0.12, 0.12) * time / time[-1], 0.01 * np.sin(31 * time + rng.uniform(0, 6))
    pitch = height * rng.uniform(0.92, 1.08) * (1 + drift + wobble)
    turns = 2 * np.pi * np.cumsum(pitch) / sample_rate
    sound = sum(np.cos(k * turns) / k**0.8 for k in range(1, int(0.48 * sample_rate / pitch.max()) + 1))
    for resonance in VOWELS[rng.integers(len(VOWELS))]:
        radius = np.exp(-np.pi * (60 + 0.05 * resonance) / sample_rate)
        poles = [1, -2 * radius * np.cos(2 * np.pi * resonance / sample_rate), radius**2]
        sound = scipy.signal.lfilter([sum(poles)], poles, sound)
    return rng.uniform(0.7, 1.2) * sound / sound.std() * _faded(time.size, sample_rate), pitch


def _fricative(rng, sample_rate):
    """60 to 120 ms of noise above 1.5 to 2.5 kHz."""
    sound = rng.standard_normal(round(rng.uniform(0.06, 0.12) * sample_rate))
    sections = scipy.signal.butter(2, rng.uniform(1500, 2500), "highpass", fs=sample_rate, output="sos")
    sound = scipy.signal.sosfilt(sections, sound)
    return rng.uniform(0.35, 0.6) * sound / sound.std() * _faded(sound.size, sample_rate)


def _utterance(rng, sample_rate, height=None, n_words=3):
    """Words of one to three syllables between pauses: signal, pitch (nan without voice), whether it is speech."""
    height = height or rng.uniform(85, 280)

    def pause():
        n_samples = round(rng.uniform(0.25, 0.55) * sample_rate)
        return np.zeros(n_samples), np.full(n_samples, np.nan), np.zeros(n_samples, dtype=bool)

    parts = [pause()]
    for _ in range(n_words):
        for _ in range(rng.integers(1, 4)):
            if rng.random() < 0.5:
                sound = _fricative(rng, sample_rate)
                parts.append((sound, np.full(sound.size, np.nan), np.ones(sound.size, dtype=bool)))
            sound, pitch = _vowel(rng, height, sample_rate)
            parts.append((sound, pitch, np.ones(sound.size, dtype=bool)))
        parts.append(pause())
    signal, pitch, active = (np.concatenate(track) for track in zip(*parts, strict=True))
    return 0.1 * signal, pitch, active


def _noise(rng, n_samples, sample_rate, kind):
    """Noise of power 1 whose level drifts by less than 3 dB."""
    white = rng.standard_normal(n_samples)
    frequency = scipy.fft.rfftfreq(n_samples, 1 / sample_rate)
    if kind == "pink":
        noise = scipy.fft.irfft(scipy.fft.rfft(white) / np.sqrt(np.maximum(frequency, 30)), n_samples)
    elif kind == "engine":
        noise = scipy.fft.irfft(scipy.fft.rfft(white) / np.maximum(frequency, 60), n_samples)
    elif kind == "tones":
        time = np.arange(n_samples) / sample_rate
        tones = rng.uniform([200, 1000, 2000], [800, 1800, 3000])  # so far apart that they do not beat
        noise = 0.3 * white + sum(np.cos(2 * np.pi * tone * time) for tone in tones)
    elif kind == "band":
        low = rng.uniform(300, 1500)
        sections = scipy.signal.butter(2, [low, 2 * low], "bandpass", fs=sample_rate, output="sos")
        noise = scipy.signal.sosfilt(sections, white) + 0.05 * white
    else:
        noise = white
    drift = np.interp(np.arange(n_samples), np.linspace(0, n_samples, 5), rng.uniform(-1.4, 1.4, 5))
    noise = noise * 10 ** (drift / 20)
    return noise / noise.std()


def _in_noise(rng, signal, active, sample_rate, snr, kind):
    """The signal with noise ``snr`` dB below the power of its speech."""
    power = np.mean(signal[active] ** 2)
    return signal + _noise(rng, signal.size, sample_rate, kind) * np.sqrt(power) * 10 ** (-snr / 20)


def _at_frames(track, sample_rate):
    """A 0/1 track at each frame's centre, and whether it stays so for 30 ms on either side."""
    hop, reach = round(0.01 * sample_rate), round(0.03 * sample_rate)
    n_frames = 1 + track.size // hop
    centres = np.minimum(np.arange(n_frames) * hop, track.size - 1)
    ones = np.concatenate([[0], np.cumsum(track)])
    first, last = np.maximum(centres - reach, 0), np.minimum(centres + reach + 1, track.size)
    count = ones[last] - ones[first]
    return track[centres], (count == 0) | (count == last - first)


# Task 7: pitch_track


@oracle("pitch_track")
def pitch_track(signal, sample_rate):
    """Autocorrelation of frames without their mean, made up for the window (Boersma's way), best early peak."""
    if np.ndim(signal) != 1 or not 8000 <= sample_rate <= 16000:
        raise ValueError(f"A track needs one channel at 8000 to 16000 Hz, not {np.shape(signal)} at {sample_rate} Hz.")
    length, hop = round(0.045 * sample_rate) // 2 * 2, round(0.01 * sample_rate)
    window = scipy.signal.windows.hann(length, sym=False)
    cut = frames(signal, length, hop)
    cut = (cut - cut.mean(axis=1, keepdims=True)) * window
    power = np.abs(scipy.fft.rfft(cut, 2 * length)) ** 2
    shape = scipy.fft.irfft(np.abs(scipy.fft.rfft(window, 2 * length)) ** 2)
    lags = np.arange(int(sample_rate / 400), int(sample_rate / 62) + 1)
    alike = scipy.fft.irfft(power)
    alike = alike[:, lags] / (alike[:, :1] + 1e-30) / (shape[lags] / shape[0])
    best = alike.max(axis=1)
    pitch = np.full(len(cut), np.nan)
    for t in np.flatnonzero(best > 0.6):
        early = np.argmax(alike[t] > 0.85 * best[t])
        early += np.argmax(alike[t, early : early + lags[0]])
        pitch[t] = sample_rate / lags[early]
    return pitch


@latitude("pitch_track")
def tracks_alike(arguments, reference, given):
    """The same frames but for one in five, and in nine of ten of them the same pitch to a tenth."""
    if np.shape(given) != np.shape(reference) or np.asarray(given).dtype.kind != "f":
        return False
    here, there = ~np.isnan(given), ~np.isnan(reference)
    both = here & there
    alike = np.abs(given[both] / reference[both] - 1) < 0.1
    return bool(np.mean(here != there) <= 0.2) and (alike.size == 0 or bool(np.mean(alike) >= 0.9))


@covers("pitch_track")
def holds_a_voice(signal, sample_rate):
    """What is to be refused, silence, and signals of finite numbers that last long enough for a share of frames."""
    if np.ndim(signal) != 1 or not 8000 <= sample_rate <= 16000:
        return True
    return bool(np.isfinite(signal).all()) and (len(signal) > sample_rate or not np.any(signal))


def _track(student, signal, sample_rate):
    """The student's track, with one value a frame, each a frequency or nan."""
    n_frames = 1 + signal.size // round(0.01 * sample_rate)
    hint = "There is one number for each frame, 1 + n_samples // hop_length of them, in hertz or nan."
    track = expect.array(
        student(signal, sample_rate, seconds=SLOW), (n_frames,), dtype="float", finite=False, hint=hint
    )
    expect.true(np.isnan(track) | ((track > 0) & np.isfinite(track)), hint)
    return track


def _expect_pitch(student, voices, sample_rate):
    """What the docstring promises, over all frames of some voices: (signal, pitch at each sample)."""
    found, true, silent = [], [], []
    for signal, pitch in voices:
        track = _track(student, signal, sample_rate)
        voiced, sure = _at_frames(~np.isnan(pitch), sample_rate)
        centres = np.minimum(np.arange(track.size) * round(0.01 * sample_rate), pitch.size - 1)
        found.append(track[voiced & sure])
        true.append(pitch[centres][voiced & sure])
        silent.append(track[~voiced & sure])
    found, true, silent = np.concatenate(found), np.concatenate(true), np.concatenate(silent)
    there = ~np.isnan(found)
    expect.true(np.mean(there) >= 0.9, "More than a tenth of the frames with a steady voice got no pitch.")
    error = np.abs(found[there] / true[there] - 1)
    if np.mean(error > 0.2) > 0.05:
        low = np.mean(found[there] < true[there]) > 0.5
        expect.true(False, f"Gross errors in more than 5 % of the frames, most of them too {'low' if low else 'high'}.")
    expect.true(np.median(error) <= 0.02, "Most frames are off by more than 2 %: is the lag off by one?")
    expect.true(np.mean(~np.isnan(silent)) <= 0.1, "Of the frames without voice more than a tenth got a pitch.")


def _telephone(signal, sample_rate):
    sections = scipy.signal.butter(4, [300, 3400], "bandpass", fs=sample_rate, output="sos")
    return scipy.signal.sosfiltfilt(sections, signal)


def _voices(rng, sample_rate, heights, telephone=False):
    """Utterances of two words in faint noise at these heights, Hz, with their pitch."""
    for height in heights:
        signal, pitch, active = _utterance(rng, sample_rate, height, n_words=2)
        signal = _telephone(signal, sample_rate) if telephone else signal
        yield _in_noise(rng, signal, active, sample_rate, 20, "white"), pitch


@check(
    "pitch_track", hint="On clear voices between 80 and 300 Hz the track is off, missing, or there where nobody speaks."
)
def follows_unseen_voices(student, rng):
    _expect_pitch(student, _voices(rng, 8000, rng.uniform([85, 130, 180, 240], [120, 170, 230, 300])), 8000)


@check(
    "pitch_track",
    hint="Through a telephone the fundamental is gone; the period is still there, in all harmonics together.",
)
def hears_missing_fundamentals(student, rng):
    _expect_pitch(student, _voices(rng, 8000, rng.uniform([85, 110, 140, 200], [105, 130, 180, 260]), True), 8000)


@check(
    "pitch_track", hint="At other sample rates a hundredth of a second, and a period, have another number of samples."
)
def follows_at_any_rate(student, rng):
    for rate in (11025, 16000):
        _expect_pitch(student, _voices(rng, rate, rng.uniform([95, 190], [130, 250])), rate)


@check(
    "pitch_track",
    hint="The range goes from 70 to 350 Hz: try its ends. A dip has a neighbour on either side: look some lags beyond "
    "both ends of the range, at 8 and at 16 kHz.",
)
def reaches_both_ends(student, rng):
    for rate in (8000, 16000):
        time = np.arange(rate) / rate
        for height in (70.0, 350.0, rng.uniform(70, 80), rng.uniform(320, 350)):
            turns = 2 * np.pi * height * time + rng.uniform(0, 6)
            buzz = sum(np.cos(k * turns + k * k) / k for k in range(1, int(3500 / height)))
            track = _track(student, 0.02 * buzz, rate)[8:-8]
            expect.close(track, np.full(track.size, height), rtol=0.03, atol=0)


@check("pitch_track", hint="Turn the volume down to a thousandth or up a thousandfold: the pitch stays the same.")
def ignores_the_level(student, rng):
    ((signal, _),) = _voices(rng, 8000, [rng.uniform(100, 200)])
    base = _track(student, signal, 8000)
    for gain in (1e-3, 1e3):
        track = _track(student, gain * signal, 8000)
        expect.true(np.mean(np.isnan(track) != np.isnan(base)) <= 0.05)
        both = ~np.isnan(track) & ~np.isnan(base)
        expect.close(track[both], base[both], rtol=0.02, atol=0)


@check(
    "pitch_track",
    hint="Hiss has no period: of white noise, loud or faint, hardly a frame gets a pitch; of silence none.",
)
def hears_no_pitch_in_noise(student, rng):
    for level in (1.0, 1e-3):
        track = _track(student, level * rng.standard_normal(8000), 8000)
        expect.true(np.mean(~np.isnan(track)) <= 0.1)
    for rate in (8000, 16000):
        expect.true(np.isnan(_track(student, np.zeros(rate), rate)))


@check(
    "pitch_track", hint="A recording may have no samples, or fewer than a frame: the track has its length all the same."
)
def tracks_short_recordings(student, rng):
    for n_samples in (0, 1, 79, 80, 200):
        _track(student, 0.1 * rng.standard_normal(n_samples), 8000)


@check("pitch_track", hint="Refuse sample rates outside of 8000 to 16000 Hz, and several channels, by a ValueError.")
def refuses_other_rates(student, rng):
    signal = 0.1 * rng.standard_normal(4000)
    for arguments in ((signal, 7999), (signal, 16001), (signal, 0), (signal, -8000), (signal.reshape(2, 2000), 8000)):
        expect.raises(student, ValueError, *arguments)


# Task 8: speech_activity


@oracle("speech_activity")
def speech_activity(signal, sample_rate):
    """SciPy's spectrogram in third-octave-like bands, each against the median of its quietest third, in decibels."""
    if np.ndim(signal) != 1 or not 8000 <= sample_rate <= 16000:
        raise ValueError(f"One channel at 8000 to 16000 Hz is needed, not {np.shape(signal)} at {sample_rate} Hz.")
    hop = round(0.01 * sample_rate)
    power = power_spectrogram(signal, 4 * hop, hop)
    edges = np.round(np.geomspace(150, 0.45 * sample_rate, 17) * 4 * hop / sample_rate).astype(int)
    bands = np.stack(
        [power[:, low : max(high, low + 1)].sum(axis=1) for low, high in zip(edges, edges[1:], strict=False)], axis=1
    )
    weights = scipy.signal.windows.hann(11)[:, np.newaxis]
    bands = scipy.signal.fftconvolve(
        np.pad(bands, ((5, 5), (0, 0)), mode="edge"), weights / weights.sum(), "valid", axes=0
    )
    bands = np.maximum(bands, 0)
    level = 10 * np.log10(bands + 1e-9 * bands.max() + 1e-25)
    above = level - np.quantile(level, 0.15, axis=0)
    return np.sort(above, axis=1)[:, -5:].mean(axis=1) > 5.5


@latitude("speech_activity")
def decides_alike(arguments, reference, given):
    """The same in at least seven of eight frames; in silence in all."""
    if np.shape(given) != np.shape(reference) or np.asarray(given).dtype.kind != "b":
        return False
    return bool(np.mean(given != reference) <= (0.125 if np.any(arguments[0]) else 0))


@covers("speech_activity")
def is_long_enough(signal, sample_rate):
    """What is to be refused, silence, and finite signals of 2 s or more."""
    if np.ndim(signal) != 1 or not 8000 <= sample_rate <= 16000:
        return True
    return bool(np.isfinite(signal).all()) and (len(signal) >= 2 * sample_rate or not np.any(signal))


def _decisions(student, signal, sample_rate):
    """The student's decisions, one for each frame."""
    hint = (
        "There is one bool for each frame, 1 + n_samples // hop_length of them, also of a signal of 0 or 100 samples, "
        "which is shorter than any smoothing."
    )
    n_frames = 1 + signal.size // round(0.01 * sample_rate)
    return expect.array(student(signal, sample_rate, seconds=SLOW), (n_frames,), dtype="bool", hint=hint)


def _expect_speech(student, calls, sample_rate):
    """F1 over all frames of some calls: (signal, whether it is speech at each sample)."""
    right = missed = false = 0
    for signal, active in calls:
        found = _decisions(student, signal, sample_rate)
        speech, sure = _at_frames(active, sample_rate)
        right += np.sum(sure & speech & found)
        missed += np.sum(sure & speech & ~found)
        false += np.sum(sure & ~speech & found)
    if 2 * right < 0.85 * (2 * right + missed + false):
        what = "speech that you miss" if missed > false else "pauses that you take for speech"
        expect.true(False, f"F1 is below 0.85 on calls in noise of another kind, because of {what}.")


def _calls(rng, sample_rate, kinds, snr, gain=1.0):
    """Calls in these kinds of noise, ``snr`` dB below the speech."""
    for kind in kinds:
        signal, _, active = _utterance(rng, sample_rate)
        yield gain * _in_noise(rng, signal, active, sample_rate, snr, kind), active


@check(
    "speech_activity",
    hint="At an SNR between those of the practice calls and in noise of other colours F1 is below 0.85.",
)
def finds_speech_in_moderate_noise(student, rng):
    _expect_speech(student, _calls(rng, 8000, NOISES, float(rng.uniform(11, 18))), 8000)


@check("speech_activity", hint="At 6 to 8 dB F1 is below 0.85: smooth over frames, and look where speech rises most.")
def finds_speech_in_loud_noise(student, rng):
    _expect_speech(student, _calls(rng, 8000, NOISES, float(rng.uniform(6, 8))), 8000)


@check(
    "speech_activity",
    hint="An engine as loud as the speech fills the low bands only: one sum over all bands drowns in it.",
)
def hears_over_an_engine(student, rng):
    _expect_speech(student, _calls(rng, 8000, ["engine"] * 3, float(rng.uniform(0, 1))), 8000)


@check("speech_activity", hint="With hardly any noise, or none at all between the words, pauses are pauses still.")
def knows_quiet_lines(student, rng):
    _expect_speech(student, _calls(rng, 8000, NOISES[:2], 40.0), 8000)
    signal, _, active = _utterance(rng, 8000)
    _expect_speech(student, [(signal, active)], 8000)


@check(
    "speech_activity",
    hint="Some lines are very much fainter than others: compare with the line's own quiet frames.",
)
def ignores_the_volume(student, rng):
    for gain in (1e-5, 30.0):
        _expect_speech(student, _calls(rng, 8000, ["white", "pink"], 14.0, gain), 8000)


@check("speech_activity", hint="At 11,025 and 16,000 samples a second frames are 10 ms apart as well.")
def works_at_any_rate(student, rng):
    for rate in (11025, 16000):
        _expect_speech(student, _calls(rng, rate, ["pink", "tones", "white"], 12.0), rate)


@check(
    "speech_activity",
    hint="On a line where nobody speaks, whatever its noise and its level, hardly any frame is speech.",
)
def hears_nobody_in_noise(student, rng):
    lines = zip(NOISES, (0.1, 1e-3, 0.01, 1.0, 0.1), strict=True)
    found = [_decisions(student, level * _noise(rng, 24000, 8000, kind), 8000) for kind, level in lines]
    expect.true(np.mean(found) <= 0.05)


@check(
    "speech_activity",
    hint="There is one bool for each frame, also of a signal of 0 or 100 samples, which is shorter than any smoothing; "
    "of digital silence all are False.",
)
def knows_silence(student, rng):
    for n_samples, rate in ((0, 8000), (1, 8000), (79, 8000), (100, 8000), (80, 16000), (32000, 16000), (24000, 8000)):
        expect.true(~_decisions(student, np.zeros(n_samples), rate))


@check(
    "speech_activity", hint="Sample rates outside of 8000 to 16000 Hz and several channels are refused with a sentence."
)
def refuses_two_channels(student, rng):
    signal = 0.1 * rng.standard_normal(20000)
    for arguments in ((signal, 7999), (signal, 16001), (signal, 0), (signal.reshape(2, 10000), 8000)):
        expect.raises(student, ValueError, *arguments)
