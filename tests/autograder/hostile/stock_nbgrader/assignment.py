"""Lab 1 as an assignment of stock nbgrader: the hidden checks are hidden tests at the end of each check cell.

The tests are what an instructor writes who has nbgrader and NumPy: seeded inputs, closed forms, `assert`. They look at
the same properties as the lab's hidden checks, on fewer inputs.
"""

import textwrap

from hostile_cases.case import is_needed, the_lab
from nbformat import NotebookNode

from course.lab.build import source_notebook

HIDDEN_TESTS = {
    "synthesise": """
rng = np.random.default_rng(101)
for _ in range(3):
    f, a, d = rng.uniform(100, 6000, 3), rng.uniform(0.1, 1, 3), rng.uniform(0.05, 1, 3)
    t = np.arange(2000) / 8000
    right = sum(a[k] * np.exp(-t / d[k]) * np.sin(2 * np.pi * f[k] * t) for k in range(3))
    assert np.allclose(synthesise(f, a, d, 0.25, 8000), right, atol=1e-6)
assert len(synthesise([1.0], [1.0], [1.0], 0.57, 100)) == 57
assert refuses(synthesise, [250], [1.0], [0.0], 1.0, 8000)
""",
    "alias_frequency": """
for f in np.random.default_rng(102).uniform(-50_000, 50_000, 20):
    n = np.arange(50)
    got = float(alias_frequency(f, 8000))
    assert 0 <= got <= 4000
    assert np.allclose(np.cos(2 * np.pi * got * n / 8000), np.cos(2 * np.pi * f * n / 8000), atol=1e-6)
assert np.shape(alias_frequency(np.zeros((2, 3)), 8000)) == (2, 3)
assert refuses(alias_frequency, 1000, -8000)
""",
    "quantise": """
signal = np.random.default_rng(103).uniform(-1.3, 1.3, 500)
for bits in (2, 5, 8, 16):
    half = 2 ** (bits - 1)
    codes = np.asarray(quantise(signal, bits))
    assert np.issubdtype(codes.dtype, np.integer)
    assert codes.tolist() == np.clip(np.rint(signal * half), -half, half - 1).astype(int).tolist()
assert refuses(quantise, np.array([np.nan]), 8)
""",
    "snr_db": """
rng = np.random.default_rng(104)
clean, noise = rng.standard_normal(300), rng.standard_normal(300)
for gain in (0.01, 0.3, 2.0):
    right = 10 * np.log10(np.sum(clean**2) / np.sum((gain * noise) ** 2))
    assert np.isclose(snr_db(clean, clean + gain * noise), right)
assert snr_db(np.zeros(5), np.ones(5)) == -np.inf
assert np.isclose(snr_db(np.full(9, 30000, np.int16), np.full(9, -30000, np.int16)), -6.0206, atol=1e-3)
""",
    "tone_amplitude": """
rng = np.random.default_rng(105)
for _ in range(5):
    a, f, phase = rng.uniform(0.1, 1), rng.uniform(600, 3000), rng.uniform(0, 6)
    frame = a * np.cos(2 * np.pi * f * np.arange(320) / 8000 + phase)
    assert np.isclose(tone_amplitude(frame, f, 8000), a, rtol=0.01)
    assert tone_amplitude(frame, f + 400, 8000) < 0.01 * a
assert np.shape(tone_amplitude(np.zeros((3, 4, 64)), 100.0, 8000)) == (3, 4)
""",
    "bandpass_kernel": """
for low, high, transition in ((900, 1500, 300), (2000, 3000, 150)):
    taps = np.asarray(bandpass_kernel(low, high, transition, 8000))
    assert len(taps) % 2 == 1 and len(taps) <= 64000 / transition and np.allclose(taps, taps[::-1])
    gain = np.abs(np.fft.rfft(taps, 8000))
    assert gain[low : high + 1].min() > 0.98 and gain[low : high + 1].max() < 1.02
    assert gain[: low - transition + 1].max() < 0.0056 and gain[high + transition :].max() < 0.0056
""",
    "filter_block": """
rng = np.random.default_rng(107)
for n_taps in (1, 5, 40):
    kernel, signal, state, outputs = rng.standard_normal(n_taps), rng.standard_normal(200), None, []
    for block in np.split(signal, [0, 3, 4, 90, 150]):
        output, state = filter_block(block, kernel, state)
        outputs.append(output)
    assert np.allclose(np.concatenate(outputs), np.convolve(signal, kernel)[:200])
""",
    "find_event": """
for seed in (1, 2, 3):
    codes, onset, _ = make_recording(np.random.default_rng([108, seed]), 0.02)
    assert abs(find_event(codes, 8000, CHIME) - onset) < 0.03
    assert find_event(make_recording(np.random.default_rng([109, seed]), 0.0)[0], 8000, CHIME) is None
""",
}
BEGIN, END = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"


def stock_source() -> NotebookNode:
    """The instructor's source notebook of the assignment."""
    source = source_notebook(the_lab())
    source.cells = [cell for cell in source.cells if is_needed(cell)]
    for cell in source.cells:
        task = cell.id.removeprefix("check-")
        if task != cell.id:
            cell.source += "\n".join(["", BEGIN, textwrap.dedent(HIDDEN_TESTS[task]).strip(), END])
    return source
