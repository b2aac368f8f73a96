"""Prefect's telemetry is off in all that we start; the image sets the same in its environment."""

import os


def switch_off_telemetry() -> None:
    """Let neither this process nor its children report to Prefect's makers, unless told to."""
    os.environ.setdefault("DO_NOT_TRACK", "1")  # of Prefect's client
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
