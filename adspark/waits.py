"""Say what this process waits for, and how long at most, while it waits.

Whoever speaks to people adds a handler to the logger `adspark.waits`: commands print the lines, and
runs have them in their logs.
"""

import logging

LOGGER = "adspark.waits"
IS_WAIT = "is_wait"
"""An attribute of the records that repeat such a line in a run's log."""

_log = logging.getLogger(LOGGER)
_log.setLevel(logging.INFO)
_log.propagate = False  # nothing else decides whether they are told


def tell_wait(reason: str, *, seconds: float | None = None) -> None:
    """Tell why one waits, or what for, and how long at most; None: only its end is known."""
    bound = "" if seconds is None else f" {max(1, round(seconds))} s at most"
    _log.info("Waiting%s: %s", bound, reason)
