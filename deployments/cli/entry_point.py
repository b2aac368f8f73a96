"""The installed command `adspark`, which Ctrl-C ends in silence also while it is imported."""

import os
import signal

_INTERRUPTED = 128 + signal.SIGINT


def main() -> None:
    """Import the command and run it."""
    present = signal.getsignal(signal.SIGINT)
    if present is signal.default_int_handler:  # else it is ignored, as behind nohup
        signal.signal(signal.SIGINT, lambda *_: os._exit(_INTERRUPTED))
    from deployments.cli.main import main as call  # noqa: PLC0415  (it takes half a second)

    if present is signal.default_int_handler:
        signal.signal(signal.SIGINT, present)
    call()
