"""One table for paths that end in the blank, one for those that end in a label."""

import numpy as np


def prefix_beam_search(log_probs, beam_width):
    log_probs = np.array(log_probs, dtype=float)
    if log_probs.ndim != 2 or log_probs.shape[1] < 1:
        raise ValueError("log probabilities are frames by symbols")
    if beam_width <= 0:
        raise ValueError("a beam keeps one text at least")

    def put(table, text, score):
        table[text] = np.logaddexp(table[text], score) if text in table else score

    def total(text):
        return np.logaddexp(blanks.get(text, -np.inf), labels.get(text, -np.inf))

    blanks, labels, kept = {(): 0.0}, {}, [()]
    for frame in log_probs:
        next_blanks, next_labels = {}, {}
        for text in kept:
            put(next_blanks, text, total(text) + frame[0])
            if text and text in labels:
                put(next_labels, text, labels[text] + frame[text[-1]])
            for symbol in range(1, len(frame)):
                repeated = bool(text) and text[-1] == symbol
                source = blanks.get(text, -np.inf) if repeated else total(text)
                put(next_labels, text + (symbol,), source + frame[symbol])
        blanks, labels = next_blanks, next_labels
        kept = sorted({*blanks, *labels}, key=total, reverse=True)[:beam_width]
    return list(kept[0]), float(total(kept[0]))
