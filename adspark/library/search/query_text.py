"""What a person types to search, taken apart: words, "phrases", prefix*, -not, and one or another.

No text is refused: what means nothing here is a plain word, or no word at all.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from adspark.text.storable import UNSTORABLE

MOST_TERMS = 50
"""Words and phrases of one search; what comes after them is left out."""

_LONGEST_TERM = 200  # characters
# Of a whole address only the host, which a domain and a landing page are found by.
_ADDRESS = re.compile(r"^(?:https?://(?:[^/?#]*@)?(?:www\.)?|www\.)([^/?#:]+).*$", re.IGNORECASE)
_OR = ("or", "|")  # between two words: either is enough, as in web search engines
# With those that phones and word processors write by themselves.
_MARKS = '"\u201c\u201d\u201e\u201f\xab\xbb\uff02'
# Before a figure, as ads have it, such a dash is no minus: "Jetzt – 50 %".
_MINUS = r"(?:-|[\u2010-\u2013\u2212\uff0d](?!\d))"
_PARTS = re.compile(
    rf'(?P<not>{_MINUS}?)(?:[{_MARKS}](?P<phrase>[^{_MARKS}]*)[{_MARKS}]|(?P<word>[^\s"]+))(?P<star>\*?)'
)


@dataclass(frozen=True)
class Term:
    """A word or a phrase that an ad has to hold, or must not, or may instead of the one before."""

    text: str
    is_prefix: bool = False
    is_excluded: bool = False
    is_phrase: bool = False
    is_alternative: bool = False

    @property
    def written(self) -> str:
        """The term as a person would write it."""
        text = f'"{self.text}"' if self.is_phrase else self.text
        either = "or " * self.is_alternative
        return f"{either}{'-' * self.is_excluded}{text}{'*' * self.is_prefix}"


def describe_left_out(terms: Sequence[Term]) -> list[str]:
    """That a text may have more words than are searched; nothing where it has not."""
    if len(terms) < MOST_TERMS:
        return []
    return [f"No more than the first {MOST_TERMS} words were searched."]


def parse_query_text(written: str) -> tuple[Term, ...]:
    """The terms in the order in which they stand, at most `MOST_TERMS`; a search needs them all,
    or of alternatives one.

    A quotation mark without its partner, and marks that stand alone, mean nothing; `or` that is not
    between two words that may both be there is a word, but for `OR` at an end, which is dropped.
    """
    parts = list(_PARTS.finditer(UNSTORABLE.sub(" ", written.replace("|", " | "))))
    terms: list[Term] = []
    is_alternative = False
    for place, part in enumerate(parts):
        if part[0] == "OR" and len(parts) > 1 and place in (0, len(parts) - 1):
            continue
        after = _term(parts[place + 1]) if place + 1 < len(parts) else None
        if (
            part[0].lower() in _OR
            and terms and not terms[-1].is_excluded
            and after is not None and not after.is_excluded
        ):  # fmt: skip
            is_alternative = True
        elif (term := _term(part)) is not None:
            terms.append(replace(term, is_alternative=is_alternative))
            is_alternative = False
    return tuple(terms[:MOST_TERMS])


def _term(part: re.Match[str]) -> Term | None:
    phrase, word = part["phrase"], part["word"]
    text = phrase if phrase is not None else _ADDRESS.sub(r"\1", word.rstrip("*").strip(_MARKS))
    if not any(character.isalnum() for character in text):
        return None
    return Term(
        text=text.strip()[:_LONGEST_TERM],
        is_prefix=bool(part["star"]) or (word is not None and word.endswith("*")),
        is_excluded=bool(part["not"]),
        is_phrase=phrase is not None,
    )
