"""Which data and which Prefect server are used: the running stack's, else the environment's."""

import os
from collections.abc import Callable

from adspark.home.running_stack import running_stack
from adspark.settings import Settings, get_settings
from deployments.environment.stack_settings import sandbox_settings


def current_settings(settings: Settings, warn: Callable[[str], None]) -> Settings:
    """The settings, but for a stack that runs on the sandbox: its data, its key and its address.

    `warn` is called with a line where they name another database, which is not used.
    """
    stack = running_stack(settings.home)
    if stack is None or stack.home == settings.home:
        return settings
    configured = settings.database_url and settings.database_url.get_secret_value()
    if configured not in (None, stack.database_url):
        warn(
            "A stack on the sandbox runs, so its own database is used, not that of "
            "ADSPARK_DATABASE_URL; for that one: adspark down"
        )
    return sandbox_settings(settings, stack.home.name)


def find_api_url() -> str | None:
    """PREFECT_API_URL, else that of the running stack; None where there is neither."""
    if url := os.environ.get("PREFECT_API_URL"):
        return url
    stack = running_stack(get_settings().home)
    return stack.api_url if stack else None
