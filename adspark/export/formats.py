"""The formats of an export, by the ending of the file."""

from enum import StrEnum
from importlib.util import find_spec

from adspark.errors import InvalidQueryError
from adspark.installation import install_command


class Format(StrEnum):
    """What is written, by the ending that it is chosen by."""

    CSV = ".csv"
    JSON_LINES = ".jsonl"
    PARQUET = ".parquet"
    XLSX = ".xlsx"


_KNOWN = ", ".join(Format)


def format_of(name: str) -> Format:
    """The format of a file of this name.

    Raises:
        InvalidQueryError: its ending is none that is known, or what writes it is not installed.
    """
    if not name:
        raise InvalidQueryError("file", "that is a folder; name a file in it.")
    for one in Format:
        if name.lower() == one:
            raise InvalidQueryError("file", f"{name!r} has no name before its ending.")
        if name.lower().endswith(one):
            break
    else:
        raise InvalidQueryError("file", f"{name[-60:]!r} has to end with one of {_KNOWN}.")
    if one is Format.PARQUET and find_spec("pyarrow") is None:
        raise InvalidQueryError(
            "file",
            f"Parquet takes pyarrow; end it with .csv, or: {install_command('export')}",
        )
    return one
