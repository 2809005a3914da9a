"""Phonemes and synthetic speech from espeak-ng, for sentences that nobody has recorded.

The library and its voices come with the wheel ``espeakng-loader``; espeak-ng is GPL-3 and is loaded at run time, not
linked into the kit.
"""

import ctypes
import subprocess
import sys

import numpy as np

from course.errors import CourseError

# Values of espeak-ng's speak_lib.h.
SYNCHRONOUS, RATE_PARAMETER, CHARS_UTF8, PHONEMES_IPA = 2, 1, 1, 2
SAMPLE_RATE = 22050
SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def speak(text: str, voice: str = "en-us", words_per_minute: int = 160) -> tuple[np.ndarray, int]:
    """Synthesise a sentence; the same arguments give the same samples.

    Each call runs in a process of its own: inside one process espeak-ng carries its noise and pitch generators' state
    from one sentence to the next.

    Args:
        text: what to say.
        voice: an espeak-ng voice, with a variant if wanted: "en", "en-us+f4", "en-gb-scotland". The variants +f2, +f3
            and +f5 draw noise that differs from process to process.
        words_per_minute: speaking rate, 80 to 450.

    Returns:
        signal: (n_samples,) float32 in [-1, 1], and its sample rate in Hz (22,050).

    Raises:
        CourseError: an empty text or a voice that espeak-ng does not have.
    """
    if not text.strip():
        raise CourseError("There is nothing to say: the text is empty. Give at least one word.")
    sound = _in_own_process("speak", text, voice, str(words_per_minute))
    return np.frombuffer(sound, "<i2").astype(np.float32) / 32768, SAMPLE_RATE


def phonemes(text: str, voice: str = "en-us") -> str:
    """The sounds that espeak-ng would make for a text, numbers and abbreviations read out.

    Args:
        text: what to say.
        voice: as for :func:`speak`; the accent decides the sounds.

    Returns:
        The International Phonetic Alphabet, words apart, a line for each clause.

    Raises:
        CourseError: an empty text or a voice that espeak-ng does not have.
    """
    if not text.strip():
        raise CourseError("There is nothing to say: the text is empty. Give at least one word.")
    return _in_own_process("phonemes", text, voice).decode()


def _in_own_process(*arguments: str) -> bytes:
    done = subprocess.run([sys.executable, "-m", "course.voices", *arguments], capture_output=True)
    if done.returncode:
        raise CourseError(done.stderr.decode().strip())
    return done.stdout


def _synthesise(text: str, voice: str, words_per_minute: int) -> bytes:
    library = _library(voice)
    library.espeak_SetParameter(RATE_PARAMETER, words_per_minute, 0)
    chunks = []

    @SynthCallback
    def collect(samples, count, events):
        if samples and count > 0:
            chunks.append(np.ctypeslib.as_array(samples, (count,)).astype("<i2").tobytes())
        return 0

    library.espeak_SetSynthCallback(collect)
    encoded = text.encode()
    library.espeak_Synth(encoded, len(encoded) + 1, 0, 0, 0, CHARS_UTF8, None, None)
    library.espeak_Synchronize()
    return b"".join(chunks)


def _phonemes(text: str, voice: str) -> bytes:
    library = _library(voice)
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    rest = ctypes.c_char_p(text.encode())
    clauses = []
    while rest.value:  # each call reads one clause and moves on
        clauses.append(library.espeak_TextToPhonemes(ctypes.byref(rest), CHARS_UTF8, PHONEMES_IPA) or b"")
    return b"\n".join(clause.strip() for clause in clauses if clause.strip())


def _library(voice: str) -> ctypes.CDLL:
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    sample_rate = library.espeak_Initialize(SYNCHRONOUS, 0, str(espeakng_loader.get_data_path()).encode(), 0)
    if sample_rate != SAMPLE_RATE:
        raise CourseError(f"espeak-ng did not start (code {sample_rate}); reinstall the package espeakng-loader.")
    if library.espeak_SetVoiceByName(voice.encode()):
        raise CourseError(f"espeak-ng has no voice {voice!r}; try 'en-us', 'en' or 'en-us+f4'.")
    return library


if __name__ == "__main__":
    try:
        task, text, voice, *pace = sys.argv[1:]
        answer = _phonemes(text, voice) if task == "phonemes" else _synthesise(text, voice, int(*pace))
        sys.stdout.buffer.write(answer)
    except CourseError as error:
        sys.exit(str(error))
