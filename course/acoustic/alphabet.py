"""The output symbols of the character models: a blank, a space, letters (Lecture 5)."""

import re
from dataclasses import dataclass

from course.errors import CourseError

BLANK = 0  # the number of the blank, as in Graves et al. (2006) and in torch.nn.CTCLoss


@dataclass(frozen=True)
class Alphabet:
    """Numbers for characters; 0 is the blank, which stands for no character.

    Attributes:
        characters: those that can be written, numbered from 1 on.
    """

    characters: str

    def __len__(self) -> int:
        """How many symbols there are, the blank among them."""
        return len(self.characters) + 1

    def encode(self, text: str) -> list[int]:
        """The numbers of the characters of ``text``.

        Raises:
            CourseError: a character that this alphabet lacks.
        """
        unknown = sorted(set(text) - set(self.characters))
        if unknown:
            raise CourseError(
                f"The alphabet has {self.characters!r}, and {text!r} needs {', '.join(map(repr, unknown))}. "
                "Normalise the text, or train with an alphabet that has these characters."
            )
        return [self.characters.index(character) + 1 for character in text]

    def decode(self, labels) -> str:
        """The text that a sequence of numbers spells; blanks are left out."""
        return "".join(self.characters[label - 1] for label in labels if label != BLANK)

    def __getitem__(self, label: int) -> str:
        """How one symbol is shown: ``-`` for the blank, ``␣`` for the space, else the character."""
        return "-" if label == BLANK else re.sub(" ", "␣", self.characters[label - 1])


def alphabet_of(texts) -> Alphabet:
    """The alphabet of all characters in ``texts``, and the space, in sorted order."""
    return Alphabet("".join(sorted({" "} | {character for text in texts for character in text})))
