"""The steps are done twice, which is enough for most texts."""

# fails: cleaning_twice_is_cleaning_once

# ruff: noqa: F821 (the other names are those of the lab)

import re
import unicodedata


def clean(text):
    def once(text):
        text = unicodedata.normalize("NFKC", text).translate(PLAIN)
        text = "".join(" " if sign.isspace() else sign for sign in text)
        text = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cf"))
        text = re.sub(r"\[[a-z ]*\]|<[a-z ]*>", " ", text)
        return " ".join(text.split())

    return once(once(text))
