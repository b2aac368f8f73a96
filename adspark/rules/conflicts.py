"""Mistakes in rules that are right one by one: repeated, on no surface, against each other."""

from collections.abc import Iterator

from adspark.rules.copy_lines import Field
from adspark.rules.definition import DisclaimerPlace, Rules
from adspark.rules.matching.phrases import MOST_BETWEEN, Phrase, find_place
from adspark.rules.matching.readings import read_text
from adspark.rules.surfaces import GOOGLES_LIMITS, count_characters, field_of_copy
from adspark.text.counts import counted

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
    """What is required and cannot be: it is forbidden as well, or longer than any field."""
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
    yield from _find_too_long(rules)


def _find_too_long(rules: Rules) -> Iterator[Mistake]:
    """What has to stand in the copy, and is longer than every field."""
    if (longest := _longest_field(rules)) is None:
        return
    in_copy = list(_REQUIRING)
    if rules.disclaimer_place is not DisclaimerPlace.COPY:
        in_copy.remove("disclaimers")
    for requiring in in_copy:
        for at, written in enumerate(getattr(rules, requiring)):
            if (length := count_characters(written.replace("*", ""))) > longest:
                problem = (
                    f"has {counted(length, 'character')}, and no field takes more than {longest}"
                )
                yield (requiring, at), f"{problem}; shorten it, or raise a limit of surfaces"


def _longest_field(rules: Rules) -> int | None:
    """The most characters that a field may have on all surfaces; None: there are no limits."""
    limits: dict[Field, int] = {}
    for surface in rules.surfaces:
        for field, most in rules.limits_of(surface).items():
            name = field_of_copy(field)
            limits[name] = min(most, limits.get(name, most))
    return max(limits.values(), default=None)
