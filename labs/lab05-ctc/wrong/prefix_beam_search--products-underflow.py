"""Probabilities in place of their logarithms: 0 for improbable recordings."""

# fails: stands_zeros_and_long_recordings

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def prefix_beam_search(log_probs, beam_width):
    log_probs = np.asarray(log_probs, dtype=float)
    if log_probs.ndim != 2 or log_probs.shape[1] == 0:
        raise ValueError(f"Expected (n_frames, n_symbols); got {log_probs.shape}.")
    if beam_width < 1:
        raise ValueError(f"Expected a beam of 1 text or more; got {beam_width}.")

    def add(sums, text, in_blank, in_label):
        old = sums.get(text, (0.0, 0.0))
        sums[text] = old[0] + in_blank, old[1] + in_label

    beam = {(): (1.0, 0.0)}  # text: log p of its paths that end in the blank, in its last label
    for frame in np.exp(log_probs):
        after = {}
        for text, (in_blank, in_label) in beam.items():
            both = in_blank + in_label
            add(after, text, both * frame[BLANK], 0.0)
            for label in range(1, len(frame)):
                again = text[-1:] == (label,)
                if again:
                    add(after, text, 0.0, in_label * frame[label])
                source = in_blank if again else both
                add(after, (*text, label), 0.0, source * frame[label])
        ranked = sorted(after, key=lambda text: -sum(after[text]))
        beam = {text: after[text] for text in ranked[:beam_width]}
    best = max(beam, key=lambda text: sum(beam[text]))
    with np.errstate(divide="ignore"):
        return list(best), float(np.log(sum(beam[best])))
