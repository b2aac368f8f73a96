"""Variables that look like settings and are none: a misspelled one has no effect, and no error."""

import os

from adspark.home.env_file import read_env_file
from adspark.settings import ENV_FILE, Settings
from adspark.validation.near_names import ask_for, find_near

_PREFIX = "ADSPARK_"

# What the compose files read, or a command as the default of an option.
_BESIDE_SETTINGS = (
    "ADSPARK_API_PORTS", "ADSPARK_BIND", "ADSPARK_IMAGE", "ADSPARK_PYTHON", "ADSPARK_SERVER_URL",
    "ADSPARK_STACK", "ADSPARK_STOP_GRACE", "ADSPARK_WORKER_HEALTHCHECK",
)  # fmt: skip


def written_variables() -> dict[str, str | None]:
    """The variables of ours in `.env` and in the environment, which goes before it."""
    written: dict[str, str | None] = {**read_env_file(ENV_FILE), **os.environ}
    return {name: value for name, value in written.items() if name.upper().startswith(_PREFIX)}


def describe_unknown_settings() -> tuple[str, str] | None:
    """What is wrong with variables that nothing reads, and what to do; None where none is."""
    known = {f"{_PREFIX}{name.upper()}" for name in Settings.model_fields}.union(_BESIDE_SETTINGS)
    unknown = sorted(name for name in written_variables() if name.upper() not in known)
    if not unknown:
        return None
    what = f"{', '.join(unknown)} {'is' if len(unknown) == 1 else 'are'} no setting of ours"
    near = ask_for(find_near(unknown[0], sorted(known)))
    return what, near or "correct or remove it; they are listed in .env.example"
