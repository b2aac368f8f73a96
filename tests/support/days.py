"""The present day, for tests that compute what is true of it."""

import time
from datetime import UTC, date, datetime, timedelta

_LEFT = timedelta(minutes=2)


def present_day() -> date:
    """The present day (UTC), of which two minutes are left at least.

    Waits for the next one where fewer are left: a test that has begun before midnight would count
    the days of its rows from yesterday.
    """
    now = datetime.now(UTC)
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
    if midnight - now < _LEFT:
        time.sleep((midnight - now).total_seconds())
    return datetime.now(UTC).date()


def noon(day: date) -> int:
    """Noon of a day, in seconds since 1970."""
    return int(datetime.combine(day, datetime.min.time(), UTC).timestamp()) + 43_200
