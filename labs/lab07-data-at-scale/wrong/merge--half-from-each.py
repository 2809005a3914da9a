"""Half of the hashes are taken from each side."""

# fails: merges_to_all_together

# ruff: noqa: F821 (the other names are those of the lab)


def merge(one, other):
    def end(name, choose):
        return choose((some[name] for some in (one, other) if some[name] is not None), default=None)

    names = {*one["buckets"], *other["buckets"]}
    return {
        **{name: one[name] + other[name] for name in ("count", "total", "squares")},
        "smallest": end("smallest", min),
        "largest": end("largest", max),
        "buckets": {name: one["buckets"].get(name, 0) + other["buckets"].get(name, 0) for name in names},
        "callers": sorted({*one["callers"][: KEPT // 2], *other["callers"][: KEPT // 2]}),
    }
