"""SIGTERM, Ctrl-C and a closed terminal end a command as an error does, so that it cleans up.

By itself it would end the process at once, and leave servers that it has started, and what is half
written, behind.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_STDOUT, _STDERR = 1, 2
_PATIENCE = 5.0  # seconds for what is under way when Ctrl-C is pressed


@contextmanager
def raise_at_termination(make: Callable[[], BaseException]) -> Iterator[None]:
    """Raise what `make` makes, in the block, at SIGTERM, and when the terminal is closed; unless
    that is taken care of already, or ignored as under `nohup`."""

    def end(number: int, _frame: object) -> None:
        if number == signal.SIGHUP:
            drop_output_of_terminal()
        raise make()

    is_main = threading.current_thread() is threading.main_thread()
    free = [
        number
        for number in (signal.SIGTERM, signal.SIGHUP)
        if is_main and signal.getsignal(number) is signal.SIG_DFL
    ]
    loop = _running_loop() if free else None
    for number in free:
        if loop:  # it is woken up: a signal that comes just before it waits would have to wait too
            loop.add_signal_handler(number, lambda: None)
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in free:
            if loop:
                loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def drop_output_of_terminal() -> None:
    """Let what is written from now on go nowhere: the terminal that showed it is gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (_STDOUT, _STDERR):
        os.dup2(nowhere, number)


@contextmanager
def end_at_ctrl_c(tell: Callable[[], None]) -> Iterator[None]:
    """Raise KeyboardInterrupt in the block at Ctrl-C; the process then ends in a few seconds.

    Asyncio alone would wait for its tasks, and they for a server of the same terminal, which the
    same Ctrl-C has ended. Where they take too long, the process ends with all that it has started.
    `tell` is called at once, to say what the terminal's user has to know.
    """

    def interrupt(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        timer = threading.Timer(_PATIENCE, _leave)
        timer.daemon = True
        timer.start()
        tell()
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    is_free = threading.current_thread() is threading.main_thread() and (
        before is signal.default_int_handler
    )
    if is_free:
        signal.signal(signal.SIGINT, interrupt)  # any but Python's own, asyncio leaves in place
    try:
        yield
    finally:
        if is_free:
            signal.signal(signal.SIGINT, before)


def _leave() -> None:
    import psutil  # noqa: PLC0415  (slow)

    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            child.terminate()
    if os.isatty(_STDERR):
        os.write(_STDERR, b"\x1b[?25h")  # the cursor, which progress hides
    os._exit(128 + signal.SIGINT)


def exit_by_sigterm() -> SystemExit:
    """The end by SIGTERM, with the exit code that shells know it by."""
    return SystemExit(128 + signal.SIGTERM)
