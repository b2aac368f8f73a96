"""Which log lines stand on the terminal: what a command waits for, and no countdowns."""

import logging

from adspark.waits import LOGGER
from deployments.terminal.output import print_note

# Each of Prefect's services that send something in the background logs under its class's name, and
# counts, while the command ends, what it has still to send.
_SENDERS = ("APILogWorker", "EventsWorker")
_COUNTDOWN = "Still processing"


def drop_countdowns() -> None:
    """Let Prefect send the rest without counting it aloud."""
    for name in _SENDERS:
        logging.getLogger(name).addFilter(
            lambda record: not record.getMessage().startswith(_COUNTDOWN)
        )


class _Terminal(logging.Handler):
    """Prints each line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        print_note(record.getMessage())


def show_waits() -> None:
    """Print what this process waits for from now on; a second call changes nothing."""
    logger = logging.getLogger(LOGGER)
    if not any(isinstance(one, _Terminal) for one in logger.handlers):
        logger.addHandler(_Terminal())
