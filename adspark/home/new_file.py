"""A file that appears under its name once it is whole, and replaces none unasked."""

import errno
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from adspark.errors import ConfigurationError, InvalidQueryError


@contextmanager
def open_new_file(
    file: Path, suffixes: Sequence[str], *, replaces: bool, is_private: bool = False
) -> Iterator[BinaryIO]:
    """A file to be written; at the end it has its name, and at an error there is none.

    Args:
        file: its name.
        suffixes: of which it ends in one, as ".zip".
        replaces: whether a file of this name may go.
        is_private: whether only its owner may read it; else who may is as the umask says.

    Raises:
        InvalidQueryError: the name cannot be used, or there is a file of it.
        ConfigurationError: it cannot be written.
    """
    check_new_file(file, suffixes, replaces=replaces)
    partial = file.with_name(f".{file.name}.{secrets.token_hex(4)}.partial")
    mode = 0o600 if is_private else 0o666
    try:
        number = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        raise _unwritable(file, error) from None
    try:
        with os.fdopen(number, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(number)
        try:
            name_file(partial, file, replaces=replaces)
        except FileExistsError:
            raise _is_there(file) from None
    except OSError as error:
        if error.filename not in (None, str(partial), str(file)):
            raise
        raise _unwritable(file, error) from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def check_new_file(file: Path, suffixes: Sequence[str], *, replaces: bool) -> None:
    """Raise InvalidQueryError where the file could not have this name, and ConfigurationError where
    nobody can look; before any work.

    Args:
        file: its name.
        suffixes: of which it ends in one.
        replaces: whether a file of this name may go.
    """
    if file.suffix.lower() not in suffixes:
        raise InvalidQueryError("FILE", f"{file} does not end in {' or '.join(suffixes)}.")
    try:
        if not file.parent.is_dir():
            missing = f"{file.parent}: there is no such folder; make it first."
            raise InvalidQueryError("FILE", missing)
        if file.is_dir():
            raise InvalidQueryError("FILE", f"{file} is a folder; name a file.")
    except OSError as error:  # no right to look, or a name that is too long
        raise _unwritable(file, error) from None
    if os.path.lexists(file) and not replaces:
        raise _is_there(file)
    if not os.access(file.parent, os.W_OK | os.X_OK):
        folder = file.parent.absolute()  # in a container "." says nothing
        raise InvalidQueryError("FILE", f"{folder} cannot be written; name another folder.")


def name_file(partial: Path, file: Path, *, replaces: bool) -> None:
    """Give a whole file its name; another one of the name, made meanwhile, stays unless it may go.

    Args:
        partial: the file under another name, in the same file system; it may keep that name too.
        file: its name.
        replaces: whether a file of this name may go.

    Raises:
        FileExistsError: there is one, and it may not go.
        OSError: it cannot be written.
    """
    if replaces:
        partial.replace(file)
        return
    try:
        file.hardlink_to(partial)
    except FileExistsError:
        raise
    except OSError:  # a file system without such links
        if os.path.lexists(file):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(file)) from None
        partial.replace(file)


def _is_there(file: Path) -> InvalidQueryError:
    return InvalidQueryError("FILE", f"{file} is there already; name another, or give --force.")


def _unwritable(file: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"{file} cannot be written: {error.strerror}; name another place.")
