"""How the time that work takes grows with the text that it is done on."""

import time
from collections.abc import Callable

_SHORT, _LONG = 10_000, 120_000  # characters
_MOST = 50.0  # times the time of the short text; the square of twelve is 144
_LEAST = 0.001  # seconds: less than that is not measured well
_TRIES = 3  # what disturbs one measurement does not disturb them all


def assert_no_square(work: Callable[[str], object], make: Callable[[int], str]) -> None:
    """For twelve times the text it takes some twelve times the time, in its best try.

    Args:
        work: what is done with a text.
        make: makes a text of so many characters.
    """
    short = min(_seconds(work, make(_SHORT)) for _ in range(_TRIES))
    text, tried = make(_LONG), list[float]()
    while not tried or min(tried) >= _MOST * max(short, _LEAST):
        assert len(tried) < _TRIES, (short, tried)
        tried.append(_seconds(work, text))


def _seconds(work: Callable[[str], object], text: str) -> float:
    began = time.process_time()
    work(text)
    return time.process_time() - began
