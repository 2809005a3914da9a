"""One coefficient after the other, each a weighted sum."""

import numpy as np


def mfcc(power, filters, n_coefficients):
    if np.ndim(power) != 2 or np.ndim(filters) != 2 or np.shape(power)[1] != np.shape(filters)[1]:
        raise ValueError("shapes do not fit")
    n_filters = np.shape(filters)[0]
    if n_coefficients not in range(1, n_filters + 1):
        raise ValueError("too many coefficients, or none")
    levels = np.log(np.clip(np.dot(power, np.transpose(filters)), 1e-8, np.inf))
    columns = []
    for q in range(n_coefficients):
        cosine = np.cos(np.pi * q * (np.arange(n_filters) + 0.5) / n_filters)
        columns.append((levels * cosine / np.linalg.norm(cosine)).sum(axis=1))
    return np.stack(columns, axis=1)
