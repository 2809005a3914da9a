"""Dips are compared at whole lags, and the parabola comes after: of high voices a later dip looks deeper."""

# fails: follows_unseen_voices

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def pitch_track(signal, sample_rate):
    if np.ndim(signal) != 1 or not 8000 <= sample_rate <= 16000:
        raise ValueError("expected one channel at 8000 to 16000 Hz")
    shortest, longest = int(sample_rate / 400), round(sample_rate / 60)
    cut = frames(signal, longest + round(0.03 * sample_rate), round(0.01 * sample_rate))
    unlike = difference(cut, longest)[:, 1:]
    mean = np.cumsum(unlike, axis=1) / np.arange(1, longest + 1)
    curve = (unlike / (mean + 1e-20))[:, shortest - 1 :]
    before, here, after = curve[:, :-2], curve[:, 1:-1], curve[:, 2:]
    shift = (before - after) / (2 * np.maximum(before - 2 * here + after, 1e-9))
    depth = np.where((here <= before) & (here < after), here, np.inf)
    deepest = depth.min(axis=1, keepdims=True)
    first = np.argmax(depth <= deepest + 0.01, axis=1)
    lag = shortest + 1 + first + shift[np.arange(len(cut)), first]
    return np.where(deepest[:, 0] < 0.35, sample_rate / lag, np.nan)
