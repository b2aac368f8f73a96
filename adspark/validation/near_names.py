"""What a person may have meant by a name that there is not: the known ones spelled like it.

Every error about a name that is not known passes here.
"""

import difflib
from collections.abc import Iterable
from itertools import islice

from adspark.text.quotes import in_quotes
from adspark.text.sentences import without_full_stop
from adspark.validation.names import name_key

MOST_COMPARED = 10_000
"""Known names that a written one is compared with at most."""

_MOST_OFFERED = 3
_ALIKE = 0.6  # share of letters that two names share, by which one may be meant
_LONGEST = 100  # characters of a name that are compared


def find_near(written: str, known: Iterable[str], *, cutoff: float = _ALIKE) -> list[str]:
    """The known names that are spelled like the written one in any case, the nearest first.

    Args:
        written: by a person.
        known: of them the first 10,000 are compared.
        cutoff: share of letters that have to be the same, 0 to 1.
    """
    by_key: dict[str, str] = {}
    for name in islice(known, MOST_COMPARED):
        by_key.setdefault(name_key(name[:_LONGEST]), name)
    near = difflib.get_close_matches(
        name_key(written[:_LONGEST]), by_key, n=_MOST_OFFERED, cutoff=cutoff
    )
    return [by_key[key] for key in near]


def ask_for(names: Iterable[str]) -> str:
    """The question that offers these names; empty where there are none."""
    offered = " or ".join(map(in_quotes, dict.fromkeys(names)))
    return f"did you mean {offered}?" if offered else ""


def describe_unknown(
    unknown: str, written: str, known: Iterable[str], *, otherwise: str = ""
) -> str:
    """The message about a name that there is not; it ends with a question where one is like it.

    Args:
        unknown: the message without the question.
        written: the name, as a person wrote it.
        known: those that there are.
        otherwise: what it ends with where none is like it.
    """
    question = ask_for(find_near(written, known))
    return f"{without_full_stop(unknown)}; {question}" if question else f"{unknown}{otherwise}"
