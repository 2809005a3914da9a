"""From text to sound: phonemes, a voice made of four resonances, and a vocoder (Lecture 6).

espeak-ng says which sounds a text has (`course.voices.phonemes`). The voice here gives each sound three resonances of
the mouth, slides from one to the next, and sends pulses (the vocal folds) or noise (a narrow place) through them: the
synthesis of the 1950s to 1990s, small enough to read. It speaks vowels, glides, nasals and fricatives, and no stops.

Sources: D. H. Klatt, Software for a cascade/parallel formant synthesizer, Journal of the Acoustical Society of America
67 (1980); G. E. Peterson and H. L. Barney, Control methods used in a study of the vowels, same journal 24 (1952), for
the vowels' resonances.
"""

from typing import NamedTuple

import numpy as np

from course.errors import CourseError
from course.filters import resonator
from course.sampling import check_sample_rate

SAMPLE_RATE = 16_000  # Hz
FRAME = 0.005  # seconds in which the resonances stand still
BANDWIDTHS = (70.0, 100.0, 140.0, 220.0)  # Hz, of the four resonances
FOURTH = 3500.0  # Hz, the same for all sounds
PITCH = (125.0, 85.0)  # Hz, at the start and at the end
BREAK = 0.15  # seconds of silence for a comma
SLIDE = 0.1  # seconds from one sound to the next
STRESS, LONG = "ˈˌ", "ː"


class Sound(NamedTuple):
    """How one phoneme is made.

    Attributes:
        resonances: the lowest three, Hz.
        seconds: how long it lasts, slides included.
        voice, breath: loudness of the pulses and of the noise, 0 to 1.
    """

    resonances: tuple[float, float, float]
    seconds: float
    voice: float = 1.0
    breath: float = 0.0


SOUNDS = {
    "i": Sound((270, 2290, 3010), 0.14),
    "ɪ": Sound((390, 1990, 2550), 0.13),
    "e": Sound((480, 1950, 2550), 0.14),
    "ɛ": Sound((530, 1840, 2480), 0.15),
    "æ": Sound((660, 1720, 2410), 0.18),
    "a": Sound((730, 1250, 2500), 0.17),
    "ɑ": Sound((730, 1090, 2440), 0.18),
    "ɔ": Sound((570, 840, 2410), 0.17),
    "o": Sound((500, 900, 2400), 0.15),
    "ʊ": Sound((440, 1020, 2240), 0.13),
    "u": Sound((300, 870, 2240), 0.14),
    "ʌ": Sound((640, 1190, 2390), 0.14),
    "ɐ": Sound((600, 1250, 2450), 0.11),
    "ə": Sound((500, 1400, 2400), 0.10),
    "ɜ": Sound((490, 1350, 1690), 0.15),
    "ɚ": Sound((490, 1350, 1690), 0.14),
    "ɹ": Sound((330, 1060, 1380), 0.13, 0.8),
    "l": Sound((340, 1050, 2880), 0.13, 0.7),
    "w": Sound((290, 610, 2150), 0.13, 0.7),
    "j": Sound((260, 2070, 3020), 0.11, 0.7),
    "m": Sound((250, 1100, 2100), 0.13, 0.4),
    "n": Sound((250, 1600, 2500), 0.11, 0.4),
    "ŋ": Sound((250, 2000, 2700), 0.13, 0.4),
    "h": Sound((500, 1500, 2500), 0.10, 0.0, 0.25),
    "v": Sound((280, 1100, 2100), 0.11, 0.4, 0.1),
    "z": Sound((280, 1700, 2600), 0.14, 0.3, 0.3),
    "s": Sound((280, 1700, 2600), 0.17, 0.0, 0.5),
    "ʃ": Sound((300, 1800, 2400), 0.17, 0.0, 0.6),
    "f": Sound((280, 1100, 2100), 0.15, 0.0, 0.2),
}


def sounds_of(phonemes: str) -> list[Sound]:
    """The sounds of a line of phonemes, stressed ones longer.

    Args:
        phonemes: in the International Phonetic Alphabet, as `course.voices.phonemes` writes them. A mark before a sound
            stresses the next vowel, ``ː`` makes the sound before it longer, a comma is a short silence.

    Raises:
        CourseError: no sounds, or one that this voice cannot make.
    """
    sounds, stress = [], 1.0
    for symbol in phonemes:
        if symbol in STRESS:
            stress = 1.25
        elif symbol == LONG and sounds:
            sounds[-1] = sounds[-1]._replace(seconds=1.4 * sounds[-1].seconds)
        elif symbol in SOUNDS:
            sound = SOUNDS[symbol]
            vowel = sound.voice == 1
            sounds.append(sound._replace(seconds=sound.seconds * (stress if vowel else 1)))
            stress = 1.0 if vowel else stress
        elif symbol == "," and sounds:
            sounds.append(sounds[-1]._replace(seconds=BREAK, voice=0.0, breath=0.0))
        elif not symbol.isspace():
            raise CourseError(f"This voice cannot say {symbol!r}; it has: {' '.join(SOUNDS)}. Choose other words.")
    if not sounds:
        raise CourseError("Phonemes were expected and none came. Try 'wiː wɜː ɐwˈeɪ'.")
    return sounds


def tracks(sounds: list[Sound]) -> np.ndarray:
    """What the voice does from frame to frame: each value stays within a sound and slides straight to the next one.

    Args:
        sounds: at least one.

    Returns:
        ``(n_frames, 5)`` for every 5 ms: three resonances in Hz, loudness of the voice and of the breath.
    """
    seconds = np.array([sound.seconds for sound in sounds])
    ends = np.cumsum(seconds)
    slide = np.minimum(SLIDE, seconds) / 2
    moments = np.ravel(np.column_stack([ends - seconds + slide, ends - slide]))
    values = np.repeat([(*sound.resonances, sound.voice, sound.breath) for sound in sounds], 2, axis=0)
    frames = np.arange(FRAME / 2, ends[-1], FRAME)
    return np.column_stack([np.interp(frames, moments, column) for column in values.T])


def voice(phonemes: str, pitch: tuple[float, float] = PITCH) -> np.ndarray:
    """Say phonemes.

    Args:
        phonemes: see :func:`sounds_of`.
        pitch: of the voice at the start and at the end, Hz.

    Returns:
        ``(n_samples,)`` float64 at 16 kHz, peak 0.5.

    Raises:
        CourseError: see :func:`sounds_of`.
        ValueError: a pitch outside 40 to 500 Hz.
    """
    if min(pitch) < 40 or max(pitch) > 500:
        raise ValueError(f"A pitch between 40 and 500 Hz was expected and {pitch} came.")
    course = tracks(sounds_of(phonemes))
    hop = round(FRAME * SAMPLE_RATE)
    loud = np.repeat(course[:, 3], hop)
    breath = np.random.default_rng(0).standard_normal(loud.size) * np.repeat(course[:, 4], hop)
    excitation = loud * pulses(np.linspace(*pitch, loud.size)) + 0.1 * breath
    sound = through_resonances(excitation, course[:, :3])
    fade = np.minimum(1, np.arange(sound.size) / 160)
    sound *= fade * fade[::-1]
    return 0.5 * sound / np.abs(sound).max()


def pulses(pitch: np.ndarray) -> np.ndarray:
    """What the vocal folds give: a puff of air in each period, weaker by 12 dB for each octave up.

    Args:
        pitch: ``(n_samples,)`` Hz, of each sample at 16 kHz.

    Returns:
        ``(n_samples,)``.
    """
    from scipy.signal import lfilter

    cycles = np.cumsum(pitch / SAMPLE_RATE)
    ticks = np.diff(np.floor(cycles), prepend=0.0)
    puffs = lfilter([1], np.convolve([1, -0.97], [1, -0.9]), ticks)
    return lfilter([1, -1], [1], puffs)  # the lips pass on changes of the flow


def through_resonances(excitation: np.ndarray, resonances: np.ndarray) -> np.ndarray:
    """Send a sound through four resonances in a row, the lowest three of which move.

    Args:
        excitation: ``(n_samples,)`` at 16 kHz.
        resonances: ``(n_frames, 3)`` Hz, one row for each 5 ms.

    Returns:
        ``(n_samples,)``.
    """
    from scipy.signal import lfilter

    blocks = excitation.reshape(len(resonances), -1).copy()
    for number, bandwidth in enumerate(BANDWIDTHS):
        memory = np.zeros(2)
        for block, row in zip(blocks, resonances, strict=True):
            frequency = row[number] if number < 3 else FOURTH
            _, a = resonator(frequency, 1 / (np.pi * bandwidth), SAMPLE_RATE)
            block[:], memory = lfilter([a.sum()], a, block, zi=memory)  # gain 1 at 0 Hz
    return blocks.ravel()


def through_mel(signal, sample_rate: float, n_mels: int = 40, n_iterations: int = 32) -> np.ndarray:
    """What is left of speech when only mel bands are kept: the last step of most speech synthesis, by Griffin-Lim.

    Args:
        signal: ``(n_samples,)``.
        sample_rate: Hz.
        n_mels: bands that are kept, with no phase.
        n_iterations: of the search for phases that fit.

    Returns:
        ``(n_samples,)`` at the same rate.

    Raises:
        ValueError: fewer than one band, or not a signal.
    """
    from course.features import log_mel
    from course.reconstruction import speech_from_log_mel

    check_sample_rate(sample_rate)
    if n_mels < 1:
        raise ValueError(f"At least one mel band was expected and {n_mels} came. Speech synthesis usually has 80.")
    bands = log_mel(signal, sample_rate, n_mels=n_mels)
    sound = speech_from_log_mel(bands, sample_rate, n_iterations=n_iterations)
    return np.pad(sound, (0, max(0, len(signal) - len(sound))))[: len(signal)]
