"""The surroundings of the local stack: its settings, its processes' environment, its ports."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from adspark.db.libpq import libpq_variables
from adspark.errors import ConfigurationError
from adspark.home.env_file import read_env_file
from adspark.settings import ENV_FILE, Settings, run_results_folder
from deployments.environment.shell import clean_environment

HOST = "127.0.0.1"
SANDBOX_KEY = "sandbox-key"
SANDBOX_DIFY_KEY = "app-sandbox"
SANDBOX_DATA = "sandbox"
"""Folder of the sandbox's data in ADSPARK_HOME, apart from real data."""

DEMO_DATA = "demo"
"""The same of the demo's."""

# Seconds between a worker's polls, beside those at each new run; so early does it claim one.
_WORKER_QUERY_SECONDS = "10"
# Seconds between the signs of life of a run; without them for 90 s it is taken for dead.
_HEARTBEAT_SECONDS = "30"
# Tries of a run or a worker to reach the server, 2, 4, 8 … s apart: it may be away for minutes.
_CLIENT_RETRIES = "7"

# What each of the clients of a run would ask or load for nothing on this host: a token that its
# server does not want, whether the version fits, and the authorities of TLS, which takes 25 ms.
_LIGHT_CLIENT = {
    "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
    "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
    "PREFECT_API_SSL_CERT_FILE": str(Path(__file__).with_name("no_authority.pem")),
}


def sandbox_settings(settings: Settings, data: str) -> Settings:
    """The settings under which the stack runs on the sandbox: data, key and address of its own."""
    return settings.model_copy(
        update={
            "home": settings.home / data,
            "database_url": None,
            "serpapi_key": SecretStr(SANDBOX_KEY),
            "serpapi_url": f"http://{HOST}:{settings.sandbox_port}",
            "generator": "dify",
            "dify_key": SecretStr(SANDBOX_DIFY_KEY),
            "dify_url": f"http://{HOST}:{settings.sandbox_port}/v1",
            "dify_workflow_id": None,
            "media_url": None,
            "trusted_hosts": (f"{HOST}:{settings.sandbox_port}",),
        }
    )


def settings_environment(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, for the processes of the stack."""
    values: dict[str, str] = {}
    for name, value in settings:
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        elif isinstance(value, tuple):
            value = ",".join(map(str, value))
        if value is not None:
            values[f"ADSPARK_{name.upper()}"] = str(value)
    return values


def public_environment(settings: Settings) -> dict[str, str]:
    """The settings that differ from their defaults, for the runs' containers.

    Secrets are left out, which blocks hold; but not the address of the pictures, which none holds.
    """
    values = settings_environment(settings)
    return {
        (name := f"ADSPARK_{field.upper()}"): values[name]
        for field in settings.model_fields_set
        if (field == "media_url" or not isinstance(getattr(settings, field), SecretStr))
        and f"ADSPARK_{field.upper()}" in values
    }


def use_server_password() -> None:
    """Let the commands of who has the password of Prefect's server, here or in `.env`, use it.

    Raises:
        ConfigurationError: the server could not compare it.
    """
    name = "PREFECT_SERVER_API_AUTH_STRING"
    if password := os.environ.get(name) or read_env_file(ENV_FILE).get(name):
        if not (password.isascii() and password.isprintable()):
            raise ConfigurationError(
                f"{name}: holds what is no printable ASCII character, and Prefect's server would "
                "let nobody in; choose others."
            )
        os.environ.setdefault("PREFECT_API_AUTH_STRING", password)


def process_environment(settings: Settings, *, database_url: str, api_url: str) -> dict[str, str]:
    """The environment of the stack's processes: this one's, with these settings and addresses.

    Args:
        settings: of the stack.
        database_url: of AdSpark's database.
        api_url: of the stack's Prefect server.
    """
    own = settings.model_copy(update={"database_url": SecretStr(database_url)})
    return (
        {"PREFECT_LOCAL_STORAGE_PATH": str(run_results_folder(settings))}
        | clean_environment(os.environ, own_database=settings.database_url is not None)
        | settings_environment(own)
        | {
            "PREFECT_API_URL": api_url,
            "PREFECT_WORKER_QUERY_SECONDS": _WORKER_QUERY_SECONDS,
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": _HEARTBEAT_SECONDS,
            "PREFECT_CLIENT_MAX_RETRIES": _CLIENT_RETRIES,
            **_LIGHT_CLIENT,
            "PREFECT_LOGGING_COLORS": "false",
            "NO_COLOR": "1",
            "PYTHONUNBUFFERED": "1",
        }
    )


def server_environment(
    environment: Mapping[str, str], settings: Settings, database_url: str
) -> dict[str, str]:
    """The environment of Prefect's server: that of the others, its database and its retention.

    Args:
        environment: of the stack's processes.
        settings: with the home, in which the server keeps the files of its page, for the
            installation may not be writable.
        database_url: of Prefect's database, on the embedded server.
    """
    libpq = libpq_variables()
    return {
        **{name: value for name, value in environment.items() if name not in libpq},
        "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "false",  # other pages are refused by origin
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url,
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(settings.home / "prefect-ui"),
        # Relative, so that the page works under each name of this machine; and for nobody else's.
        "PREFECT_SERVER_UI_API_URL": "/api",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": "",
        **retention_environment(settings),
    }


def retention_environment(settings: Settings) -> dict[str, str]:
    """For how long Prefect's server keeps ended runs; without, it keeps all of them for ever."""
    return {
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(
            int(settings.keep_runs_days * 86400)
        ),
    }
