"""The `.env` file: UTF-8, with or without a byte order mark."""

from pathlib import Path

from dotenv import dotenv_values

from adspark.errors import ConfigurationError


def read_env_file(file: Path) -> dict[str, str | None]:
    """The variables of the file, if there is one; ConfigurationError where it cannot be read."""
    not_utf8 = ConfigurationError(f"{file} is not UTF-8; save it as UTF-8.")
    try:
        values = dotenv_values(file)
    except UnicodeDecodeError:
        raise not_utf8 from None
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error.strerror}; let this user read it (chmod, chown)."
        ) from None
    # UTF-16 without a byte order mark reads as UTF-8 with NUL between its letters.
    if any("\0" in f"{name}{value or ''}" for name, value in values.items()):
        raise not_utf8
    return values
