"""The ways in which a text may be read: as it is written, and as what disguised letters stand for.

A letter is disguised where it looks like one of another alphabet, as the Cyrillic a does, or is a
digit (`fr33`). Whole words of another alphabet are left alone, unless they stand among Latin ones
and all of their letters look Latin.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import cached_property

from adspark.rules.matching.folding import fold
from adspark.rules.matching.words import Gap, Word, split_words
from adspark.text.lookalikes import CAPITALS, DIGITS, SMALL
from adspark.text.normalized import normalize

_LEAST_DISGUISED = 3  # characters of a word whose digits may be letters
_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Reading:
    """A text in one of the ways in which it may be read, folded.

    Attributes:
        text: folded.
        words: of it, in order, without symbols.
        symbols: the same with symbols.
    """

    text: str
    words: tuple[Word, ...]
    symbols: tuple[Word, ...]

    def starting_with(self, letter: str, *, symbols: bool) -> list[int]:
        """The places, in order, of the words that begin with this letter."""
        return self._places[symbols].get(letter, [])

    @cached_property
    def _places(self) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
        places: tuple[dict[str, list[int]], dict[str, list[int]]] = {}, {}
        for found, words in zip(places, (self.words, self.symbols), strict=True):
            for at, word in enumerate(words):
                found.setdefault(word.text[0], []).append(at)
        return places


@dataclass(frozen=True)
class Text:
    """A text that rules look at.

    Attributes:
        readings: as it is written, and as what is taken for Latin letters.
        likeness: every letter that looks Latin taken for it, for words of other alphabets.
    """

    readings: tuple[Reading, ...]
    likeness: Reading


def read_text(written: str) -> Text:
    """All the ways to read a text."""
    plain = _read(fold(written))
    readings = [plain]
    unmasked = _read(fold(_unmask(written)))
    for digits in DIGITS:
        reading = _unmask_numbers(unmasked, str.maketrans(*digits))
        if reading.symbols not in [one.symbols for one in readings]:
            readings.append(reading)
    return Text(tuple(readings), _read(fold(liken(written))))


def liken(written: str) -> str:
    """The text with Latin letters in place of all that look like them."""
    composed = normalize("NFKC", written)
    return composed if composed.isascii() else composed.translate(CAPITALS).translate(SMALL)


def _read(folded: str) -> Reading:
    words = split_words(folded)
    return Reading(folded, tuple(_without_symbols(words)), tuple(words))


def _unmask_numbers(reading: Reading, table: dict[int, int]) -> Reading:
    words = [replace(one, text=_unmask_digits(one.text, table)) for one in reading.symbols]
    return Reading(reading.text, tuple(_without_symbols(words)), tuple(words))


def _without_symbols(words: list[Word]) -> list[Word]:
    kept: list[Word] = []
    gap = Gap.NOTHING
    for word in words:
        gap = max(gap, word.gap, key=lambda one: one.value)
        if word.is_symbol:
            gap = max(gap, Gap.MARKS, key=lambda one: one.value)
            continue
        kept.append(replace(word, gap=gap) if gap is not word.gap else word)
        gap = Gap.NOTHING
    return kept


def _unmask(written: str) -> str:
    """The text with Latin letters in place of those that are taken for them: in words that mix
    both and, where most letters are Latin, in words that are all made of them."""
    if written.isascii():
        return written
    letters = [one for one in written if one.isalpha()]
    is_latin = 2 * sum(map(_is_latin, letters)) > len(letters)
    return _WORD.sub(lambda found: _unmask_word(found[0], is_latin=is_latin), written)


def _unmask_word(word: str, *, is_latin: bool) -> str:
    letters = [one for one in word if one.isalpha()]
    shown = liken(word)
    seen = [one for one in shown if one.isalpha()]
    is_mixed = any(map(_is_latin, letters))
    is_all = is_latin and all(map(_is_latin, seen))
    return shown if is_mixed or is_all else word


def _is_latin(letter: str) -> bool:
    return letter.isascii() or unicodedata.name(letter, "").startswith("LATIN ")


def _unmask_digits(word: str, table: dict[int, int]) -> str:
    """A word whose digits are letters, where it has as many letters as digits."""
    digits = sum(one.isdigit() for one in word)
    letters = sum(one.isalpha() for one in word)
    if len(word) < _LEAST_DISGUISED or not digits or letters < digits or not word.isascii():
        return word
    return word.translate(table)
