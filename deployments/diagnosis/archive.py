"""A zip file that appears under its name once it is whole, and whose contents are redacted."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import JsonValue
from pydantic_core import to_json

from adspark.home.new_file import open_new_file
from adspark.text.redaction import redact_document, redact_foreign

SUFFIXES = (".zip",)


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
    with (
        open_new_file(file, SUFFIXES, replaces=replaces, is_private=True) as stream,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        yield Archive(made)
