"""Unicode's normal forms, in a time that grows with the text and not with its square.

`unicodedata.normalize` sorts the marks on one character one after the other: a heap of a hundred
thousand stops the process for as long as a minute. So every text from outside is normalized here.
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

NormalForm = Literal["NFC", "NFD", "NFKC", "NFKD"]

_MOST_MARKS = 8  # on one character; no language sets so many
LONGEST_WHOLE = 1000
"""Characters of a text whose marks are all kept."""


def normalize(form: NormalForm, text: str) -> str:
    """`text` in a normal form; of a heap of marks upon one character, the first eight are left."""
    return unicodedata.normalize(form, with_few_marks(text))


def normalize_whole(form: NormalForm, text: str) -> str:
    """`text` in a normal form with every mark, as of a password.

    Raises:
        ValueError: it is longer than `LONGEST_WHOLE`, which its caller refuses before.
    """
    if len(text) > LONGEST_WHOLE:
        raise ValueError(f"{len(text)} characters; {LONGEST_WHOLE} at most keep all their marks")
    return unicodedata.normalize(form, text)


def with_few_marks(text: str) -> str:
    """`text` without a heap of marks upon one of its characters."""
    return text if text.isascii() else "".join(_few_marks(text))


def _few_marks(text: str) -> Iterator[str]:
    marks = 0
    for character in text:
        is_mark, own = _marks_of(character)
        marks = marks + own if is_mark else own
        if not is_mark or marks <= _MOST_MARKS:
            yield character


@lru_cache(maxsize=10_000)
def _marks_of(character: str) -> tuple[bool, int]:
    """Whether it stands upon the character before it, and how many marks are its own: also where
    only a normal form makes marks of it, as of the half-width sound marks of Japanese."""
    parts = unicodedata.normalize("NFKD", character)
    letters = len(parts.rstrip("".join(one for one in parts if _is_mark(one))))
    return letters == 0, len(parts) - letters


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Me") or unicodedata.combining(character) != 0
