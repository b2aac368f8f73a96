"""Show that a command works, where it takes longer than a moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner

from deployments.terminal.output import err
from deployments.terminal.speech import speaks_json

_MOMENT = 1.0  # seconds


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Show on a terminal's standard error what is waited for; nothing in pipes or for programs."""
    if not err.is_terminal or speaks_json():
        yield
        return
    # Standard output stays as it is: it may be a file.
    shown = Live(
        Spinner("dots", f"{escape(what)} …"),
        console=err,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    timer = Timer(_MOMENT, shown.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        shown.stop()
