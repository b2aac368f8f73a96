"""Ads as JSON lines: an object for each, made by PostgreSQL; what a terminal obeys is escaped."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.concurrency import in_thread
from adspark.export.columns import COLUMNS
from adspark.export.reading import Values, read_rows
from adspark.export.selection import Selection
from adspark.text.terminal import escape_unprintable


def json_statement(selection: Selection) -> str:
    """Rows of one text, the object."""
    columns = ", ".join(f"{one.value} AS {one.name}" for one in COLUMNS)
    return f"SELECT row_to_json(r)::text FROM ({selection.statement(columns)}) AS r"  # noqa: S608


async def read_json_lines(session: AsyncSession, selection: Selection) -> AsyncGenerator[bytes]:
    """The chosen ads as JSON lines, a thousand at a time; the transaction stays open meanwhile."""
    rows = read_rows(session, json_statement(selection), selection.values)
    async with aclosing(rows) as batches:
        async for batch in batches:
            yield _lines(batch)


def _lines(rows: Sequence[Values]) -> bytes:
    return escape_unprintable("".join(f"{row[0]}\n" for row in rows)).encode()


class JsonLinesWriter:
    """Writes the rows of `json_statement`."""

    def __init__(self, file: Path) -> None:
        self._output = file.open("wb")

    async def write(self, rows: Sequence[Values]) -> None:
        await in_thread(self._output.write, _lines(rows))

    async def close(self) -> None:
        self._output.close()

    def discard(self) -> None:
        self._output.close()
