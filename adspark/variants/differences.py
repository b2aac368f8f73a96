"""Which words of a variant's copy differ from its original's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

# Scripts without blanks between words are compared by character.
_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|\s+|[^\w\s]")
_MOST_WORDS = 300  # of one text; comparing takes the product of both


@dataclass(frozen=True)
class Passage:
    """A part of a text; `is_changed` where the other text lacks it."""

    text: str
    is_changed: bool


def compare_copy(original: str, variant: str) -> tuple[list[Passage], list[Passage]]:
    """Both texts in passages, in order; put together they are the texts.

    Not marked are as many words as can be that stand in both in the same order; blanks count for
    nothing. Of texts of very many words only how they begin and end is compared.
    """
    before, after = _TOKEN.findall(original), _TOKEN.findall(variant)
    kept, still = _find_common(_words(before), _words(after))
    return _join(before, kept), _join(after, still)


def _words(tokens: Sequence[str]) -> list[str]:
    return [one for one in tokens if not one.isspace()]


def _find_common(before: Sequence[str], after: Sequence[str]) -> tuple[set[int], set[int]]:
    """The places, in each, of a longest sequence of words that both have."""
    most = min(len(before), len(after))
    start = next((at for at in range(most) if before[at] != after[at]), most)
    most -= start
    end = next((at for at in range(most) if before[-1 - at] != after[-1 - at]), most)
    kept = {*range(start), *range(len(before) - end, len(before))}
    still = {*range(start), *range(len(after) - end, len(after))}
    middle = range(start, len(before) - end), range(start, len(after) - end)
    if max(map(len, middle)) <= _MOST_WORDS:
        for left, right in _align(before, after, *middle):
            kept.add(left)
            still.add(right)
    return kept, still


def _align(
    before: Sequence[str], after: Sequence[str], rows: range, columns: range
) -> list[tuple[int, int]]:
    """The pairs of places of a longest common sequence of parts of both."""
    # longest[i][j]: of what follows the i-th row and the j-th column.
    longest = [[0] * (len(columns) + 1) for _ in range(len(rows) + 1)]
    for i in reversed(range(len(rows))):
        for j in reversed(range(len(columns))):
            if before[rows[i]] == after[columns[j]]:
                longest[i][j] = longest[i + 1][j + 1] + 1
            else:
                longest[i][j] = max(longest[i + 1][j], longest[i][j + 1])
    pairs = []
    i = j = 0
    while i < len(rows) and j < len(columns):
        if before[rows[i]] == after[columns[j]]:
            pairs.append((rows[i], columns[j]))
            i, j = i + 1, j + 1
        elif longest[i + 1][j] >= longest[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def _join(tokens: Sequence[str], kept: set[int]) -> list[Passage]:
    """Passages of tokens; blanks are marked between two marked words only."""
    marks: list[bool] = []
    number = 0
    for token in tokens:
        marks.append(not token.isspace() and number not in kept)
        number += not token.isspace()
    for at, token in enumerate(tokens):
        if token.isspace():
            marks[at] = 0 < at < len(tokens) - 1 and marks[at - 1] and marks[at + 1]
    parts = groupby(zip(tokens, marks, strict=True), key=lambda one: one[1])
    return [Passage("".join(token for token, _ in part), is_changed) for is_changed, part in parts]
