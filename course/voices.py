"""Speech synthesis with espeak-ng, for sentences that nobody has recorded.

The library and its voices come with the wheel ``espeakng-loader``; espeak-ng is GPL-3 and is loaded at run time, not
linked into the kit.
"""

import ctypes
import subprocess
import sys

import numpy as np

from course.errors import CourseError

# Values of espeak-ng's speak_lib.h.
SYNCHRONOUS, RATE_PARAMETER, CHARS_UTF8 = 2, 1, 1
SAMPLE_RATE = 22050
SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def speak(text: str, voice: str = "en-us", words_per_minute: int = 160) -> tuple[np.ndarray, int]:
    """Synthesise a sentence; the same arguments give the same samples.

    Each call runs in a process of its own: inside one process espeak-ng carries its noise and pitch generators' state
    from one sentence to the next.

    Args:
        text: what to say.
        voice: an espeak-ng voice, with a variant if wanted: "en-gb", "en-us+f3", "en-gb-scotland".
        words_per_minute: speaking rate, 80 to 450.

    Returns:
        signal: (n_samples,) float32 in [-1, 1], and its sample rate in Hz (22,050).

    Raises:
        CourseError: an empty text or a voice that espeak-ng does not have.
    """
    if not text.strip():
        raise CourseError("There is nothing to say: the text is empty. Give at least one word.")
    command = [sys.executable, "-m", "course.voices", text, voice, str(words_per_minute)]
    done = subprocess.run(command, capture_output=True)
    if done.returncode:
        raise CourseError(done.stderr.decode().strip())
    return np.frombuffer(done.stdout, "<i2").astype(np.float32) / 32768, SAMPLE_RATE


def _synthesise(text: str, voice: str, words_per_minute: int) -> bytes:
    library = _library()
    if library.espeak_SetVoiceByName(voice.encode()):
        raise CourseError(f"espeak-ng has no voice {voice!r}; try 'en-us', 'en-gb' or 'en-us+f3'.")
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


def _library() -> ctypes.CDLL:
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    sample_rate = library.espeak_Initialize(SYNCHRONOUS, 0, str(espeakng_loader.get_data_path()).encode(), 0)
    if sample_rate != SAMPLE_RATE:
        raise CourseError(f"espeak-ng did not start (code {sample_rate}); reinstall the package espeakng-loader.")
    return library


if __name__ == "__main__":
    try:
        sys.stdout.buffer.write(_synthesise(sys.argv[1], sys.argv[2], int(sys.argv[3])))
    except CourseError as error:
        sys.exit(str(error))
