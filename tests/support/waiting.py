"""Waiting for something to be so, without a word about how long it takes."""

import time
from collections.abc import Callable

_FOR_EVER = 300.0  # seconds


def wait_until(what: Callable[[], bool], *, pause: float = 0.1) -> None:
    """Wait for it, with so many seconds between two looks."""
    end = time.monotonic() + _FOR_EVER
    while not what():
        assert time.monotonic() < end, "it took too long"
        time.sleep(pause)
