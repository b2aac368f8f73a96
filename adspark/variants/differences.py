"""Which words of a variant's copy differ from its original's."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain

# Scripts without blanks between words are compared by character.
_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|\s+|[^\w\s]")
_MOST_WORDS = 2000  # of one text; comparing takes the product of both


@dataclass(frozen=True)
class Passage:
    """A part of a text; `is_changed` where the other text lacks it."""

    text: str
    is_changed: bool


def compare_copy(original: str, variant: str) -> tuple[list[Passage], list[Passage]]:
    """Both texts in passages, in order; put together they are the texts.

    A text of very many words is one passage that differs as a whole.
    """
    before, after = _TOKEN.findall(original), _TOKEN.findall(variant)
    if max(len(before), len(after)) > _MOST_WORDS:
        return [Passage(original, is_changed=True)], [Passage(variant, is_changed=True)]
    matcher = SequenceMatcher(str.isspace, before, after)
    steps = matcher.get_opcodes()
    removed = [(before[start:end], kind != "equal") for kind, start, end, _, _ in steps]
    added = [(after[start:end], kind != "equal") for kind, _, _, start, end in steps]
    return _join(removed), _join(added)


def _join(parts: list[tuple[list[str], bool]]) -> list[Passage]:
    """Passages of parts; blanks at the ends of a changed one are not marked."""
    found = chain.from_iterable(_split("".join(words), is_changed) for words, is_changed in parts)
    return [one for one in found if one.text]


def _split(text: str, is_changed: bool) -> list[Passage]:
    if not is_changed:
        return [Passage(text, is_changed=False)]
    inner = text.strip()
    start = text.index(inner)
    return [
        Passage(text[:start], is_changed=False),
        Passage(inner, is_changed=bool(inner)),
        Passage(text[start + len(inner) :], is_changed=False),
    ]
