"""Windows that are carried along: add the new minute, take the old one away; fractions are compared as products."""


def first_page(total, failed, budget, expected, rules):
    total, failed = [int(one) for one in total], [int(one) for one in failed]
    if len(total) != len(failed):
        raise ValueError("minutes are missing")
    if any(bad < 0 or bad > came for came, bad in zip(total, failed, strict=True)):
        raise ValueError("failures are requests")
    if not (budget > 0 and budget < 1 and expected > 0):
        raise ValueError("a budget is a share")
    if not rules or any(short < 1 or long < short or not factor > 0 for long, short, factor in rules):
        raise ValueError("rules are out of range")
    windows = {window: [0, 0] for rule in rules for window in rule[:2]}
    gone = 0
    for minute, (came, bad) in enumerate(zip(total, failed, strict=True)):
        gone += bad
        for window, sums in windows.items():
            sums[0] += came
            sums[1] += bad
            if minute >= window:
                sums[0] -= total[minute - window]
                sums[1] -= failed[minute - window]
        for place, (long, short, factor) in enumerate(rules):
            asked = [windows[long], windows[short]]
            if all(sums[0] and sums[1] >= factor * budget * sums[0] * (1 - 1e-12) for sums in asked):
                return {"minute": minute, "rule": place, "spent": gone / budget / expected}
    return {"minute": None, "rule": None, "spent": gone / budget / expected}
