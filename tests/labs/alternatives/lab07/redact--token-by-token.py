"""Tokens are read one after the other; a colour for each sign says to which span it belongs."""

import re

JOINTS = ("dot", "dash", "underscore")


def redact(text, names):
    shown = PLACEHOLDER.sub(lambda found: "\x00" * len(found[0]), text)  # noqa: F821 (of the lab)
    tokens = [(found.start(), found.end(), small(found[0])) for found in re.finditer(r"\w+", shown)]
    spans = [[*found.span(), "EMAIL"] for found in WRITTEN_EMAIL.finditer(small(shown))]  # noqa: F821 (of the lab)
    spans += addresses(shown, tokens) + numbers(shown, tokens)
    for name in names:
        spans += with_name(shown, tokens, small(name).split())
    spans.sort(key=lambda span: (span[0], span[0] - span[1]))
    joined = spans[:1]
    for span in spans[1:]:
        if span[0] >= joined[-1][1]:
            joined.append(span)
        elif span[1] > joined[-1][1]:
            joined[-1][1] = span[1]
    new, place = "", 0
    for start, end, kind in joined:
        new, place = f"{new}{text[place:start]}[{kind}]", end
    return {"text": new + text[place:], "spans": joined}


def small(text):
    return "".join(sign if len(sign.lower()) > 1 else sign.lower() for sign in text)


def near(shown, one, other, signs):
    between = shown[one[1] : other[0]]
    return between != "" and between.strip(signs) == ""


def addresses(shown, tokens):
    found, place = [], 0
    while place < len(tokens):
        end = end_of_address(shown, tokens, place)
        if end:
            found.append([tokens[place][0], tokens[end][1], "EMAIL"])
        place = end + 1 if end else place + 1
    return found


def end_of_address(shown, tokens, place):
    def is_next(place, some):
        if not 0 < place < len(tokens) or not near(shown, tokens[place - 1], tokens[place], " "):
            return False
        return tokens[place][2] in some if some else tokens[place][2] not in (*JOINTS, "at")

    if tokens[place][2] in (*JOINTS, "at"):
        return 0
    while is_next(place + 1, JOINTS) and is_next(place + 2, ()):
        place += 2
    if not (is_next(place + 1, ("at",)) and is_next(place + 2, ())):
        return 0
    place += 2
    last = place
    while is_next(last + 1, ("dot",)) and is_next(last + 2, ()):
        last += 2
    return last if last > place else 0


def numbers(shown, tokens):
    runs, place = [], 0
    while place < len(tokens):
        digits, used = digits_at(shown, tokens, place)
        if used:
            run = runs[-1] if runs else None
            if run and run[1] == place - 1 and near(shown, tokens[place - 1], tokens[place], " .,()/-"):
                run[1], run[2] = place + used - 1, run[2] + digits
            else:
                runs.append([place, place + used - 1, digits])
        place += max(used, 1)
    return [
        [tokens[first][0], tokens[last][1], "NUMBER" if digits < 13 else "CARD"]
        for first, last, digits in runs
        if digits > 3
    ]


def digits_at(shown, tokens, place):
    word, after = tokens[place][2], ""
    if place + 1 < len(tokens) and near(shown, tokens[place], tokens[place + 1], " .,()/-"):
        after = tokens[place + 1][2]
    if word.isdecimal() and word.isascii():
        return len(word), 1
    if word in ("double", "triple") and (after in ONES or (after.isascii() and after.isdecimal() and len(after) == 1)):  # noqa: F821 (of the lab)
        return 2 + (word == "triple"), 2
    if word in ONES:  # noqa: F821 (of the lab)
        return 1, 1
    if word in TENS:  # noqa: F821 (of the lab)
        return 2, 2 if after in ONES and after not in ("zero", "oh") else 1  # noqa: F821 (of the lab)
    return (2, 1) if word in TEENS else (0, 0)  # noqa: F821 (of the lab)


def with_name(shown, tokens, parts):
    spelled = re.compile(" +".join(re.escape(part) for part in parts))
    found, end = [], 0
    for start, _, _ in tokens if parts else ():
        here = spelled.match(small(shown), start)
        is_whole = here and not re.match(r"\w", shown[here.end() : here.end() + 1])
        if is_whole and start >= end:
            end = here.end()
            found.append([start, end, "NAME"])
    return found
