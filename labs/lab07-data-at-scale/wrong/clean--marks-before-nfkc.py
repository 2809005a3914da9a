"""Marks are looked for before wide brackets are brackets, and once."""

# fails: cleaning_twice_is_cleaning_once

# ruff: noqa: F821 (the other names are those of the lab)

import re
import unicodedata


def clean(text):
    def once(text):
        text = re.sub(r"\[[a-z ]*\]|<[a-z ]*>", " ", text)
        text = unicodedata.normalize("NFKC", text).translate(PLAIN)
        text = "".join(" " if sign.isspace() else sign for sign in text)
        text = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cf"))
        return " ".join(text.split())

    return once(text)
