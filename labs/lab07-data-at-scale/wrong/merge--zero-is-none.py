"""An end of 0 is taken for none."""

# fails: nothing_changes_nothing

# ruff: noqa: F821 (the other names are those of the lab)


def merge(one, other):
    def end(name, choose):
        return choose((some[name] for some in (one, other) if some[name]), default=None)

    names = {*one["buckets"], *other["buckets"]}
    return {
        **{name: one[name] + other[name] for name in ("count", "total", "squares")},
        "smallest": end("smallest", min),
        "largest": end("largest", max),
        "buckets": {name: one["buckets"].get(name, 0) + other["buckets"].get(name, 0) for name in names},
        "callers": sorted({*one["callers"], *other["callers"]})[:KEPT],
    }
