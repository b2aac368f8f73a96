"""The rate limits that there are: their names, and in which time each is used."""

from adspark.settings import DEFAULT_SEARCHES_PER_MINUTE, get_settings

# Names of limits; the first two are those of Prefect's.
SEARCHES = "serpapi-searches"
GENERATIONS = "variant-generations"
SWEEPS = "sweeps"  # that are begun
CLEANUPS = "clean-ups"  # that are begun
WINDOW = 60.0  # seconds
WINDOWS = {SEARCHES: WINDOW, GENERATIONS: WINDOW, SWEEPS: WINDOW, CLEANUPS: 3600.0}
"""Seconds in which each limit's number may be used."""


def usual_limits() -> dict[str, int]:
    """The settings' numbers a minute, which hold where the server has no such limit."""
    settings = get_settings()
    searches = settings.searches_per_minute
    return {
        SEARCHES: DEFAULT_SEARCHES_PER_MINUTE if searches == "account" else searches,
        GENERATIONS: settings.generations_per_minute,
    }
