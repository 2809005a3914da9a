"""A text that is reached in two ways keeps the last one only."""

# fails: finds_the_best_of_all_texts

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def prefix_beam_search(log_probs, beam_width):
    log_probs = np.asarray(log_probs, dtype=float)
    if log_probs.ndim != 2 or log_probs.shape[1] == 0:
        raise ValueError(f"Expected (n_frames, n_symbols); got {log_probs.shape}.")
    if beam_width < 1:
        raise ValueError(f"Expected a beam of 1 text or more; got {beam_width}.")

    def add(sums, text, in_blank, in_label):
        old = sums.get(text, (-np.inf, -np.inf))
        sums[text] = (old[0] if in_blank == -np.inf else in_blank), (old[1] if in_label == -np.inf else in_label)

    beam = {(): (0.0, -np.inf)}  # text: log p of its paths that end in the blank, in its last label
    for frame in log_probs:
        after = {}
        for text, (in_blank, in_label) in beam.items():
            both = np.logaddexp(in_blank, in_label)
            add(after, text, both + frame[BLANK], -np.inf)
            for label in range(1, len(frame)):
                again = text[-1:] == (label,)
                if again:
                    add(after, text, -np.inf, in_label + frame[label])
                source = in_blank if again else both
                add(after, (*text, label), -np.inf, source + frame[label])
        ranked = sorted(after, key=lambda text: -np.logaddexp(*after[text]))
        beam = {text: after[text] for text in ranked[:beam_width]}
    best = max(beam, key=lambda text: np.logaddexp(*beam[text]))
    return list(best), float(np.logaddexp(*beam[best]))
