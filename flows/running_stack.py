"""Connect a Python program to the local stack that runs on its machine, as our commands do.

Where a Prefect server (environment, profile, prefect.toml) or a database is set explicitly, nothing
is changed.
"""

import os

from prefect.context import refresh_global_settings_context
from prefect.settings import get_current_settings

from adspark.home.running_stack import StackState, running_stack
from adspark.net.proxies import keep_from_proxies
from adspark.net.telemetry import switch_off_telemetry
from adspark.settings import get_settings
from adspark.text.redaction import remember_environment


def use_running_stack() -> None:
    """Configure Prefect, and our settings where the stack is on the sandbox, for the running stack.

    Without one, Prefect starts its temporary server, and the data are those of the settings.
    """
    remember_environment()
    keep_from_proxies()
    switch_off_telemetry()
    stack = running_stack(get_settings().home)
    if stack is None or not stack.ready or _uses_another(stack):
        return
    found = {"PREFECT_API_URL": stack.api_url}
    if stack.sandbox_url and stack.database_url:
        found |= {
            "ADSPARK_DATABASE_URL": stack.database_url,
            "ADSPARK_MEDIA_URL": str(stack.home / "media"),
            "ADSPARK_TRUSTED_HOSTS": stack.sandbox_url.removeprefix("http://"),
        }
    for name, value in found.items():
        os.environ[name] = os.environ.get(name) or value
    get_settings.cache_clear()
    refresh_global_settings_context()


def _uses_another(stack: StackState) -> bool:
    server = get_current_settings().api.url
    database = os.environ.get("ADSPARK_DATABASE_URL")
    is_other_database = bool(database and stack.database_url) and database != stack.database_url
    return server not in (None, stack.api_url) or is_other_database
