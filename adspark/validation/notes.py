"""What people write on several lines: notes and comments."""

import re

from adspark.errors import InvalidQueryError
from adspark.text.visible import is_blank
from adspark.validation.bounds import COMMENT
from adspark.validation.stored import check_storable

# They turn what stands behind them, beyond the note. Marks of direction (U+200E, U+200F) do not,
# and keyboards of Hebrew and Arabic have them.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def check_note(field: str, written: str | None) -> None:
    """Raise InvalidQueryError, which names the field, for a note that cannot be kept."""
    COMMENT.check(field, written)
    check_storable(field, written)
    if written is not None and (found := _TURNING.search(written)):
        raise InvalidQueryError(
            field, f"holds a character that turns the text behind it ({found[0]!a}); remove it."
        )


def clean_note(written: str) -> str:
    """The note as it is kept, on as many lines; empty where nothing of it is seen."""
    return "" if is_blank(written) else written.strip()
