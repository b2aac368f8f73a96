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
    for one in Format:
        if name.lower().endswith(one) and name.lower() != one:
            break
    else:
        raise InvalidQueryError("file", f"{name[-60:]!r} has to end with one of {_KNOWN}.")
    if one is Format.PARQUET and find_spec("pyarrow") is None:
        raise InvalidQueryError(
            "file",
            f"Parquet takes pyarrow; end it with .csv, or: {install_command('export')}",
        )
    return one
