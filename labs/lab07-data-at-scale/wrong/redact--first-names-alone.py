"""Only the first word of a name is replaced."""

# fails: finds_names

# ruff: noqa: F821 (the other names are those of the lab)

import re


def redact(text, names):
    def lower(text):
        return "".join(sign.lower() if len(sign.lower()) == 1 else sign for sign in text)

    def any_of(some):
        return f"(?:{'|'.join(some)})\\b"

    low, gap = lower(PLACEHOLDER.sub(lambda found: "\ufffc" * len(found[0]), text)), r"[ .,()/-]+"
    single, unit = any_of([*ONES, "[0-9]"]), any_of(ONES[2:])
    number = rf"\b(?:(?:double|triple){gap}{single}|[0-9]+\b|{any_of(ONES + TEENS)}|{any_of(TENS)}(?:{gap}{unit})?)"
    word = r"(?!(?:at|dot|dash|underscore)\b)\w+"
    spoken = rf"\b{word}(?: +(?:dot|dash|underscore) +{word})* +at +{word}(?: +dot +{word})+"

    def digits_in(item):
        first = words(item)[0]
        if first.isdecimal():
            return len(first)
        return 1 if first in ONES else 3 if first == "triple" else 2

    found = [(*one.span(), "EMAIL") for rule in (WRITTEN_EMAIL, spoken) for one in re.finditer(rule, low)]
    for run in re.finditer(rf"{number}(?:{gap}{number})*", low):
        n_digits = sum(digits_in(item[0]) for item in re.finditer(number, run[0]))
        if n_digits >= 4:
            found.append((*run.span(), "CARD" if n_digits >= 13 else "NUMBER"))
    for name in names:
        parts = " +".join(re.escape(part) for part in lower(name).split()[:1])
        found += [(*one.span(), "NAME") for one in re.finditer(rf"\b{parts}\b", low) if parts]
    spans = []
    for start, end, kind in sorted(found, key=lambda one: (one[0], -one[1])):
        if spans and start < spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], end)
        else:
            spans.append([start, end, kind])
    for start, end, kind in reversed(spans):
        text = f"{text[:start]}[{kind}]{text[end:]}"
    return {"text": text, "spans": spans}
