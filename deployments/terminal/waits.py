"""Say on the terminal what a command waits for."""

import logging

from adspark.waits import LOGGER
from deployments.terminal.output import print_note


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
