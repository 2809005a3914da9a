"""What nobody sees becomes a space and tears words."""

# fails: brings_signs_into_one_form

# ruff: noqa: F821 (the other names are those of the lab)

import re
import unicodedata


def clean(text):
    def once(text):
        text = unicodedata.normalize("NFKC", text).translate(PLAIN)
        text = "".join(" " if sign.isspace() else sign for sign in text)
        text = "".join(" " if unicodedata.category(sign) in ("Cc", "Cf") else sign for sign in text)
        text = re.sub(r"\[[a-z ]*\]|<[a-z ]*>", " ", text)
        return " ".join(text.split())

    while (cleaner := once(text)) != text:
        text = cleaner
    return text
