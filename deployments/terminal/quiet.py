"""Keep log lines of Prefect's that say nothing off the terminal."""

import logging

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
