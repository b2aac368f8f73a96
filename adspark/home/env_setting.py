"""Write one variable into a `.env` file: all else in it stays, and others cannot read it.

The file is replaced as a whole or not at all.
"""

import io
import os
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from adspark.errors import ConfigurationError

_PLAIN = re.compile(r"[\w.:/@+=,-]+", re.ASCII)
_MODE = 0o600
_MARK = "\ufeff"  # byte order mark, which editors write before UTF-8


def write_env_setting(file: Path, name: str, value: str) -> None:
    """Set a variable in the file, which is made with mode 0600 where there is none.

    Where it stands several times, the last one counts, so all of them get the value.

    Args:
        file: in a folder that there is.
        name: of the variable.
        value: letters, digits and a few signs, as keys are made of.

    Raises:
        ConfigurationError: the file is a link or no file, is another account's, cannot be read or
            written, or cannot take the variable without loss; nothing was changed.
    """
    after, owner = _prepare(file, name, value)
    try:
        _replace(file, after, owner)
    except OSError as error:
        raise _unwritable(file, error) from None


def check_env_setting(file: Path, name: str) -> None:
    """Check that a variable can be written into the file, before anybody is asked for its value.

    Raises:
        ConfigurationError: as by `write_env_setting`.
    """
    _prepare(file, name, "value")
    try:
        with tempfile.TemporaryFile(dir=file.parent):
            pass
    except OSError as error:
        raise _unwritable(file, error) from None


def _prepare(file: Path, name: str, value: str) -> tuple[str, int | None]:
    """The file's content with the variable set, and the owner that the file has."""
    if not _PLAIN.fullmatch(value):
        raise ConfigurationError(f"{name}: its value cannot be written into {file}.")
    owner = _check_file(file)
    try:
        before = file.read_bytes().decode() if owner is not None else ""
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file} is not UTF-8; save it as UTF-8.") from None
    except OSError as error:
        raise _unwritable(file, error) from None
    after = _set(before, name, value)
    if not _holds_all(before, after, name, value):
        raise ConfigurationError(
            f"{file} has lines that cannot be read, so {name} is not written into it; correct it, "
            "or write the variable yourself."
        )
    return after, owner


def _check_file(file: Path) -> int | None:
    """The owner of the file; None where there is none. Raises ConfigurationError."""
    try:
        found = file.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unwritable(file, error) from None
    if stat.S_ISLNK(found.st_mode):
        raise ConfigurationError(
            f"{file} is a link to {file.readlink()}; write the variable there yourself, or put a "
            "file in its place."
        )
    if not stat.S_ISREG(found.st_mode):
        raise ConfigurationError(f"{file} is not a file; move it away.")
    if os.geteuid() not in (0, found.st_uid):
        raise ConfigurationError(f"{file} belongs to another account; let that one write it.")
    return found.st_uid


def _set(content: str, name: str, value: str) -> str:
    """The content with the variable set, in its place or at the end."""
    mark = _MARK if content.startswith(_MARK) else ""
    bindings = list(parse_stream(io.StringIO(content.removeprefix(_MARK), newline="")))
    parts = [
        _line(one, name, value) if one.key == name else one.original.string for one in bindings
    ]
    if not any(one.key == name for one in bindings):
        end = "\r\n" if "\r\n" in content else "\n"
        if parts and not parts[-1].endswith(("\n", "\r")):
            parts.append(end)
        parts.append(f"{name}={value}{end}")
    return mark + "".join(parts)


def _line(binding: Binding, name: str, value: str) -> str:
    """The line of a variable with another value: what stands before its name and its end stay."""
    written = binding.original.string
    start = written.index(name)
    rest = written.rstrip("\r\n")
    return f"{written[:start]}{name}={value}{written[len(rest) :]}"


def _holds_all(before: str, after: str, name: str, value: str) -> bool:
    """Whether every variable reads as before, but for this one, which has its value."""
    expected = _values(before) | {name: value}
    return _values(after) == expected


def _values(content: str) -> dict[str, str | None]:
    read = parse_stream(io.StringIO(content.removeprefix(_MARK), newline=""))
    return {one.key: one.value for one in read if one.key is not None}


def _replace(file: Path, content: str, owner: int | None) -> None:
    """Put a whole file in the place of the former one."""
    number, partial = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.", suffix=".partial")
    try:
        with os.fdopen(number, "wb") as written:
            os.fchmod(number, _MODE)
            if owner is not None and owner != os.geteuid():
                os.fchown(number, owner, -1)
            written.write(content.encode())
            written.flush()
            os.fsync(number)
        Path(partial).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(partial).unlink()
        raise


def _unwritable(file: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{file} cannot be written: {error.strerror}; let this user write in "
        f"{file.absolute().parent}, or change to a folder of your own."
    )
