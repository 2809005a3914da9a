"""Hidden checks of Lab 1. They run outside of the student's process, on inputs drawn for each submission.

Tolerances leave room for every solution that meets the stated signature: any window that keeps the promised
leakage, any filter design inside the mask, ties rounded either way, a state of past inputs or of pending outputs.
"""

import math

import numpy as np
import scipy.signal

from course.lab.checking import check, covers, expect, latitude, oracle

RATES = (8000, 11025, 16000, 22050, 44100)  # Hz
SLOW = 30.0  # seconds for a call that may ask a stand-in for every frame


# Task 1: synthesise


@oracle("synthesise")
def synthesise(frequencies, amplitudes, decays, duration, sample_rate):
    """Decaying sines in extended precision, one partial after the other."""
    if not len(frequencies) == len(amplitudes) == len(decays):
        raise ValueError(
            f"{len(frequencies)} frequencies, {len(amplitudes)} amplitudes, {len(decays)} decays: no chime."
        )
    if duration < 0 or sample_rate <= 0 or any(decay <= 0 for decay in decays):
        raise ValueError(f"No chime has decays of {decays} s and lasts {duration} s at {sample_rate} Hz.")
    time = np.arange(round(duration * sample_rate), dtype=np.longdouble) / sample_rate
    chime = np.zeros(time.size, dtype=np.longdouble)
    for frequency, amplitude, decay in zip(frequencies, amplitudes, decays, strict=True):
        turns = np.longdouble(frequency) * time % 1
        chime += amplitude * np.exp(-time / np.longdouble(decay)) * np.sin(2 * np.longdouble(np.pi) * turns)
    return chime.astype(float)


@check(
    "synthesise",
    hint="One steady tone: sample n is taken at time n / sample_rate, so its phase is 2π·f·n / sample_rate.",
)
def follows_the_closed_form(student, rng):
    for _ in range(4):
        tone = [[rng.uniform(50, 3900)], [rng.uniform(0.1, 1)], [np.inf], rng.uniform(0.2, 1), int(rng.choice(RATES))]
        expect.close(student(*tone), synthesise(*tone), atol=1e-6)


@check(
    "synthesise",
    hint="Each partial fades on its own: its amplitude is multiplied by exp(-t / decay), t and decay in seconds.",
)
def fades_in_seconds(student, rng):
    for rate in rng.permutation(RATES)[:3]:
        tone = [[rng.uniform(200, 3000)], [1.0], [rng.uniform(0.05, 0.8)], 0.7, int(rate)]
        expect.close(student(*tone), synthesise(*tone), atol=1e-6)


@check(
    "synthesise",
    hint="A chime is the plain sum of its partials: nothing is divided by their number, scaled or clipped.",
)
def adds_up_its_partials(student, rng):
    for n_partials in (2, 3, 7):
        partials = rng.uniform([[100], [0.2], [0.1]], [[3500], [0.9], [0.6]], (3, n_partials))
        expect.close(student(*partials, 0.5, 8000), synthesise(*partials, 0.5, 8000), atol=1e-6)


@check("synthesise", hint="The formula is sampled as it stands, for partials above half the sample rate too.")
def samples_partials_above_nyquist(student, rng):
    chime = [rng.uniform(4100, 12000, 2), [0.5, 0.4], [0.3, np.inf], 0.4, 8000]
    expect.close(student(*chime), synthesise(*chime), atol=1e-6)


@check(
    "synthesise",
    hint="The number of samples is duration · sample_rate, rounded: the product is often a hair below an integer.",
)
def rounds_the_length(student, rng):
    for n_samples in (29, 57, 58, 113, *(int(n) for n in rng.integers(1, 5000, 8))):
        expect.shape(student([30.0], [1.0], [1.0], n_samples / 100, 100), (n_samples,))
    expect.shape(student([440.0], [1.0], [1.0], 0.50009, 8000), (4001,))


@check(
    "synthesise",
    hint="Try a duration of 0, a single sample, one sample a second, and empty lists of partials (silence of the "
    "stated length).",
)
def knows_small_cases(student, rng):
    expect.shape(student([440.0], [1.0], [1.0], 0.0, 8000), (0,))
    expect.close(student([440.0], [1.0], [1.0], 1 / 8000, 8000), [0.0], atol=1e-9)
    slow = [[0.2, 0.35], [1.0, 0.5], [3.0, np.inf], 7.0, 1]
    expect.close(student(*slow), synthesise(*slow), atol=1e-6)
    expect.close(student(np.zeros(0), np.zeros(0), np.zeros(0), 0.01, 8000), np.zeros(80), atol=0)


@check("synthesise", hint="Go through the docstring's list of what raises ValueError, one by one.")
def refuses_impossible_chimes(student, rng):
    for chime in (
        ([440.0, 880.0], [1.0], [1.0, 1.0], 0.1, 8000),
        ([440.0], [1.0], [1.0, 1.0], 0.1, 8000),
        ([440.0], [1.0], [0.0], 0.1, 8000),
        ([440.0, 880.0], [1.0, 1.0], [1.0, -0.5], 0.1, 8000),
        ([440.0], [1.0], [1.0], -0.1, 8000),
        ([440.0], [1.0], [1.0], 0.1, 0),
    ):
        expect.raises(student, ValueError, *chime)


# Task 2: alias_frequency


@oracle("alias_frequency")
def alias_frequency(frequency, sample_rate):
    """The distance to the nearest multiple of the sample rate."""
    if sample_rate <= 0:
        raise ValueError(f"Nothing is sampled at {sample_rate} Hz.")
    frequency = np.asarray(frequency, dtype=float)
    return np.abs(frequency - sample_rate * np.rint(frequency / sample_rate))


@latitude("alias_frequency")
def lands_alike(arguments, reference, given):
    """Whole numbers are as good as floats, and a hundredth of a hertz is as near as the checks look."""
    return np.shape(given) == np.shape(reference) and bool(np.all(np.abs(np.subtract(given, reference)) <= 0.01))


@check(
    "alias_frequency",
    hint="Take cosines at your result and at the frequency asked for: their samples must be the same ones.",
)
def gives_the_same_samples(student, rng):
    for rate in rng.permutation(RATES)[:4]:
        frequency = rng.uniform(-3 * rate, 3 * rate)
        lands = expect.number(student(frequency, int(rate)))
        expect.true(0 <= lands <= rate / 2, "The result lies between 0 and half the sample rate.")
        n = np.arange(64)
        expect.close(np.cos(2 * np.pi * lands * n / rate), np.cos(2 * np.pi * frequency * n / rate), atol=1e-3)


@check(
    "alias_frequency",
    hint="A tone below 0 Hz, or several sample rates up, folds by the same rule as one just above the limit.",
)
def folds_from_far_away(student, rng):
    frequency = float(rng.uniform(0, 4000))
    for copies in (-40, -3, -1, 0, 1, 2, 5, 1000):
        expect.close(student(copies * 8000 + frequency, 8000), frequency, atol=0.01)
        expect.close(student(copies * 8000 - frequency, 8000), frequency, atol=0.01)


@check(
    "alias_frequency",
    hint="Look at the corners: half the sample rate stays, and every multiple of the sample rate becomes 0 Hz.",
)
def keeps_the_corners(student, rng):
    for rate in (1, 8000, 11025, 44100):
        for half_rates in range(-5, 6):
            expect.close(student(half_rates * rate / 2, rate), rate / 2 if half_rates % 2 else 0.0, atol=0.01)


@check(
    "alias_frequency",
    hint="An array gives an array of the same shape, also when it is empty, two-dimensional or holds integers.",
)
def keeps_the_shape(student, rng):
    for shape in ((5,), (2, 3), (0,), (1,)):
        frequencies = rng.uniform(-30000, 30000, shape)
        expect.close(student(frequencies, 8000), alias_frequency(frequencies, 8000), atol=0.01)
    integers = rng.integers(-30000, 30000, 9)
    expect.close(student(integers, 8000), alias_frequency(integers, 8000), atol=0.01)


@check("alias_frequency", hint="A sample rate of 0 or below has no answer: raise ValueError with a message.")
def refuses_impossible_rates(student, rng):
    for rate in (0, -8000):
        expect.raises(student, ValueError, 1000.0, rate)


# Task 3: quantise


@oracle("quantise")
def quantise(signal, n_bits):
    """The nearest of all levels, found between the decision thresholds that lie halfway."""
    if not 2 <= n_bits <= 16 or np.isnan(signal).any():
        raise ValueError(f"No code of {n_bits} bits stands for this signal.")
    codes = np.arange(-(2 ** (n_bits - 1)), 2 ** (n_bits - 1))
    return codes[np.searchsorted((codes[:-1] + 0.5) * 2.0 ** (1 - n_bits), np.asarray(signal, dtype=float))]


@check(
    "quantise",
    hint="Every sample gets the nearest code: inside the range the error is at most half a step, 2**-n_bits.",
)
def takes_the_nearest_code(student, rng):
    for n_bits in (2, 3, 5, 8, 12, 16):
        signal = rng.uniform(-1, 1 - 2.0 ** (1 - n_bits), 500)
        expect.close(student(signal, n_bits), quantise(signal, n_bits), atol=0)


@check("quantise", hint="Silence, and whatever is less than half a step from it, has the code 0, on both sides.")
def has_a_level_at_zero(student, rng):
    for n_bits in (2, 8, 16):
        faint = rng.uniform(-0.49, 0.49, 200) * 2.0 ** (1 - n_bits)
        expect.close(student(faint, n_bits), np.zeros(200), atol=0)
    expect.close(student(np.zeros(7), 8), np.zeros(7), atol=0)


@check(
    "quantise",
    hint="What is louder than full scale gets the last code of its own side. Does one of yours wrap round?",
)
def limits_loud_samples(student, rng):
    for n_bits in (2, 4, 8, 16):
        half = 2 ** (n_bits - 1)
        loud = rng.uniform(1.0, 1000.0, 50)
        expect.close(student(loud, n_bits), np.full(50, half - 1), atol=0)
        expect.close(student(-loud, n_bits), np.full(50, -half), atol=0)
        expect.close(student(np.array([1.0, -1.0]), n_bits), [half - 1, -half], atol=0)


@check(
    "quantise",
    hint="Return an array with an integer dtype, one code for each sample, also for an empty signal.",
)
def returns_integer_codes(student, rng):
    for n_samples in (0, 1, 33):
        codes = expect.array(student(rng.uniform(-0.9, 0.9, n_samples), 8), (n_samples,))
        expect.dtype(codes, "int")


@check(
    "quantise",
    hint="Go through the docstring's list of what raises ValueError. How does one ask an array whether it holds NaN?",
)
def refuses_what_no_code_stands_for(student, rng):
    for n_bits in (1, 0, -3, 17, 64):
        expect.raises(student, ValueError, np.zeros(4), n_bits)
    expect.raises(student, ValueError, np.array([0.1, np.nan, 0.2]), 8)


# Task 4: snr_db


@oracle("snr_db")
def snr_db(clean, received):
    """Python's own numbers, summed exactly."""
    if np.shape(clean) != np.shape(received) or np.size(clean) == 0:
        raise ValueError(f"Signals of shape {np.shape(clean)} and {np.shape(received)} have no SNR.")
    pairs = [(float(x), float(y)) for x, y in zip(clean, received, strict=True)]
    signal, noise = math.fsum(x * x for x, _ in pairs), math.fsum((y - x) ** 2 for x, y in pairs)
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal else -math.inf


@check("snr_db", hint="Ten times the base-10 logarithm of a ratio of powers; the noise is received minus clean.")
def agrees_with_exact_sums(student, rng):
    for n_samples in (2, 101, 4000):
        clean, noise = (values - values.mean() for values in rng.standard_normal((2, n_samples)))
        received = clean + rng.uniform(0.001, 2) * noise
        expect.close(student(clean, received), snr_db(clean, received), atol=1e-6)


@check("snr_db", hint="Ten times less noise is 20 dB more; making both signals louder together changes nothing.")
def scales_as_decibels_do(student, rng):
    clean, noise = rng.standard_normal((2, 500))
    base = expect.number(student(clean, clean + noise))
    expect.close(student(clean, clean + 0.1 * noise), base + 20, atol=1e-6)
    expect.close(student(1000 * clean, 1000 * (clean + noise)), base, atol=1e-6)


@check(
    "snr_db", hint="A constant offset carries power: sum the squares as they are, without taking the mean away first."
)
def counts_a_constant_offset(student, rng):
    clean = rng.standard_normal(300)
    for received in (clean + 0.25, 1.5 * clean):
        expect.close(student(clean, received), snr_db(clean, received), atol=1e-6)
    steady = np.full(50, 0.5)
    expect.close(student(steady, steady + 0.05), 20.0, atol=1e-6)


@check(
    "snr_db",
    hint="The ends of the scale: identical signals, silence received as silence, a sound where nothing was sent. Only "
    "silence counts as nothing: a single click has an SNR like any other sound.",
)
def knows_both_infinities(student, rng):
    signal = rng.standard_normal(64)
    expect.close(student(signal, signal), np.inf)
    expect.close(student(np.zeros(64), np.zeros(64)), np.inf)
    expect.close(student(np.zeros(64), signal), -np.inf)
    click = np.eye(64)[int(rng.integers(64))]
    expect.close(student(click, np.zeros(64)), 0.0, atol=1e-6)
    expect.close(student(click, click + signal), snr_db(click, click + signal), atol=1e-6)


@check("snr_db", hint="Squares and differences of 16-bit integers do not fit into 16 bits, and NumPy does not warn.")
def survives_integer_samples(student, rng):
    for dtype, largest in ((np.int16, 32767), (np.int8, 127)):
        clean, received = rng.integers(-largest, largest + 1, (2, 400)).astype(dtype)
        expect.close(student(clean, received), expect.number(student(clean * 1.0, received * 1.0)), atol=1e-6)


@check(
    "snr_db",
    hint="Signals of different shapes, which NumPy may stretch to fit, and empty ones have no SNR: raise ValueError.",
)
def refuses_unequal_signals(student, rng):
    signal = rng.standard_normal(8)
    for clean, received in ((signal, signal[:7]), (signal, signal[:1]), (signal[:1], signal), (signal[:0], signal[:0])):
        expect.raises(student, ValueError, clean, received)


# Task 5: tone_amplitude


@oracle("tone_amplitude")
def tone_amplitude(frames, frequency, sample_rate):
    """Hann-windowed correlation with a cosine and a sine."""
    frames = np.asarray(frames, dtype=float)
    if frames.shape[-1] < 8 or not 0 <= frequency <= sample_rate / 2:
        raise ValueError(f"Frames of shape {frames.shape} and {frequency} Hz at {sample_rate} Hz do not go together.")
    window = scipy.signal.windows.hann(frames.shape[-1])
    phase = 2 * np.pi * frequency * np.arange(frames.shape[-1]) / sample_rate
    parts = [np.einsum("...n,n->...", frames, window * wave) for wave in (np.cos(phase), np.sin(phase))]
    return np.hypot(*parts) * (2 if 0 < frequency < sample_rate / 2 else 1) / window.sum()


@latitude("tone_amplitude")
def reads_the_tone(arguments, reference, given):
    """Any window will do that keeps the docstring's promise, which is one about tones far from all others.

    So the tone at the frequency is fitted and taken away. Where something else is left within eight bins, or where an
    end is near, the text promises nothing; elsewhere each of the two may be off by 1 % of the tone and of the rest.
    """
    frames, frequency, rate = arguments
    if np.shape(given) != np.shape(reference) or np.any(np.less(given, 0)):
        return False
    n_samples = frames.shape[-1]
    rows = np.reshape(frames, (-1, n_samples)).astype(float)
    phase = 2 * np.pi * frequency * np.arange(n_samples) / rate
    waves = np.stack([np.cos(phase), np.sin(phase)], axis=1)
    rest = rows - (waves @ np.linalg.lstsq(waves, rows.T)[0]).T
    spectrum = np.abs(np.fft.rfft(rest * np.hanning(n_samples))) * 4 / n_samples
    bins = frequency * n_samples / rate
    beside = spectrum[:, np.abs(np.arange(spectrum.shape[1]) - bins) < 8].max(axis=1, initial=0)
    alone = beside <= 0.01 * spectrum.max(axis=1, initial=0) + 1e-9
    far = 10 <= bins <= n_samples / 2 - 10 or frequency in (0, rate / 2)
    error = np.abs(np.ravel(given) - np.ravel(reference))
    return bool(np.all(~(alone & far) | (error <= 0.0202 * (np.ravel(reference) + spectrum.sum(axis=1)) + 1e-9)))


def _tone(n_samples, bins, amplitude, phase, sample_rate):
    """A cosine, and its frequency in Hz, ``bins`` times ``sample_rate / n_samples``."""
    frequency = bins * sample_rate / n_samples
    return amplitude * np.cos(2 * np.pi * bins * np.arange(n_samples) / n_samples + phase), frequency


@check(
    "tone_amplitude",
    hint="A tone reads its own amplitude at every frequency, also midway between two bins, and at odd frame lengths.",
)
def reads_a_tone_between_bins(student, rng):
    for n_samples, rate in ((100, 8000), (255, 8000), (320, 8000), (1001, 11025)):
        for fraction in (0.0, 0.5, rng.uniform(0, 1)):
            bins = int(rng.integers(10, n_samples // 2 - 11)) + fraction
            amplitude = rng.uniform(0.01, 3)
            frame, frequency = _tone(n_samples, bins, amplitude, rng.uniform(0, 2 * np.pi), rate)
            expect.close(student(frame, frequency, rate), amplitude, rtol=0.0101, atol=0)
    for bins in (20.5, 100.5):  # of three samples a second: tones at 0.24 and 1.18 Hz
        frame, frequency = _tone(255, bins, 0.5, rng.uniform(0, 2 * np.pi), 3)
        expect.close(student(frame, frequency, 3), 0.5, rtol=0.0101, atol=0)


@check(
    "tone_amplitude",
    hint="Turn the tone's phase: the reading must stay. Real and imaginary part each hold one share of the tone.",
)
def ignores_the_phase(student, rng):
    bins = rng.uniform(30, 100)
    tones = [_tone(300, bins, 0.7, phase, 16000) for phase in np.arange(8) * np.pi / 4]
    readings = np.array([expect.number(student(frame, frequency, 16000)) for frame, frequency in tones])
    expect.close(readings, np.full(8, readings.max()), rtol=0.0202, atol=0)


@check(
    "tone_amplitude",
    hint="A loud tone ten bins away must stay below 1 % of itself in the sum. That is what a window is for.",
)
def keeps_other_tones_out(student, rng):
    for n_samples in (160, 321, 800):
        for distance in (10.5, -10.5, 12.5, rng.uniform(10, 40)):
            bins = n_samples / 4
            frame, _ = _tone(n_samples, bins + distance, 1.0, rng.uniform(0, 2 * np.pi), 8000)
            leaked = expect.number(student(frame, bins * 8000 / n_samples, 8000))
            expect.true(0 <= leaked <= 0.01)


@check(
    "tone_amplitude",
    hint="Twice as loud reads twice as much, and a tone is found beside another one. Amplitude is not power.",
)
def grows_with_the_amplitude(student, rng):
    frame = rng.standard_normal(400)
    base = expect.number(student(frame, 1234.5, 8000))
    for gain in (-3.0, 0.001, 250.0):
        expect.close(student(gain * frame, 1234.5, 8000), abs(gain) * base, rtol=1e-6, atol=0)
    quiet, frequency = _tone(400, rng.uniform(60, 80), 0.05, 1.0, 8000)
    loud, _ = _tone(400, rng.uniform(120, 140), 0.5, 2.0, 8000)
    expect.close(student(quiet + loud, frequency, 8000), 0.05, atol=0.0056)


@check(
    "tone_amplitude",
    hint="At 0 Hz and at half the sample rate a tone's two halves coincide; the factor 2 counts them twice.",
)
def reads_both_ends_once(student, rng):
    for n_samples in (64, 320, 500):
        level = rng.uniform(0.1, 2)
        expect.close(student(np.full(n_samples + 1, level), 0.0, 8000), level, rtol=1e-6, atol=0)
        alternating = level * (-1.0) ** np.arange(n_samples)
        for rate in (8000, 11025):
            expect.close(student(alternating, rate / 2, rate), level, rtol=1e-6, atol=0)


@check(
    "tone_amplitude",
    hint="A stack of frames gives one number for each frame: sum along the last axis, whatever stands before it.",
)
def measures_stacks_of_frames(student, rng):
    frames = rng.standard_normal((3, 4, 200))
    stacked = expect.array(student(frames, 900.0, 8000), (3, 4))
    for index in ((0, 0), (1, 3), (2, 1)):
        expect.close(student(frames[index], 900.0, 8000), stacked[index], atol=1e-9)
    square, frequency = _tone(64, 20.0, 1.0, 0.3, 8000)
    gains = np.arange(64.0)
    expect.close(student(gains[:, None] * square, frequency, 8000), gains, rtol=0.0101, atol=1e-9)


@check("tone_amplitude", hint="Try silence, frames of 16-bit integers, and the shortest frame that is allowed.")
def survives_silence_and_integers(student, rng):
    expect.close(student(np.zeros(256), 500.0, 8000), 0.0, atol=1e-12)
    integers = rng.integers(-32768, 32768, 256).astype(np.int16)
    expect.close(student(integers, 1234.5, 8000), expect.number(student(integers * 1.0, 1234.5, 8000)), atol=1e-6)
    expect.number(student(rng.standard_normal(8), 1000.0, 8000))


@check(
    "tone_amplitude",
    hint="Raise ValueError for a frequency below 0 or above half the sample rate, and for frames of under 8 samples.",
)
def refuses_folded_frequencies(student, rng):
    frame = rng.standard_normal(100)
    for frequency in (-1.0, 4000.5, 6090.0):
        expect.raises(student, ValueError, frame, frequency, 8000)
    for n_samples in (0, 1, 7):
        expect.raises(student, ValueError, frame[:n_samples], 1000.0, 8000)


# Task 6: bandpass_kernel


@oracle("bandpass_kernel")
def bandpass_kernel(low, high, transition, sample_rate):
    """Kaiser's design by SciPy, 60 dB."""
    if transition <= 0 or not 0 < low - transition < low < high < high + transition < sample_rate / 2:
        raise ValueError(f"{low} to {high} Hz with transitions of {transition} Hz does not fit {sample_rate} Hz.")
    n_taps, beta = scipy.signal.kaiserord(60, 2 * transition / sample_rate)
    cutoffs = [low - transition / 2, high + transition / 2]
    return scipy.signal.firwin(
        n_taps | 1, cutoffs, window=("kaiser", beta), pass_zero=False, fs=sample_rate, scale=False
    )


CORNERS = [
    (60, 90, 30, 4000),
    (120, 3850, 80, 8000),
    (15000, 21000, 600, 44100),
    (20.6, 980.2, 20.1, 2001),
    (10.0, 15.0, 0.8, 50),
]


def _design(rng):
    """Pass-band edges and transition in Hz and a rate, anywhere that they fit."""
    rate = int(rng.choice(RATES))
    transition = rate * rng.uniform(0.012, 0.04)
    low = rng.uniform(1.2 * transition, rate / 4)
    high = rng.uniform(low + transition, rate / 2 - 1.2 * transition)
    return low, high, transition, rate


def _gain(taps, frequencies, sample_rate):
    """The filter's gain at frequencies in Hz."""
    return np.abs(scipy.signal.freqz(taps, worN=frequencies, fs=sample_rate)[1])


@latitude("bandpass_kernel")
def keeps_within_the_mask(arguments, reference, given):
    """Every design is as good that keeps what the docstring promises."""
    low, high, transition, rate = arguments
    if given.ndim != 1 or given.dtype.kind != "f" or given.size % 2 == 0 or given.size > 8 * rate / transition:
        return False
    passed = _gain(given, np.linspace(low, high, 2000), rate)
    below, above = np.linspace(0, low - transition, 2000), np.linspace(high + transition, rate / 2, 2000)
    stopped = _gain(given, np.concatenate([below, above]), rate)
    flat = bool(np.all(np.abs(passed - 1) < 0.0201)) and bool(np.all(stopped < 0.00561))
    return flat and bool(np.allclose(given, given[::-1], rtol=0, atol=1e-9))


@check(
    "bandpass_kernel",
    hint="The kernel is a one-dimensional array with an odd number of taps, at most 8 · sample_rate / transition.",
)
def keeps_to_its_length(student, rng):
    for _ in range(4):
        low, high, transition, rate = _design(rng)
        taps = expect.array(student(low, high, transition, rate), (None,))
        expect.true(taps.size % 2 == 1)
        expect.true(taps.size <= 8 * rate / transition, "The kernel is longer than the docstring allows.")


@check(
    "bandpass_kernel",
    hint="Linear phase: the taps read the same from both ends, so that all frequencies are delayed alike.",
)
def is_symmetric(student, rng):
    for _ in range(3):
        taps = expect.array(student(*_design(rng)), (None,))
        expect.close(taps, taps[::-1], atol=1e-9)


@check(
    "bandpass_kernel",
    hint="Plot the gain inside the pass-band, up to both edges: each cutoff belongs in the middle of its transition.",
)
def passes_its_band(student, rng):
    for low, high, transition, rate in (*CORNERS, *(_design(rng) for _ in range(5))):
        taps = expect.array(student(low, high, transition, rate), (None,))
        gain = _gain(taps, np.linspace(low, high, 800), rate)
        expect.true((gain > 0.9799) & (gain < 1.0201))


@check(
    "bandpass_kernel",
    hint="Plot the gain in decibels beyond the transitions: it must stay below −45 dB everywhere, on both sides.",
)
def stops_the_rest(student, rng):
    for low, high, transition, rate in (*CORNERS, *(_design(rng) for _ in range(5))):
        taps = expect.array(student(low, high, transition, rate), (None,))
        below, above = np.linspace(0, low - transition, 800), np.linspace(high + transition, rate / 2, 800)
        expect.true(_gain(taps, np.concatenate([below, above]), rate) < 0.00561)


@check(
    "bandpass_kernel",
    hint="Go through the docstring's conditions: every one that is not met raises ValueError with a message.",
)
def refuses_bands_that_do_not_fit(student, rng):
    for design in (
        (150, 2000, 200, 8000),
        (200, 2000, 200, 8000),
        (1000, 3900, 200, 8000),
        (1000, 4500, 200, 8000),
        (2000, 1000, 200, 8000),
        (1000, 1000, 200, 8000),
        (1000, 2000, 0, 8000),
        (1000, 2000, -100, 8000),
    ):
        expect.raises(student, ValueError, *design)


# Task 7: filter_block


@oracle("filter_block")
def filter_block(block, kernel, state):
    """SciPy's direct form, whose state is what is still to come out."""
    block, kernel = np.asarray(block, dtype=float), np.asarray(kernel, dtype=float)
    if block.ndim != 1 or kernel.ndim != 1 or kernel.size == 0:
        raise ValueError(f"Expected (n_samples,) and (n_taps,); got {block.shape} and {kernel.shape}.")
    state = np.zeros(kernel.size - 1) if state is None else np.asarray(state, dtype=float)
    if block.size == 0:
        return block, state
    return scipy.signal.lfilter(kernel, 1.0, block, zi=state)


def _call(student, block, kernel, state, **limits):
    """One call of the student's function: its output and its state, with their shapes checked."""
    pair = student(block, kernel, state, **limits)
    expect.true(isinstance(pair, (tuple, list)) and len(pair) == 2, "Return two things: the output and the state.")
    output = expect.array(pair[0], block.shape, hint="The output has as many samples as the block.")
    state = expect.array(
        pair[1], (len(kernel) - 1,), hint="The state is n_taps - 1 numbers, however long the stream was."
    )
    return output, state


def _streamed(student, signal, kernel, sizes):
    """The outputs of a signal cut into blocks of these sizes, joined."""
    state, outputs = None, []
    for block in np.split(signal, np.cumsum(sizes)[:-1]):
        output, state = _call(student, block, kernel, state)
        outputs.append(output)
    return np.concatenate(outputs)


def _whole(signal, kernel):
    """One convolution, cut to the signal's length."""
    return np.convolve(signal, kernel)[: signal.size]


@check(
    "filter_block",
    hint="One block: y[n] is the sum of kernel[k] · x[n − k]. An impulse in gives the kernel out, from its first tap.",
)
def convolves_one_block(student, rng):
    kernel = rng.standard_normal(9)
    impulse = np.eye(20)[0]
    expect.close(_call(student, impulse, kernel, None)[0], _whole(impulse, kernel), atol=1e-9)
    signal = rng.standard_normal(500)
    expect.close(_call(student, signal, kernel, None)[0], _whole(signal, kernel), atol=1e-9)


@check(
    "filter_block",
    hint="Cut a signal into equal blocks, filter them in turn, join the outputs, compare with one convolution.",
)
def joins_equal_blocks(student, rng):
    signal, kernel = rng.standard_normal(1600), rng.standard_normal(31)
    expect.close(_streamed(student, signal, kernel, [160] * 10), _whole(signal, kernel), atol=1e-9)


@check(
    "filter_block",
    hint="Blocks of any size: when one is shorter than the kernel, part of the old state still belongs to the new one.",
)
def joins_uneven_blocks(student, rng):
    for n_taps in (5, 32, 101):
        sizes = [int(size) for size in rng.integers(1, 60, 25)] + [1, 1, 2, 300]
        signal, kernel = rng.standard_normal(sum(sizes)), rng.standard_normal(n_taps)
        expect.close(_streamed(student, signal, kernel, sizes), _whole(signal, kernel), atol=1e-9)


@check(
    "filter_block",
    hint="Try an empty block in mid-stream, and a kernel of a single tap, whose state is empty: x[-0:] is all of x.",
)
def knows_empty_blocks_and_single_taps(student, rng):
    signal = rng.standard_normal(40)
    for n_taps in (1, 2, 6):
        kernel = rng.standard_normal(n_taps)
        expect.close(_streamed(student, signal, kernel, [0, 10, 0, 0, 1, 29]), _whole(signal, kernel), atol=1e-9)


@check(
    "filter_block",
    hint="Filter two streams in turns: all that a call remembers has to be in the state that it returns.",
)
def keeps_streams_apart(student, rng):
    signals, kernels = rng.standard_normal((2, 90)), [rng.standard_normal(7), rng.standard_normal(12)]
    outputs, states = [[], []], [None, None]
    for start in range(0, 90, 30):
        for line in (0, 1):
            output, states[line] = _call(student, signals[line][start : start + 30], kernels[line], states[line])
            outputs[line].append(output)
    for line in (0, 1):
        expect.close(np.concatenate(outputs[line]), _whole(signals[line], kernels[line]), atol=1e-9)


@check(
    "filter_block", hint="A filter is linear: filtering a mixture gives the mixture of the filtered, over blocks too."
)
def mixes_linearly(student, rng):
    (one, two), kernel, sizes = rng.standard_normal((2, 200)), rng.standard_normal(16), [70, 5, 125]
    mixed = _streamed(student, 3 * one - 0.5 * two, kernel, sizes)
    apart = 3 * _streamed(student, one, kernel, sizes) - 0.5 * _streamed(student, two, kernel, sizes)
    expect.close(mixed, apart, atol=1e-8)


@check(
    "filter_block",
    hint="50 s of sound in one block take too long: use an array operation, no loop over samples and taps, no matrix.",
)
def keeps_up_with_long_blocks(student, rng):
    signal, kernel = rng.standard_normal(400_000), rng.standard_normal(127)
    output, _ = _call(student, signal, kernel, None, seconds=5.0)
    for start in (0, 150_000, 399_000):
        part = signal[max(start - 126, 0) : start + 1000]
        expect.close(output[start : start + 1000], _whole(part, kernel)[-1000:], atol=1e-8)


@check(
    "filter_block", hint="Raise ValueError for an empty kernel, and for a block or kernel that is not one-dimensional."
)
def refuses_empty_kernels(student, rng):
    signal = rng.standard_normal(10)
    expect.raises(student, ValueError, signal, np.zeros(0), None)
    _, state = _call(student, signal, np.ones(1), None)
    expect.raises(student, ValueError, np.zeros(0), np.zeros(0), state)
    expect.raises(student, ValueError, signal.reshape(2, 5), np.ones(3), None)
    for block in (signal, np.zeros(0)):
        expect.raises(student, ValueError, block, np.ones((1, 3)), None)


# Task 8: find_event


@oracle("find_event")
def find_event(codes, sample_rate, frequencies):
    """Spectrogram by SciPy: the share of the power between 1350 and 3050 Hz that lies within 45 Hz of a partial."""
    if sample_rate <= 0 or len(frequencies) == 0:
        raise ValueError(f"There is nothing to look for: {len(frequencies)} partials at {sample_rate} Hz.")
    if len(codes) < sample_rate / 2:
        return None
    squeezed = np.asarray(codes, dtype=float) / 128
    signal = np.sign(squeezed) * np.expm1(np.log(256) * np.abs(squeezed)) / 255
    size, hop = round(0.04 * sample_rate), round(0.004 * sample_rate)
    bins, times, power = scipy.signal.spectrogram(signal, sample_rate, window="hann", nperseg=size, noverlap=size - hop)
    near = np.any([np.abs(bins - frequency) < 45 for frequency in alias_frequency(frequencies, sample_rate)], axis=0)
    partials = power[near].sum(axis=0)
    share = partials / (power[(bins > 1350) & (bins < 3050)].sum(axis=0) + 1e-20)
    lasting = np.convolve(share, np.ones(25) / 25, mode="valid")
    start = int(np.argmax(lasting))
    if lasting[start] < 0.65:
        return None
    peak = start + int(np.argmax(partials[start : start + 25]))
    before = np.flatnonzero(partials[:peak] < partials[peak] / 4)
    return float(times[before[-1] if before.size else 0])


@covers("find_event")
def as_the_docstring_says(codes, sample_rate, frequencies):
    """Two to four partials that fold into the band, at a known rate; or what has to be refused."""
    if sample_rate <= 0 or len(frequencies) == 0:
        return True
    folded = alias_frequency(frequencies, sample_rate)
    return 8000 <= sample_rate <= 12000 and 2 <= len(folded) <= 4 and bool(np.all((folded >= 1500) & (folded <= 2900)))


@latitude("find_event")
def begins_at_the_same_time(arguments, reference, given):
    """Within 0.03 s of the onset, from which the reference is itself up to 0.006 s away; or no chime for both."""
    if reference is None or given is None:
        return reference is given
    return isinstance(given, float) and abs(given - reference) <= 0.036


def _partials(rng, sample_rate, count, beside=()):
    """Frequencies as struck whose folded ones lie in 1500 to 2900 Hz, 150 Hz or more from each other and ``beside``."""
    folded = list(beside)
    while len(folded) < len(beside) + count:
        candidate = rng.uniform(1500, 2900)
        if all(abs(candidate - other) >= 150 for other in folded):
            folded.append(candidate)
    new = np.array(folded[len(beside) :])
    copies = rng.integers(0, 3, count)
    return np.where(rng.random(count) < 0.5, copies * sample_rate + new, (copies + 1) * sample_rate - new)


def _ring(rng, line, frequencies, onset, level, sample_rate):
    """Add a chime, whose loudest partial has the amplitude ``level``, to the line, in place, at an onset in samples."""
    amplitudes = level * np.append(1.0, rng.uniform(0.6, 1.0, len(frequencies) - 1))
    decays = rng.uniform(0.25, 0.5, len(frequencies))
    time = np.arange(line.size - onset) / sample_rate
    for frequency, amplitude, decay in zip(frequencies, amplitudes, decays, strict=True):
        line[onset:] += amplitude * np.exp(-time / decay) * np.sin(2 * np.pi * frequency * time)


def _line(rng, duration, door, sample_rate):
    """Hum, dial tone, a whistle, noise and a door at ``door`` seconds."""
    time = np.arange(round(duration * sample_rate)) / sample_rate
    tones = [(50, 0.25), (100, 0.08), (150, 0.1), (rng.uniform(300, 500), 0.1), (rng.uniform(3400, 3800), 0.08)]
    line = rng.uniform(0.006, 0.011) * rng.standard_normal(time.size)
    for frequency, amplitude in tones:
        line += amplitude * np.sin(2 * np.pi * frequency * time + rng.uniform(0, 2 * np.pi))
    since = time - door
    slam = np.where(since >= 0, np.exp(-np.maximum(since, 0) / 0.01), 0)
    return line + rng.uniform(0.15, 0.35) * slam * rng.standard_normal(time.size)


def _encode(signal):
    """8-bit µ-law codes by the continuous law."""
    return quantise(np.sign(signal) * np.log1p(255 * np.abs(signal)) / np.log(256), 8).astype(np.int8)


def _recording(
    rng, n_partials=3, sample_rate=8000, gain=1.0, level=None, chime=True, other_bell=False, all_above=False
):
    """Codes, the chime's partials, and its onset in seconds (None without a chime); any level that is allowed."""
    frequencies = _partials(rng, sample_rate, n_partials)
    if all_above:
        frequencies = np.where(frequencies < sample_rate / 2, sample_rate - frequencies, frequencies)
    duration = rng.uniform(3.4, 4.4)
    onset, door = rng.permutation([rng.uniform(0.6, 1.2), rng.uniform(2.0, duration - 0.8)])
    line = _line(rng, duration, door, sample_rate)
    first = round(onset * sample_rate)
    if chime:
        _ring(rng, line, frequencies, first, level or rng.uniform(0.025, 0.05), sample_rate)
    if other_bell:
        folded = alias_frequency(frequencies, sample_rate)
        _ring(rng, line, _partials(rng, sample_rate, 2, beside=tuple(folded)), first, 0.04, sample_rate)
    return _encode(gain * line), frequencies, first / sample_rate if chime else None


def _expect_onset(student, codes, frequencies, onset, sample_rate=8000):
    """The student's onset is 0.03 s from the true one at most."""
    found = expect.number(student(codes, sample_rate, frequencies, seconds=SLOW))
    expect.true(abs(found - onset) <= 0.03)


@check(
    "find_event",
    hint="On recordings like the quiet one you miss the chime, or its time by more than 0.03 s. Make some and see.",
)
def finds_unseen_chimes(student, rng):
    for n_partials in (2, 3, 4, 2, 3, 4):
        _expect_onset(student, *_recording(rng, n_partials))


@check(
    "find_event",
    hint="Faint chimes count too: a loudest partial of 0.02 under a hum of 0.25. Did you decode the µ-law codes first?",
)
def finds_faint_chimes(student, rng):
    for n_partials in (3, 4, 3, 4):
        _expect_onset(student, *_recording(rng, n_partials, level=0.02))


@check(
    "find_event",
    hint="A chime struck entirely above half the sample rate is still in the recording, at folded frequencies.",
)
def finds_folded_chimes(student, rng):
    codes, frequencies, _ = _recording(rng, all_above=True)
    below = student(codes, 8000, alias_frequency(frequencies, 8000), seconds=SLOW)
    expect.equal(student(codes, 8000, frequencies, seconds=SLOW) is None, below is None)


@check(
    "find_event",
    hint="Turn the whole line down to a fifth: levels change, but their ratio to the noise around them hardly does.",
)
def finds_chimes_on_quiet_lines(student, rng):
    for n_partials in (2, 4):
        _expect_onset(student, *_recording(rng, n_partials, gain=rng.uniform(0.2, 0.4)))


@check(
    "find_event",
    hint="Try another sample rate: 40 ms are not always 320 samples, and a partial folds to another place.",
)
def finds_chimes_at_other_rates(student, rng):
    for rate in (10000, 12000):
        _expect_onset(student, *_recording(rng, sample_rate=rate), sample_rate=rate)


@check(
    "find_event",
    hint="A line without a chime has no onset, not even at its loudest moment: a door is loud at all frequencies.",
)
def reports_none_without_a_chime(student, rng):
    for n_partials, gain in ((2, 1.0), (3, 0.4), (4, 1.0)):
        codes, frequencies, _ = _recording(rng, n_partials, gain=gain, chime=False)
        expect.equal(student(codes, 8000, frequencies, seconds=SLOW), None)


@check(
    "find_event",
    hint="Another bell in the same band is not this chime: its energy is beside the partials that were asked for.",
)
def tells_another_bell_apart(student, rng):
    for n_partials in (2, 3, 4, 2, 3, 4):
        codes, frequencies, _ = _recording(rng, n_partials, chime=False, other_bell=True)
        expect.equal(student(codes, 8000, frequencies, seconds=SLOW), None)


@check(
    "find_event",
    hint="Try recordings of no samples, of one, of a few milliseconds, and digital silence: None, without an error.",
)
def knows_short_and_silent_recordings(student, rng):
    codes, frequencies, _ = _recording(rng, chime=False)
    for n_samples in (0, 1, 7, 319):
        expect.equal(student(codes[:n_samples], 8000, frequencies, seconds=SLOW), None)
    expect.equal(student(np.zeros(8000, dtype=np.int8), 8000, frequencies, seconds=SLOW), None)


@check("find_event", hint="Raise ValueError for a sample rate that is not positive and for an empty list of partials.")
def refuses_nothing_to_look_for(student, rng):
    codes, frequencies, _ = _recording(rng)
    expect.raises(student, ValueError, codes, 0, frequencies)
    expect.raises(student, ValueError, codes, 8000, np.zeros(0))
