"""Days that are asked about: until today, for of a day to come nothing is known."""

from datetime import UTC, date, datetime, time, timedelta

from adspark.errors import InvalidQueryError


def today() -> date:
    """The day in UTC, by which ads are dated."""
    return datetime.now(UTC).date()


def check_day_has_come(field: str, day: date | None) -> None:
    """Raise InvalidQueryError, which names the field, for a day to come."""
    if day is not None and day > today():
        raise InvalidQueryError(field, f"{day} is to come; name today or a day before.")


def check_moment_has_come(field: str, moment: datetime) -> None:
    """The same for a moment with a zone; all of today is let pass, for clocks differ."""
    if moment >= datetime.combine(today() + timedelta(days=1), time(), UTC):
        raise InvalidQueryError(field, f"{moment.date()} is to come; name today or a day before.")
