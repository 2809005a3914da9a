"""Features: what a recogniser reads instead of samples (Lecture 2, *Features: time against frequency*).

A chain of four steps, one module each, every one with the frames along its first axis:

1. :mod:`course.features.transform`: overlapping frames and their Fourier transforms, and the way back;
2. :mod:`course.features.mel`: the energy in some forty bands, as wide as the ear's, and its logarithm;
3. :mod:`course.features.cepstrum`: a dozen numbers for the shape of that curve (MFCC);
4. :mod:`course.features.dynamics`: how they change in time, and the same features on any telephone line.
"""

from course.features.cepstrum import dct_matrix, log_mel_from_mfcc, mfcc
from course.features.dynamics import deltas, normalise
from course.features.mel import hz_to_mel, log_mel, mel_filter_bank, mel_to_hz, power_spectra
from course.features.transform import frame_lengths, istft, stft

__all__ = [
    "dct_matrix",
    "deltas",
    "frame_lengths",
    "hz_to_mel",
    "istft",
    "log_mel",
    "log_mel_from_mfcc",
    "mel_filter_bank",
    "mel_to_hz",
    "mfcc",
    "normalise",
    "power_spectra",
    "stft",
]
