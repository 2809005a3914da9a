"""Each step is done until it changes nothing, and all of them until none does."""

import re
import unicodedata


def clean(text):
    steps = [
        lambda some: unicodedata.normalize("NFKC", some),
        lambda some: "".join(PLAIN.get(ord(sign), sign) for sign in some),  # noqa: F821 (of the lab)
        lambda some: re.sub(r"\s|[\x1c-\x1f\x85]", " ", some),
        lambda some: "".join(sign for sign in some if unicodedata.category(sign)[0] != "C" or is_other(sign)),
        lambda some: re.sub(r"\[[a-z ]*\]|<[a-z ]*>", " ", some),
        lambda some: re.sub(" +", " ", some).strip(" "),
    ]
    before = None
    while before != text:
        before = text
        for step in steps:
            text = step(text)
    return text


def is_other(sign):
    return unicodedata.category(sign) in ("Cn", "Co", "Cs")
