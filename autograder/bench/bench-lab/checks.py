"""Hidden checks of the bench lab: loops over single numbers as oracles.

They use nothing but ``expect.close`` and ``expect.raises``, so that :mod:`autograder.bench.stock` can turn each of them
into a hidden test of nbgrader's.
"""

import math

import numpy as np

from course.lab.checking import check, expect, oracle


@oracle("log_softmax")
def log_softmax(logits):
    rows = []
    for row in logits:
        largest = max(row)
        total = math.fsum(math.exp(logit - largest) for logit in row)
        rows.append([logit - largest - math.log(total) for logit in row])
    return np.array(rows)


@oracle("attend")
def attend(query, keys, values):
    scores = [sum(q * k for q, k in zip(query, key, strict=True)) / math.sqrt(len(query)) for key in keys]
    weights = np.exp(log_softmax([scores])[0])
    return np.array([math.fsum(w * row[column] for w, row in zip(weights, values, strict=True)) for column in (0, 1)])


@oracle("masked_mean")
def masked_mean(values, mask):
    kept = [[value for value, keep in zip(*row, strict=True) if keep] for row in zip(values, mask, strict=True)]
    return np.array([math.fsum(row) / max(len(row), 1) for row in kept])


@oracle("likeliest")
def likeliest(logits, k):
    return np.array(sorted(range(len(logits)), key=lambda index: -logits[index])[:k])


@check("log_softmax", hint="Subtract the logarithm of the sum of exponentials, row by row.")
def agrees_with_the_sum(student, rng):
    logits = rng.normal(0, 3, size=(5, 7))
    expect.close(student(logits), log_softmax(logits), atol=1e-9)


@check("log_softmax", hint="Logits of a thousand overflow exp: take the row's maximum out first.")
def survives_large_logits(student, rng):
    logits = rng.normal(1000, 300, size=(3, 5))
    expect.close(student(logits), log_softmax(logits), atol=1e-9)


@check("attend", hint="Softmax over the keys, one weight for each value, scores scaled by the root of the width.")
def agrees_with_the_loop(student, rng):
    query, keys, values = rng.normal(size=9), rng.normal(size=(6, 9)), rng.normal(size=(6, 2))
    expect.close(student(query, keys, values), attend(query, keys, values), atol=1e-9)


@check("attend", hint="A key that fits far better than the others takes all of the weight.")
def looks_at_the_best_key(student, rng):
    keys, values = np.eye(4), rng.normal(size=(4, 2))
    expect.close(student(1e5 * keys[2], keys, values), values[2], atol=1e-9)


@check("masked_mean", hint="Divide by how many places are true in this row, not by the row's length.")
def counts_true_places(student, rng):
    values, mask = rng.normal(1, 1, size=(6, 10)), rng.random((6, 10)) < 0.6
    expect.close(student(values, mask), masked_mean(values, mask), atol=1e-9)


@check("masked_mean", hint="A row with no true place has the mean 0, without a warning and without NaN.")
def rows_without_any_are_zero(student, rng):
    values, mask = rng.normal(size=(3, 4)), np.array([[True] * 4, [False] * 4, [True, False] * 2])
    expect.close(student(values, mask), masked_mean(values, mask), atol=1e-9)


@check("likeliest", hint="Indices, not values, and the index of the largest comes first.")
def orders_by_logit(student, rng):
    logits = rng.permutation(12) + rng.random()
    for k in (1, 5, 12):
        expect.close(student(logits, k), likeliest(logits, k))


@check("likeliest", hint="There are no more than n_tokens tokens, and at least one is asked for: ValueError otherwise.")
def refuses_other_counts(student, rng):
    logits = rng.normal(size=4)
    expect.raises(student, ValueError, logits, 5)
    expect.raises(student, ValueError, logits, 0)
