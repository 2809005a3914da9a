"""Halves as real and imaginary parts of one array."""

import numpy as np


def rotate(x, positions, theta):
    *_, n, width = np.shape(x)
    if width % 2 == 1 or len(positions) != n:
        raise ValueError("an even width and a position for each row are needed")
    turns = 1.0 / theta ** (np.arange(0, width, 2) / width)
    phases = np.exp(1j * np.outer(positions, turns))
    turned = (x[..., : width // 2] + 1j * x[..., width // 2 :]) * phases
    return np.concatenate((turned.real, turned.imag), axis=-1)
