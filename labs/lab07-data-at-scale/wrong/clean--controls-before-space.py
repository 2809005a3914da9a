"""White space that is a control sign goes, and joins its neighbours."""

# fails: brings_signs_into_one_form

# ruff: noqa: F821 (the other names are those of the lab)

import re
import unicodedata


def clean(text):
    def once(text):
        text = unicodedata.normalize("NFKC", text).translate(PLAIN)
        text = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cf"))
        text = "".join(" " if sign.isspace() else sign for sign in text)
        text = re.sub(r"\[[a-z ]*\]|<[a-z ]*>", " ", text)
        return " ".join(text.split())

    while (cleaner := once(text)) != text:
        text = cleaner
    return text
