"""A chain that steps on at every frame and so never waits: slow speech runs past its end."""

# fails: hears_slow_speech

import numpy as np


def recognise(frames, lengths, words, unknown, unknown_lengths):
    if len(lengths) == 0 or len(words) != len(lengths):
        raise ValueError("words and recordings differ in number, or there are none")
    if np.sum(lengths) != len(frames) or np.sum(unknown_lengths) != len(unknown):
        raise ValueError("the lengths do not add up")
    if frames.shape[1] != unknown.shape[1]:
        raise ValueError("the numbers of features differ")
    recordings = np.split(frames, np.cumsum(lengths))[:-1]
    heard = []
    for one in np.split(unknown, np.cumsum(unknown_lengths))[:-1]:
        apart = [
            np.mean((one[: len(other)] - other[: len(one)]) ** 2) if len(one) and len(other) else np.inf
            for other in recordings
        ]
        heard.append(words[int(np.argmin(apart))])
    return heard
