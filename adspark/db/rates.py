"""The rate limits that there are: their names, and in which time each is used."""

# Names of limits; the first two are those of Prefect's.
SEARCHES = "serpapi-searches"
GENERATIONS = "variant-generations"
SWEEPS = "sweeps"  # that are begun
CLEANUPS = "clean-ups"  # that are begun
WINDOW = 60.0  # seconds
WINDOWS = {SEARCHES: WINDOW, GENERATIONS: WINDOW, SWEEPS: WINDOW, CLEANUPS: 3600.0}
"""Seconds in which each limit's number may be used."""
