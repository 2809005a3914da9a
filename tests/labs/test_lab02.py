"""Lab 2: its references agree with librosa, Praat and the definitions, also on voices through the telephone."""

from pathlib import Path

import librosa
import numpy as np
import pytest

from course.channels import through_telephone
from course.lab.cells import Role
from course.lab.checking import LocalStudent, run_task
from course.lab.source import read_lab
from course.recordings import SPEAKERS, Recording, digit_string, digits

FOLDER = Path(__file__).parents[2] / "labs" / "lab02-features"


@pytest.fixture(scope="module")
def lab():
    return read_lab(FOLDER)


@pytest.fixture(scope="module")
def reference(lab):
    """The globals after the lab's setup and solution cells, and the first demonstration, which has Praat's pitch."""
    namespace = {"__name__": "__main__"}
    for cell in lab.cells:
        if cell.role in (Role.SETUP, Role.SOLUTION) or cell.id == "demo-1":
            exec(cell.source, namespace)
    return namespace


@pytest.fixture(scope="module")
def oracles(lab):
    return lab.checks.oracles


@pytest.fixture
def signal():
    return np.random.default_rng(6).standard_normal(3001)


@pytest.mark.parametrize(("n_fft", "hop_length"), [(256, 80), (200, 50), (512, 128)])
def test_the_spectrogram_is_librosas(reference, oracles, signal, n_fft, hop_length):
    spectra = librosa.stft(signal, n_fft=n_fft, hop_length=hop_length, pad_mode="constant", dtype=complex)
    for function in (reference["power_spectrogram"], oracles["power_spectrogram"]):
        np.testing.assert_allclose(function(signal, n_fft, hop_length), np.abs(spectra.T) ** 2, atol=1e-8)


@pytest.mark.parametrize("bank", [(24, 256, 8000, 0.0, 4000.0), (40, 1024, 16000, 60.0, 7600.0)])
def test_the_filters_are_librosas_with_htks_formula(reference, oracles, bank):
    n_filters, n_fft, rate, low, high = bank
    wanted = librosa.filters.mel(
        sr=rate, n_fft=n_fft, n_mels=n_filters, fmin=low, fmax=high, htk=True, norm=None, dtype=float
    )
    for function in (reference["mel_filters"], oracles["mel_filters"]):
        np.testing.assert_allclose(function(*bank), wanted, atol=1e-9)


def test_the_coefficients_are_librosas(reference, oracles, signal):
    power = reference["power_spectrogram"](signal, 256, 80)
    bank = reference["mel_filters"](24, 256, 8000, 0.0, 4000.0)
    wanted = librosa.feature.mfcc(S=np.log(np.maximum(bank @ power.T, 1e-8)), n_mfcc=13).T
    for function in (reference["mfcc"], oracles["mfcc"]):
        np.testing.assert_allclose(function(power, bank, 13), wanted, atol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 17, 60, 256, 400, 997, 4096])
def test_the_step_makes_an_fft_of_every_length(reference, n):
    signals = np.random.default_rng(n).standard_normal((3, n))
    np.testing.assert_allclose(reference["fft"](signals), np.fft.fft(signals), atol=1e-9)


def test_the_difference_is_its_definition(reference, oracles):
    rng = np.random.default_rng(8)
    for n, max_lag in [(1, 0), (2, 1), (57, 20), (300, 299), (480, 133)]:
        frame = rng.standard_normal(n) + 2
        width = n - max_lag
        wanted = [np.sum((frame[:width] - frame[lag : lag + width]) ** 2) for lag in range(max_lag + 1)]
        for function in (reference["difference"], oracles["difference"]):
            np.testing.assert_allclose(function(frame, max_lag), wanted, atol=1e-9 * np.sum(frame**2))


@pytest.mark.parametrize("task", ["combine", "difference"])
def test_an_answer_of_quadratic_cost_fails_by_its_cost_alone(lab, task):
    mistake = {"combine": "all-factors-at-once", "difference": "loop-over-lags"}[task]
    wrong = next(one for one in lab.wrong if one.path.stem == f"{task}--{mistake}")
    namespace = {}
    exec(wrong.source, namespace)
    record = run_task(lab.checks, task, LocalStudent(namespace, task, {}), seed=3)
    assert [one.name for one in record.records if not one.passed] == [wrong.fails]


def joined_digits(speaker):
    """Six digits of a speaker, and the same through the telephone, at 8 kHz."""
    spoken = digit_string(digits((speaker,), takes=(3,))[:6], rng=np.random.default_rng(1), gap=(0.2, 0.4))
    level = 0.07 * spoken.signal / spoken.signal.std()
    clean = Recording(spoken.name, level, 8000, spoken.text, speaker, spoken.origin, spoken.recorded)
    return clean, through_telephone(clean)


def test_the_pitch_of_recorded_voices_is_praats_of_the_clean_recording(reference):
    """Gross errors of the reference in all frames to which both give a pitch; the rest of the page tells how many."""
    both, gross, n_voiced = 0, 0, 0
    for speaker in SPEAKERS:
        clean, received = joined_digits(speaker)
        if not clean.recorded:
            pytest.skip("the recordings of the Free Spoken Digit Dataset are not here")
        truth = reference["praat_pitch"](clean.signal, 8000)
        found = reference["pitch_track"](received.signal, 8000)
        common = ~np.isnan(found) & ~np.isnan(truth)
        both, n_voiced = both + common.sum(), n_voiced + np.sum(~np.isnan(truth))
        gross += np.sum(np.abs(found[common] / truth[common] - 1) > 0.2)
    assert both / n_voiced > 0.7
    assert gross / both < 0.15


def test_the_detector_hears_recorded_digits_through_the_telephone(reference):
    scores = []
    for index, speaker in enumerate(SPEAKERS):
        call, speech, sure = reference["dictated"](speaker, np.random.default_rng(index), snr=30)
        scores.append(reference["speech_scores"](reference["speech_activity"](call.signal, 8000), speech, sure)[0])
    assert np.mean(scores) > 0.85


@pytest.mark.parametrize("noise", ["hiss", "engine"])
@pytest.mark.parametrize("telephone", [False, True])
def test_a_practice_call_is_what_it_says(reference, noise, telephone):
    signal, pitch, speech, sure = reference["practice_call"](np.random.default_rng(5), 12.0, noise, telephone)
    n_frames = 1 + signal.size // 80
    assert pitch.shape == speech.shape == sure.shape == (n_frames,)
    assert np.all(speech[~np.isnan(pitch)]) and 0.2 < np.mean(speech) < 0.8
    power = reference["frames"](signal, 80, 80)
    loud, quiet = np.mean(power[speech & sure] ** 2), np.mean(power[~speech & sure] ** 2)
    assert 10 * np.log10(loud / quiet) == pytest.approx(12, abs=3)


def test_fallbacks_do_what_their_tasks_ask(lab, reference):
    """Each fallback gives the reference's result on what the lab puts to it."""
    namespace = dict(reference)
    namespace["solved"] = lambda task: False
    for cell in lab.cells:
        if cell.role is Role.FALLBACK:
            exec(cell.source, namespace)
    signal = np.array(reference["call"].signal, dtype=float)
    power, bank = reference["power_spectrogram"](signal, 256, 80), reference["mel_filters"](24, 256, 8000, 0, 4000)
    parts = np.random.default_rng(2).standard_normal((5, 3, 8)) + 0j
    uses = {
        "frames": (signal, 400, 80),
        "combine": (parts,),
        "power_spectrogram": (signal, 256, 80),
        "mel_filters": (24, 256, 8000, 0, 4000),
        "mfcc": (power, bank, 13),
        "difference": (reference["frames"](signal, 400, 80), 133),
    }
    for task, arguments in uses.items():
        np.testing.assert_allclose(namespace[task](*arguments), reference[task](*arguments), atol=1e-8, err_msg=task)
    for task in ("pitch_track", "speech_activity"):
        assert namespace[task](signal, 8000).shape == reference[task](signal, 8000).shape
    made, pitch, speech, sure = reference["practice_call"](np.random.default_rng(4), 20)
    found, gross, false = reference["pitch_scores"](namespace["pitch_track"](made, 8000), pitch, sure)
    assert found > 0.8 and gross < 0.05 and false < 0.1
    assert reference["speech_scores"](namespace["speech_activity"](made, 8000), speech, sure)[0] > 0.85
