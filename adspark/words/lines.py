"""What an engine saw on a picture, judged: which lines are words, which are of a foreign script.

An engine that does not know a script leaves most of its letters out, or takes them for others. So
a line counts as read where the engine is sure of it, it has as many letters as its length has room
for, and they are of a script that the engine knows.
"""

import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice

LEAST_CONFIDENCE = 0.7
"""From 0 to 1; of what the engine is less sure, it makes words that nobody wrote."""

UNKNOWN_SCRIPT = "unknown"
"""Of lines whose letters the engine does not know at all."""

_FEWEST = 0.45  # letters for each height of a line along its length; English has 1.2 to 2
_LONG_ENOUGH = 2.0  # of a line in its heights, to tell whether letters are missing
_MOST_LINES = 200
_LONGEST = 500  # characters of a line
_LIKE_HEADLINE = 0.85  # of the largest letters: the headline goes on
_SHORTEST = 3  # letters; the room around shorter lines would make them larger than they are
_MOST_HEADLINES = 4  # lines
_NAMES = {"cjk": "han", "fullwidth": "latin", "halfwidth": "katakana"}


@dataclass(frozen=True)
class SeenLine:
    """A line of text on a picture, as an engine saw it; its size is in pixels."""

    text: str
    confidence: float
    width: float
    height: float


@dataclass(frozen=True)
class JudgedLines:
    """The words of a picture.

    Attributes:
        lines: that were read, from top to bottom.
        headline: the largest of them, with those that follow it in the same size; None: none.
        confidence: how sure the engine is of them, from 0 to 1, by their letters; None: no lines.
        script: of most letters that were read, as `latin`, or of the lines that were not read.
        unread: lines that could not be read; where they are the most, `script` is theirs.
    """

    lines: list[str]
    headline: str | None
    confidence: float | None
    script: str | None
    unread: int


def judge_lines(seen: Sequence[SeenLine], *, scripts: Collection[str] | None) -> JudgedLines:
    """Tell the words from what is none, or cannot be read, in lines from top to bottom.

    Without `scripts`, the engine knows whatever it wrote.
    """
    read = [one for one in seen if _is_read(one, scripts)][:_MOST_LINES]
    unread = [one for one in seen if _is_unread(one, scripts)]
    letters = [_count_letters(one.text) for one in read]
    sure = sum(one.confidence * count for one, count in zip(read, letters, strict=True))
    is_foreign = len(unread) > len(read)
    return JudgedLines(
        lines=[one.text.strip()[:_LONGEST] for one in read],
        headline=_headline(read),
        confidence=sure / sum(letters) if read else None,
        script=_name_unread(unread, scripts) if is_foreign else find_script(_join(read)),
        unread=len(unread),
    )


def find_script(text: str) -> str | None:
    """The script of most letters, as `latin` or `cyrillic`; None where there are no letters."""
    found = Counter(
        _NAMES.get(name, name)
        for name in (unicodedata.name(one, "").partition(" ")[0].lower() for one in text
                     if one.isalpha())
        if name
    )  # fmt: skip
    return found.most_common(1)[0][0] if found else None


def _is_read(line: SeenLine, scripts: Collection[str] | None) -> bool:
    is_sure = line.confidence >= LEAST_CONFIDENCE and _count_letters(line.text) > 0
    return is_sure and not _is_unread(line, scripts)


def _is_unread(line: SeenLine, scripts: Collection[str] | None) -> bool:
    """Whether a line long enough to tell cannot be read."""
    room = line.width / max(line.height, 1.0)
    script = find_script(line.text)
    if not _is_known(script, scripts):
        return True
    is_sparse = _count_letters(line.text) < _FEWEST * room
    return room >= _LONG_ENOUGH and (is_sparse or line.confidence < LEAST_CONFIDENCE)


def _name_unread(unread: Sequence[SeenLine], scripts: Collection[str] | None) -> str:
    """The script that letters which the engine knows by chance give away."""
    script = find_script(_join(unread))
    return script if script and not _is_known(script, scripts) else UNKNOWN_SCRIPT


def _is_known(script: str | None, scripts: Collection[str] | None) -> bool:
    return script is None or scripts is None or script in scripts


def _headline(read: Sequence[SeenLine]) -> str | None:
    if not read:
        return None
    sizes = [_letter_width(one) for one in read]
    first = max(range(len(read)), key=sizes.__getitem__)
    parts = []
    for one, size in islice(zip(read, sizes, strict=True), first, first + _MOST_HEADLINES):
        if size < _LIKE_HEADLINE * sizes[first]:
            break
        parts.append(one.text.strip())
    return " ".join(parts)[:_LONGEST]


def _letter_width(line: SeenLine) -> float:
    """Pixels; the height of a line tells less of its letters, for it has room around them."""
    return line.width / max(len(line.text.strip()), _SHORTEST)


def _count_letters(text: str) -> int:
    return sum(not one.isspace() for one in text)


def _join(lines: Sequence[SeenLine]) -> str:
    return " ".join(one.text for one in lines)
