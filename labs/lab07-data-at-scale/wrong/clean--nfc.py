"""NFC keeps ligatures and wide letters."""

# fails: brings_signs_into_one_form

# ruff: noqa: F821 (the other names are those of the lab)

import re
import unicodedata


def clean(text):
    def once(text):
        text = unicodedata.normalize("NFC", text).translate(PLAIN)
        text = "".join(" " if sign.isspace() else sign for sign in text)
        text = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cf"))
        text = re.sub(r"\[[a-z ]*\]|<[a-z ]*>", " ", text)
        return " ".join(text.split())

    while (cleaner := once(text)) != text:
        text = cleaner
    return text
