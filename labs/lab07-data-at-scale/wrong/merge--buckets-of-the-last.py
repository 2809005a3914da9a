"""A bucket that both have keeps the second count."""

# fails: merges_to_all_together

# ruff: noqa: F821 (the other names are those of the lab)


def merge(one, other):
    def end(name, choose):
        return choose((some[name] for some in (one, other) if some[name] is not None), default=None)

    return {
        **{name: one[name] + other[name] for name in ("count", "total", "squares")},
        "smallest": end("smallest", min),
        "largest": end("largest", max),
        "buckets": {**one["buckets"], **other["buckets"]},
        "callers": sorted({*one["callers"], *other["callers"]})[:KEPT],
    }
