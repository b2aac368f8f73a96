"""What a run waits for stands in its log; a command that runs the flow itself says it otherwise."""

import logging
from contextlib import suppress

from prefect.exceptions import MissingContextError
from prefect.logging import get_run_logger

from adspark.waits import IS_WAIT, LOGGER


class _RunLog(logging.Handler):
    """Writes to the log of the run in whose work a line is told, if it is one's."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        with suppress(MissingContextError):
            get_run_logger().info(record.getMessage(), extra={IS_WAIT: True})


logging.getLogger(LOGGER).addHandler(_RunLog())
