"""Words and phrases that rules look for, and where they stand in a text.

A phrase is found between the ends of words, whatever marks or blanks divide its words, also where
they are written as one (`freetrial`, `free-trial`), where marks divide a word (`fr-ee`, `f.r.e.e`),
and where at least three single letters do with blanks (`f r e e`). `free*` is also found as the
beginning of a word. Of numbers no digits are put together: 15 is not in 1.5 nor in 1/5.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from adspark.rules.matching.folding import fold
from adspark.rules.matching.readings import Reading, Text, liken
from adspark.rules.matching.words import Gap, Word, split_words

MOST_BETWEEN = 2
"""Other words that may stand between two words of a claim."""

MOST_WORDS = 40
"""Of a phrase; characters of a writing without blanks count as words."""

MOST_WORDS_OF_CLAIM = 12
"""The same of a claim, whose words are looked for in many places."""

_STAR = "*"
_LEAST_SPACED = 3  # single letters that blanks divide and that are read as a word
_AROUND = 20  # characters of the text that are quoted on each side


@dataclass(frozen=True)
class _Pattern:
    """The words of a phrase put together, and where they end in it."""

    glued: str
    ends: tuple[int, ...]
    open_ends: frozenset[int]
    has_symbols: bool


@dataclass(frozen=True)
class Phrase:
    """What is looked for.

    Attributes:
        written: as in the file.
        between: other words that may stand between two of its own.
    """

    written: str
    between: int = 0
    pattern: _Pattern = field(init=False)
    likeness: _Pattern | None = field(init=False)

    def __post_init__(self) -> None:
        pattern, likeness = _compile(self.written), _compile(liken(self.written))
        object.__setattr__(self, "pattern", pattern)
        object.__setattr__(self, "likeness", likeness if likeness != pattern else None)


@dataclass(frozen=True)
class Place:
    """Where a phrase was found: the text around it, folded."""

    phrase: str
    quote: str


def check_phrase(written: str, *, most: int = MOST_WORDS) -> str | None:
    """What is wrong with a phrase of at most so many words, and the remedy; None: nothing."""
    stars = [word for word in written.split() if _STAR in word[:-1] or word == _STAR]
    if stars:
        return "a * may only end a word, as in free*; remove it or write the word out"
    words = split_words(fold(written))
    if not words:
        return "holds no word; write letters or digits, or remove it"
    if len(words) > most:
        return f"has {len(words)} words; shorten it to {most}"
    return None


def find_places(phrases: Iterable[Phrase], text: Text) -> list[Place]:
    """Where the phrases stand in a text; of each the first place."""
    return [place for phrase in phrases if (place := find_place(phrase, text)) is not None]


def find_place(phrase: Phrase, text: Text) -> Place | None:
    """The first place of a phrase in a text, in any of the ways to read it."""
    for reading in text.readings:
        if place := _find(phrase, phrase.pattern, reading):
            return place
    if phrase.likeness is not None:
        return _find(phrase, phrase.likeness, text.likeness)
    return None


def _compile(written: str) -> _Pattern:
    glued, ends, open_ends = "", list[int](), set[int]()
    has_symbols = False
    for part in written.split():
        words = split_words(fold(part.removesuffix(_STAR)))
        for word in words:
            glued += word.text
            ends.append(len(glued))
            has_symbols |= word.is_symbol
        if part.endswith(_STAR) and words:
            open_ends.add(len(glued))
    return _Pattern(glued, tuple(ends), frozenset(open_ends), has_symbols)


def _find(phrase: Phrase, pattern: _Pattern, reading: Reading) -> Place | None:
    words = reading.symbols if pattern.has_symbols else reading.words
    search = _Search(pattern, words, phrase.between)
    for at in reading.starting_with(pattern.glued[:1], symbols=pattern.has_symbols):
        if (last := search.match(at)) is not None:
            start, end = words[at].start, words[last].end
            return Place(phrase.written, _quote(reading.text, start, end))
    return None


class _Search:
    """Looks for one pattern among words."""

    def __init__(self, pattern: _Pattern, words: Sequence[Word], between: int) -> None:
        self._pattern = pattern
        self._words = words
        self._between = between
        self._failed = set[tuple[int, int, bool, int]]()  # so that no text takes forever

    def match(self, first: int) -> int | None:
        """The last word of the pattern where it begins with this word; None: it does not."""
        return self._go_on(first, first, 0, False)

    def _go_on(self, first: int, at: int, done: int, is_spaced: bool) -> int | None:
        """Match the word `at` where so many characters of the pattern are `done` before it."""
        state = at, done, is_spaced, min(at - first, _LEAST_SPACED)
        if at >= len(self._words) or state in self._failed:
            return None
        found = self._match_word(first, at, done, is_spaced)
        if found is None:
            self._failed.add(state)
        return found

    def _match_word(self, first: int, at: int, done: int, is_spaced: bool) -> int | None:
        if done and not self._may_follow(at, done):
            return None
        is_spaced |= bool(done) and self._is_spaced(at, done)
        for now in self._ends_with(self._words[at].text, done):
            if now == len(self._pattern.glued):
                if not is_spaced or at - first + 1 >= _LEAST_SPACED:
                    return at
                continue
            most = self._between if now in self._pattern.ends else 0
            for skipped in range(most + 1):
                found = self._go_on(first, at + 1 + skipped, now, is_spaced)
                if found is not None:
                    return found
        return None

    def _may_follow(self, at: int, done: int) -> bool:
        """Whether the word may go on with the pattern, by what stands before it."""
        before, word = self._words[at - 1], self._words[at]
        if done in self._pattern.ends:
            return True
        if before.text[-1].isdigit() and word.text[0].isdigit():
            return False
        are_characters = before.is_character and word.is_character
        return word.gap is not Gap.BLANK or are_characters or self._is_spaced(at, done)

    def _is_spaced(self, at: int, done: int) -> bool:
        """Whether a blank divides two single letters of one word."""
        before, word = self._words[at - 1], self._words[at]
        is_inside = done not in self._pattern.ends and word.gap is Gap.BLANK
        return is_inside and before.is_letter and word.is_letter

    def _ends_with(self, text: str, done: int) -> list[int]:
        """How much of the pattern may be done behind a word."""
        glued, found = self._pattern.glued, list[int]()
        if glued.startswith(text, done):
            now = done + len(text)
            joined = [one for one in self._pattern.ends if done < one < now]
            if not any(glued[one - 1].isdigit() and glued[one].isdigit() for one in joined):
                found.append(now)
        for end in self._pattern.open_ends:
            if done < end and len(text) > end - done and text.startswith(glued[done:end]):
                found.append(end)
        return found


def _quote(text: str, start: int, end: int) -> str:
    """What was found, with some of the text around it, on one line."""
    before = " ".join(text[max(0, start - _AROUND) : start].split())
    behind = " ".join(text[end : end + _AROUND].split())
    spaces = [" " if text[i : i + 1].isspace() else "" for i in (start - 1, end)]
    found = " ".join(text[start:end].split())
    left, right = "…" if start > _AROUND else "", "…" if end + _AROUND < len(text) else ""
    return f"{left}{before}{spaces[0] if start else ''}{found}{spaces[1]}{behind}{right}".strip()
