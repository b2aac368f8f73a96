"""What a person types to search, taken apart: words, "phrases", prefix*, and -not.

No text is refused: what means nothing here is a plain word, or no word at all.
"""

import re
from dataclasses import dataclass

from adspark.text.storable import UNSTORABLE

MOST_TERMS = 50
"""Words and phrases of one search; what comes after them is left out."""

_LONGEST_TERM = 200  # characters
# Of a whole address only the host, which a domain and a landing page are found by.
_ADDRESS = re.compile(r"^(?:https?://(?:www\.)?|www\.)([^/?#:]+).*$", re.IGNORECASE)
_PARTS = re.compile(r'(?P<not>-?)(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))(?P<star>\*?)')


@dataclass(frozen=True)
class Term:
    """A word or a phrase that an ad has to hold, or must not."""

    text: str
    is_prefix: bool = False
    is_excluded: bool = False
    is_phrase: bool = False

    @property
    def written(self) -> str:
        """The term as a person would write it."""
        text = f'"{self.text}"' if self.is_phrase else self.text
        return f"{'-' * self.is_excluded}{text}{'*' * self.is_prefix}"


def parse_query_text(written: str) -> tuple[Term, ...]:
    """The terms in the order in which they stand, at most `MOST_TERMS`; a search needs them all.

    A quotation mark without its partner, and marks that stand alone, mean nothing.
    """
    found = (_term(part) for part in _PARTS.finditer(UNSTORABLE.sub(" ", written)))
    return tuple(term for term in found if term is not None)[:MOST_TERMS]


def _term(part: re.Match[str]) -> Term | None:
    phrase, word = part["phrase"], part["word"]
    text = phrase if phrase is not None else _ADDRESS.sub(r"\1", word.rstrip("*"))
    if not any(character.isalnum() for character in text):
        return None
    return Term(
        text=text.strip()[:_LONGEST_TERM],
        is_prefix=bool(part["star"]) or (word is not None and word.endswith("*")),
        is_excluded=bool(part["not"]),
        is_phrase=phrase is not None,
    )
