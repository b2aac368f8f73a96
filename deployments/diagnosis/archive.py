"""A zip file that appears under its name once it is whole, and whose contents are redacted."""

import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import JsonValue
from pydantic_core import to_json

from adspark.errors import ConfigurationError, InvalidQueryError
from adspark.text.redaction import redact_document, redact_foreign

_SUFFIX = ".zip"


class Archive:
    """An open archive: whatever is added to it passes the redaction."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self.names: list[str] = []

    def add_text(self, name: str, text: str) -> None:
        """Add a file of text."""
        self._file.writestr(name, redact_foreign(text))
        self.names.append(name)

    def add_document(self, name: str, document: JsonValue) -> None:
        """Add a file of JSON."""
        self.add_text(name, to_json(redact_document(document), indent=1).decode())


@contextmanager
def open_archive(file: Path, *, replaces: bool) -> Iterator[Archive]:
    """An archive to be filled; at the end it has its name, and at an error there is none.

    Args:
        file: its name, which ends in .zip.
        replaces: whether a file of this name may go.

    Raises:
        InvalidQueryError: the name cannot be used, or there is a file of it.
    """
    check_name_of(file, replaces=replaces)
    try:
        number, written = tempfile.mkstemp(
            dir=file.parent, prefix=f".{file.name}.", suffix=".partial"
        )
    except OSError as error:
        raise _unwritable(file, error) from None
    partial = Path(written)
    try:
        with os.fdopen(number, "wb") as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
                yield Archive(made)
            stream.flush()
            os.fsync(number)
        _name(partial, file, replaces=replaces)
    except OSError as error:
        if error.filename not in (None, written, str(file)):
            raise
        raise _unwritable(file, error) from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def check_name_of(file: Path, *, replaces: bool) -> None:
    """Raise InvalidQueryError where the archive could not have this name; before any work."""
    if file.suffix.lower() != _SUFFIX:
        raise InvalidQueryError("FILE", f"{file} does not end in {_SUFFIX}.")
    if not file.parent.is_dir():
        raise InvalidQueryError("FILE", f"{file.parent}: there is no such folder; make it first.")
    if file.is_dir():
        raise InvalidQueryError("FILE", f"{file} is a folder; name a file.")
    if os.path.lexists(file) and not replaces:
        raise _is_there(file)
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise InvalidQueryError("FILE", f"{file.parent} cannot be written; name another folder.")


def _name(partial: Path, file: Path, *, replaces: bool) -> None:
    """Give it its name; another one of the name, made meanwhile, stays unless it may go."""
    if replaces:
        partial.replace(file)
        return
    try:
        file.hardlink_to(partial)
    except FileExistsError:
        raise _is_there(file) from None
    except OSError:  # a file system without such links
        if os.path.lexists(file):
            raise _is_there(file) from None
        partial.replace(file)


def _is_there(file: Path) -> InvalidQueryError:
    return InvalidQueryError("FILE", f"{file} is there already; name another, or give --force.")


def _unwritable(file: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"{file} cannot be written: {error.strerror}; name another place.")
