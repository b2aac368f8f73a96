"""The `.env` file: UTF-8, with or without a mark of it at the beginning."""

from pathlib import Path

from dotenv import dotenv_values

from adspark.errors import ConfigurationError


def read_env_file(file: Path) -> dict[str, str | None]:
    """The variables of the file; none where there is no such file.

    Raises:
        ConfigurationError: it is not UTF-8, or cannot be read.
    """
    try:
        values = dotenv_values(file)
    except UnicodeDecodeError:
        raise ConfigurationError(_not_utf8(file)) from None
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error.strerror}; let this user read it (chmod, chown)."
        ) from None
    # UTF-16 without a mark reads as UTF-8 with NUL between its letters.
    if any("\0" in f"{name}{value or ''}" for name, value in values.items()):
        raise ConfigurationError(_not_utf8(file))
    return values


def _not_utf8(file: Path) -> str:
    return f"{file} is not UTF-8; save it as UTF-8."
