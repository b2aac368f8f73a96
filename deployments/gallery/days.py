"""Moments as addresses name them: by ISO 8601, and not by a number of seconds."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator

from adspark.errors import InvalidQueryError
from adspark.library.filters.parsing import parse_day

_BEGINNING = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SHOWN = 40  # characters of what is written in a moment's place


def _check_moment(written: object) -> object:
    if isinstance(written, str):
        if not (begins := _BEGINNING.match(written)):
            raise ValueError(
                f"{written[:_SHOWN]!r} is not a time; write it as 2026-08-31 or "
                "2026-08-31T08:00:00Z"
            )
        try:
            parse_day("day", begins[0])
        except InvalidQueryError as error:
            raise ValueError(error.sentence) from None
    return written


Moment = Annotated[datetime, BeforeValidator(_check_moment)]
"""A moment, as 2026-08-01T12:00Z, or the beginning of a day."""
