"""The cosine transform as the Fourier transform of the bands and their mirror image."""

import numpy as np


def mfcc(power, filters, n_coefficients):
    power, filters = np.asarray(power, dtype=float), np.asarray(filters, dtype=float)
    if power.ndim != 2 or filters.ndim != 2:
        raise ValueError("expected two axes each")
    if power.shape[1] != filters.shape[1] or n_coefficients < 1 or n_coefficients > len(filters):
        raise ValueError("shapes do not fit")
    bands = power @ filters.T
    bands[bands < 1e-8] = 1e-8
    levels, n = np.log(bands), len(filters)
    mirrored = np.concatenate([levels, levels[:, ::-1]], axis=1)
    q = np.arange(n_coefficients)
    halves = np.fft.fft(mirrored, axis=1)[:, :n_coefficients] if len(power) else np.zeros((0, n_coefficients))
    coefficients = (halves * np.exp(-1j * np.pi * q / (2 * n))).real / 2
    coefficients *= np.sqrt(2 / n)
    coefficients[:, 0] /= np.sqrt(2)
    return coefficients
