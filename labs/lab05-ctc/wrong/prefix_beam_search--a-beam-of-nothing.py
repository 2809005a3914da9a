"""A beam of no texts is not refused; whoever takes the best of nothing stops with another error."""

# fails: refuses_beams_that_keep_nothing

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def prefix_beam_search(log_probs, beam_width):
    log_probs = np.asarray(log_probs, dtype=float)
    if log_probs.ndim != 2 or log_probs.shape[1] == 0:
        raise ValueError(f"Expected (n_frames, n_symbols); got {log_probs.shape}.")
    beam_width = max(1, beam_width)

    def add(sums, text, in_blank, in_label):
        old = sums.get(text, (-np.inf, -np.inf))
        sums[text] = np.logaddexp(old[0], in_blank), np.logaddexp(old[1], in_label)

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
