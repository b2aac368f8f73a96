"""Prefect's background services with our settings.

`python -m deployments.docker.background_services` runs them.
"""

import os
import sys

from adspark.settings import get_settings
from deployments.environment.stack_settings import retention_environment


def main() -> None:
    """Be `prefect server services start`."""
    environment = retention_environment(get_settings()) | os.environ  # what is set there wins
    command = [sys.executable, "-m", "prefect", "server", "services", "start"]
    os.execvpe(sys.executable, command, environment)  # noqa: S606  (no shell is wanted)


if __name__ == "__main__":
    main()
