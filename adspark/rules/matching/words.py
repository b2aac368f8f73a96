"""The words of a text, in any script, and how close each stands to the one before.

Words end where letters and digits do, and where writing without blanks begins: every character of
Chinese, hiragana, Korean, Thai, Lao, Khmer and Burmese counts as a word, so that what is looked for
is found wherever it stands among them. A combining mark, such as a vowel sign of Hindi, Bengali or
Tamil, belongs to the character before it. An apostrophe belongs to its word (`don't`), but for an
ending 's and what French and Italian leave out (`l'offre`).
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import groupby

_MARKS_END = 0x20000  # behind the last mark of a script


def _list_marks() -> Iterator[str]:
    """The combining marks of all scripts, those that take room beside their letter too, in ranges,
    of which a pattern is made sooner than of each."""
    marks = [code for code in range(_MARKS_END) if unicodedata.category(chr(code)) in ("Mn", "Mc")]
    for _, run in groupby(enumerate(marks), key=lambda one: one[1] - one[0]):
        codes = [code for _, code in run]
        yield f"{chr(codes[0])}-{chr(codes[-1])}"


_MARK = rf"(?=[\u0300-\U{_MARKS_END:08x}])[{''.join(_list_marks())}]"  # looked up where one may be
_UNSPACED = (
    "\u0e01-\u0e30\u0e32-\u0e33\u0e40-\u0e46\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff"
    "\u3041-\u309f\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff"
)
_KATAKANA = "\u30a1-\u30ff"
_PLAIN = rf"[^\W_{_UNSPACED}{_KATAKANA}]"
_TOKEN = re.compile(
    rf"[{_UNSPACED}](?:{_MARK})*|(?:[{_KATAKANA}](?:{_MARK})*)+"
    rf"|{_PLAIN}(?:{_PLAIN}|{_MARK}|(?<=[^\W\d_])'(?=[^\W\d_])|(?<=\d)[.,](?=\d))*"
    r"|[%‰#+&€$£¥]"
)
_BROKEN = re.compile(r"[-\u2010\u2011]\s*\n\s*")  # a hyphen at the end of a line
_SYMBOL = re.compile("[%‰#+&€$£¥]")
_CHARACTER = re.compile(f"[{_UNSPACED}](?:{_MARK})*")
_POSSESSIVE = re.compile("(.+)'(s)")
_ELISION = re.compile("([a-z]|qu)'(.+)")


class Gap(Enum):
    """What stands before a word."""

    NOTHING = 0  # the writing changes, or has no blanks
    MARKS = 1  # hyphens, dots and the like, but no blank; or a hyphen at the end of a line
    BLANK = 2


@dataclass(frozen=True)
class Word:
    """A folded word of a text, or one symbol of those that change what a word says, as %.

    Attributes:
        text: folded.
        gap: what stands between it and the word before.
        start: its place in the text, in characters.
        end: the place behind it.
    """

    text: str
    gap: Gap
    start: int
    end: int

    @property
    def is_symbol(self) -> bool:
        """Whether it is no word."""
        return _SYMBOL.fullmatch(self.text) is not None

    @property
    def is_character(self) -> bool:
        """Whether it is a character of a writing without blanks."""
        return _CHARACTER.fullmatch(self.text) is not None

    @property
    def is_letter(self) -> bool:
        """Whether it is one letter alone."""
        return len(self.text) == 1 and self.text.isalpha()


def split_words(folded: str) -> list[Word]:
    """The words of a folded text, in order."""
    words: list[Word] = []
    end = 0
    for found in _TOKEN.finditer(folded):
        between = folded[end : found.start()] if words else " "
        gap = Gap.NOTHING if not between else Gap.MARKS
        if any(one.isspace() for one in between) and not _BROKEN.fullmatch(between):
            gap = Gap.BLANK
        parts = _split_apostrophe(found[0])
        at = found.start()
        for part in parts:
            words.append(Word(part, gap, at, at + len(part)))
            at, gap = at + len(part) + 1, Gap.BLANK
        end = found.end()
    return words


def _split_apostrophe(word: str) -> list[str]:
    for pattern in (_POSSESSIVE, _ELISION):
        if "'" in word and (found := pattern.fullmatch(word)):
            return [found[1], found[2]]
    return [word]
