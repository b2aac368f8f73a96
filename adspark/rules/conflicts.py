"""Mistakes in rules that are right one by one: repeated, on no surface, against each other."""

from collections.abc import Iterator

from adspark.rules.definition import Rules
from adspark.rules.matching.phrases import MOST_BETWEEN, Phrase, find_place
from adspark.rules.matching.readings import read_text
from adspark.rules.surfaces import GOOGLES_LIMITS

_PHRASES = (
    "banned_words", "banned_claims", "tone_words", "off_tone_words", "competitor_names",
    "competitor_marks", "disclaimers",
)  # fmt: skip
_VALUES = ("picture_sizes", "languages")
# No ad could keep to both: what one of the second lists wants holds what one of the first forbids.
_FORBIDDING = (
    "banned_words", "banned_claims", "off_tone_words", "competitor_names", "competitor_marks",
)  # fmt: skip
_REQUIRING = ("disclaimers", "tone_words")

Mistake = tuple[tuple[str | int, ...], str]
"""Where it is in the file, by names and numbers, and what is wrong, with the remedy."""


def find_conflicts(rules: Rules) -> list[Mistake]:
    """All that is wrong with the rules together, in no order."""
    return [*_find_repeated(rules), *_find_unknown_fields(rules), *find_contradictions(rules)]


def _find_repeated(rules: Rules) -> Iterator[Mistake]:
    for field in (*_PHRASES, *_VALUES):
        seen: set[object] = set()
        for at, written in enumerate(getattr(rules, field)):
            key: object = written
            if field in _PHRASES:
                pattern = Phrase(written).pattern
                key = pattern.glued, pattern.open_ends
            if key in seen:
                yield (field, at), f"{written!r} stands in the list twice; remove one"
            seen.add(key)


def _find_unknown_fields(rules: Rules) -> Iterator[Mistake]:
    for surface, limits in rules.surfaces.items():
        known = list(GOOGLES_LIMITS[surface])
        for field in limits:
            if field not in known:
                problem = f"is no field of ads on {surface}; write {' or '.join(known)}"
                yield ("surfaces", surface.value, field.value), problem


def find_contradictions(rules: Rules) -> Iterator[Mistake]:
    """What is required and forbidden at once."""
    forbidden = [
        (name, Phrase(one, MOST_BETWEEN if name == "banned_claims" else 0))
        for name in _FORBIDDING
        for one in getattr(rules, name)
    ]
    for requiring in _REQUIRING:
        for at, written in enumerate(getattr(rules, requiring)):
            text = read_text(written)
            for name, phrase in forbidden:
                if find_place(phrase, text) is not None:
                    clash = f"holds {phrase.written!r}, which {name} forbids"
                    yield (requiring, at), f"{clash}; change one of them"
