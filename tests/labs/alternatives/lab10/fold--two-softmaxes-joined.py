"""The softmax of the tile alone, then two states joined."""

import numpy as np


def joined(one, other):
    top = np.maximum(one["maximum"], other["maximum"])
    shares = []
    for state in (one, other):
        with np.errstate(invalid="ignore"):
            shares.append(np.nan_to_num(np.exp(state["maximum"] - top)))
    total = sum(share * state["total"] for share, state in zip(shares, (one, other), strict=True))
    weighted = sum(share[:, None] * state["weighted"] for share, state in zip(shares, (one, other), strict=True))
    return {"maximum": top, "total": total, "weighted": weighted}


def fold(state, queries, keys, values, first_query, first_key):
    if len(keys) != len(values):
        raise ValueError("a key without its value")
    if queries.shape[-1] != keys.shape[-1]:
        raise ValueError("keys and queries are not equally wide")
    n = len(queries)
    sees = np.tri(n, len(keys), first_query - first_key, dtype=bool)
    scores = np.einsum("id,jd->ij", queries / queries.shape[1] ** 0.5, keys)
    top = np.max(scores, axis=1, where=sees, initial=-np.inf)
    weights = np.zeros(scores.shape)
    np.exp(scores - np.where(sees.any(axis=1), top, 0.0)[:, None], where=sees, out=weights)
    tile = {"maximum": top, "total": weights.sum(axis=1), "weighted": weights @ values}
    return tile if state is None else joined(state, tile)
