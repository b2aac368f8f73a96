"""SIGTERM ends a command as an error does, so that it cleans up.

By itself it would end the process at once, and leave servers that it has started, and what is half
written, behind.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def raise_at_sigterm(make: Callable[[], BaseException]) -> Iterator[None]:
    """Raise what `make` makes, in the block, at SIGTERM; unless that is taken care of already."""

    def raise_made(_number: int, _frame: object) -> None:
        raise make()

    is_free = threading.current_thread() is threading.main_thread() and (
        signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if is_free:
        signal.signal(signal.SIGTERM, raise_made)
    try:
        yield
    finally:
        if is_free:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def exit_by_sigterm() -> SystemExit:
    """The end by SIGTERM, with the exit code that shells know it by."""
    return SystemExit(128 + signal.SIGTERM)
