"""The mean of no samples is NaN: the empty signal is forgotten."""
# fails: empty_signal_is_silent

import numpy as np


def rms_level(signal):
    return float(np.sqrt(np.mean(np.square(signal))))
