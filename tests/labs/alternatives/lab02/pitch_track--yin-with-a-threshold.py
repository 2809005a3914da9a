"""YIN as published: the first dip below a threshold, else the deepest; a parabola through its bottom."""

# ruff: noqa: F821 (the other functions are those of the lab)

import numpy as np


def pitch_track(signal, sample_rate):
    signal = np.asarray(signal, dtype=float)
    if signal.ndim != 1:
        raise ValueError("expected one channel")
    if sample_rate < 8000 or sample_rate > 16000:
        raise ValueError("expected 8000 to 16000 Hz")
    longest = int(np.ceil(sample_rate / 62))
    hop_length = round(0.01 * sample_rate)
    pitch = []
    for frame in frames(signal, longest + int(0.03 * sample_rate), hop_length):
        unlike = difference(frame, longest)
        running = np.cumsum(unlike[1:])
        if running[-1] <= 0:
            pitch.append(np.nan)
            continue
        curve = np.ones(longest + 1)
        curve[1:] = unlike[1:] * np.arange(1, longest + 1) / np.maximum(running, 1e-30)
        lag = None
        for candidate in range(int(sample_rate / 400), longest):
            is_dip = curve[candidate] <= curve[candidate - 1] and curve[candidate] <= curve[candidate + 1]
            if is_dip and curve[candidate] < 0.15:
                lag = candidate
                break
        if lag is None:
            start = int(sample_rate / 400)
            lag = start + int(np.argmin(curve[start:longest]))
        if curve[lag] > 0.3:
            pitch.append(np.nan)
            continue
        before, here, after = curve[lag - 1 : lag + 2]
        bend = before - 2 * here + after
        pitch.append(sample_rate / (lag + (0.5 * (before - after) / bend if bend > 0 else 0)))
    return np.array(pitch)
