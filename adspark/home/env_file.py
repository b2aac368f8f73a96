"""The `.env` file: UTF-8, with or without a byte order mark."""

from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from adspark.errors import ConfigurationError


def read_env_file(file: Path) -> dict[str, str | None]:
    """The variables of the file, if there is one.

    Raises:
        ConfigurationError: it cannot be read, or a line of it; shows none of its values.
    """
    try:
        content = file.read_text("utf-8-sig")
    except FileNotFoundError:
        if file.is_symlink():
            raise ConfigurationError(
                f"{file} leads to {file.readlink()}, which is not there; "
                "make it, or remove the link."
            ) from None
        return {}
    except IsADirectoryError:
        raise ConfigurationError(f"{file} is not a file; move it away.") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file} is not UTF-8; save it as UTF-8.") from None
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error.strerror}; let this user read it (chmod, chown)."
        ) from None
    if "\0" in content:
        raise ConfigurationError(
            f"{file} is not UTF-8 text, for it holds NUL characters; save it as UTF-8 without them."
        )
    for line in parse_stream(StringIO(content)):
        if line.error:
            written = line.original.string  # with the empty lines before it
            number = line.original.line + written[: -len(written.lstrip())].count("\n")
            raise ConfigurationError(
                f"{file}, line {number}: neither NAME=value nor a comment, or a quote "
                "is not closed; correct it."
            )
    return dotenv_values(stream=StringIO(content))
