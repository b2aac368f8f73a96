"""Ads as JSON lines: an object for each, made by PostgreSQL; what a terminal obeys is escaped."""

from collections.abc import Sequence
from pathlib import Path

from adspark.export.columns import COLUMNS
from adspark.export.concurrency import in_thread
from adspark.export.reading import Values
from adspark.export.selection import Selection
from adspark.text.terminal import escape_unprintable


def json_statement(selection: Selection) -> str:
    """Rows of one text, the object."""
    columns = ", ".join(f"{one.value} AS {one.name}" for one in COLUMNS)
    return f"SELECT row_to_json(r)::text FROM ({selection.statement(columns)}) AS r"  # noqa: S608


class JsonLinesWriter:
    """Writes the rows of `json_statement`."""

    def __init__(self, file: Path) -> None:
        self._output = file.open("wb")

    async def write(self, rows: Sequence[Values]) -> None:
        lines = "".join(f"{row[0]}\n" for row in rows)
        await in_thread(self._output.write, escape_unprintable(lines).encode())

    async def close(self) -> None:
        self._output.close()

    def discard(self) -> None:
        self._output.close()
