"""Ads as CSV: UTF-8 with its mark, a heading, and no cell that a spreadsheet computes, nor any that
a terminal obeys.

PostgreSQL itself writes the rows (COPY), one in each message.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.concurrency import in_thread
from adspark.export.columns import COLUMNS, Column, Kind
from adspark.export.reading import driver_statement
from adspark.export.selection import Selection
from adspark.text.formulas import guard_rows
from adspark.text.visible import blank_controls_utf8, drop_hidden

_MARK = b"\xef\xbb\xbf"  # without it spreadsheets take the file for another encoding
_BATCH = 512 * 1024  # bytes


async def write_csv(session: AsyncSession, selection: Selection, file: Path) -> int:
    """Write the chosen ads; returns how many they are.

    Args:
        selection: the ads.
        file: is written over.

    Raises:
        OSError: it cannot be written.
    """
    rows = -1  # the first is the heading
    with file.open("wb") as output:
        async with aclosing(_read(session, selection)) as parts:
            async for number, part in parts:
                rows += number
                await in_thread(output.write, part)
    return rows


async def read_csv(session: AsyncSession, selection: Selection) -> AsyncGenerator[bytes]:
    """The chosen ads as CSV, half a megabyte at a time; the transaction stays open meanwhile."""
    async with aclosing(_read(session, selection)) as parts:
        async for _, part in parts:
            yield part


async def _read(session: AsyncSession, selection: Selection) -> AsyncGenerator[tuple[int, bytes]]:
    """Numbers of rows, the heading among them, and what they are written as."""
    rows, batch, size = 0, [_MARK], 0
    driver, statement = await driver_statement(session, _copy(selection))
    async with driver.cursor() as cursor, cursor.copy(statement, selection.values) as copy:
        async for row in copy:
            rows += 1
            batch.append(bytes(row))
            size += len(row)
            if size > _BATCH:
                yield rows, _clean(batch)
                rows, batch, size = 0, [], 0
    yield rows, _clean(batch)


def _clean(rows: Sequence[bytes]) -> bytes:
    """Rows as a spreadsheet may have them: guarded before tabs go, for it skips one before a
    formula, and after what hides a formula's beginning."""
    whole = b"".join(rows)
    if not whole.isascii():
        mark = _MARK if whole.startswith(_MARK) else b""
        whole = mark + drop_hidden(whole.removeprefix(mark).decode()).encode()
    return blank_controls_utf8(guard_rows(whole))


def _copy(selection: Selection) -> str:
    columns = ", ".join(f"{_cell(one)} AS {one.name}" for one in COLUMNS)
    texts = ", ".join(one.name for one in COLUMNS if one.kind in (Kind.TEXT, Kind.TEXTS))
    return (
        f"COPY ({selection.statement(columns)}) TO STDOUT "
        f"(FORMAT csv, HEADER, ENCODING 'UTF8', FORCE_QUOTE ({texts}))"
    )


def _cell(column: Column) -> str:
    match column.kind:
        case Kind.TEXTS:
            return f"nullif(array_to_string({column.value}, ', '), '')"
        case Kind.MOMENT:  # spreadsheets know no time zones
            return f"({column.value})::timestamp"
        case Kind.FLAG:
            return f"({column.value})::text"
    return column.value
