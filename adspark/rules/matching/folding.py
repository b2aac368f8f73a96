"""Text as rules compare it: without case, accents, width, style, and what is not seen.

Two texts that a reader takes for the same word are the same here. What is decided on purpose:
accents of Latin and Greek letters do not count, nor do the points of Hebrew and the vowel marks of
Arabic; marks that make another letter (Cyrillic й, Japanese が, the vowels of Thai and Hindi) do.
"""

import unicodedata
from collections.abc import Iterator

from adspark.text.lookalikes import BOXED, SPELLED
from adspark.text.normalized import normalize
from adspark.text.visible import visible

_MARKS_OF_TRADE = str.maketrans(dict.fromkeys("®™©℠℗", " "))
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ`´＇‛′", "'"))  # noqa: RUF001
_UNSEEN = frozenset("\u200c\u200d\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_DOTS = "\u0308"  # on the Cyrillic ye, where they are mostly left out
_POINTS = (range(0x0591, 0x05C8), range(0x064B, 0x0660), range(0x0670, 0x0671))
_MOST_ROUNDS = 5  # compatibility forms of folded letters may fold again


def fold(text: str) -> str:
    """The text as it is compared; folded again it stays the same."""
    folded = text
    for _ in range(_MOST_ROUNDS):
        again = _fold_once(folded)
        if again == folded:
            break
        folded = again
    return folded


def _fold_once(text: str) -> str:
    seen = visible(text.translate(_MARKS_OF_TRADE)).translate(BOXED).translate(_APOSTROPHES)
    shown = "".join(one for one in seen if not _is_unseen(one))
    lowered = normalize("NFKD", normalize("NFKC", shown).casefold())
    return normalize("NFC", "".join(_without_accents(lowered)).translate(SPELLED))


def _is_unseen(character: str) -> bool:
    code = ord(character)
    is_selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
    return character in _UNSEEN or is_selector or unicodedata.category(character) == "Cf"


def _without_accents(decomposed: str) -> Iterator[str]:
    script = ""
    for character in decomposed:
        if unicodedata.category(character) != "Mn":
            script = unicodedata.name(character, "").partition(" ")[0]
        elif (
            script in ("LATIN", "GREEK")
            or (script == "CYRILLIC" and character == _DOTS)
            or any(ord(character) in points for points in _POINTS)
        ):
            continue
        yield character
