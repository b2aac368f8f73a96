"""Days and moments as addresses name them: by ISO 8601, and not by a number of seconds."""

import re
from datetime import date, datetime
from typing import Annotated

from pydantic import BeforeValidator

_BEGINNING = re.compile(r"\d{4}-\d{2}-\d{2}")


def _check_iso(written: object) -> object:
    if isinstance(written, str) and not _BEGINNING.match(written):
        raise ValueError("is not a day, as 2026-08-01")
    return written


Day = Annotated[date, BeforeValidator(_check_iso)]
"""A day, as 2026-08-01."""

Moment = Annotated[datetime, BeforeValidator(_check_iso)]
"""A moment, as 2026-08-01T12:00Z, or the beginning of a day."""
