"""All from the first bracket to the last goes."""

# fails: takes_out_marks

# ruff: noqa: F821 (the other names are those of the lab)

import re
import unicodedata


def clean(text):
    def once(text):
        text = unicodedata.normalize("NFKC", text).translate(PLAIN)
        text = "".join(" " if sign.isspace() else sign for sign in text)
        text = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cf"))
        text = re.sub(r"\[.*\]|<.*>", " ", text)
        return " ".join(text.split())

    while (cleaner := once(text)) != text:
        text = cleaner
    return text
