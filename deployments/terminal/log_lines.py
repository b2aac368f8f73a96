"""Which log lines stand on the terminal: what a command waits for, no countdowns, and nothing of
the database's driver, whose errors the command tells."""

import logging

from adspark.waits import LOGGER
from deployments.terminal.output import print_note

# Each of Prefect's services that send something in the background logs under its class's name, and
# counts, while the command ends, what it has still to send.
_SENDERS = ("APILogWorker", "EventsWorker")
_COUNTDOWN = "Still processing"
# They log connections that are closed in the middle of a statement, as at Ctrl-C.
_DRIVERS = ("psycopg", "sqlalchemy")


def drop_countdowns() -> None:
    """Let Prefect send the rest without counting it aloud."""
    for name in _SENDERS:
        logging.getLogger(name).addFilter(
            lambda record: not record.getMessage().startswith(_COUNTDOWN)
        )


def drop_driver_lines() -> None:
    """Leave the driver's lines to the handlers of a program that has some."""
    for name in _DRIVERS:
        logging.getLogger(name).addHandler(logging.NullHandler())


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
