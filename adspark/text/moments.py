"""Moments as people read them."""

from datetime import UTC, datetime


def utc_minute(moment: datetime) -> str:
    """A moment of any time zone, in UTC to the minute: 2026-08-31 08:00 UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
