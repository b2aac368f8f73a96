"""The rows of a selection as the server sends them, past SQLAlchemy, which would buffer them."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any, cast

from psycopg import AsyncConnection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

Values = Sequence[Any]
"""One row: values in the order of the columns."""

_BATCH = 1000  # rows


async def driver_statement(
    session: AsyncSession, statement: str
) -> tuple[AsyncConnection[Any], str]:
    """The connection of the session's transaction, and the statement as its driver writes it."""
    connection = await session.connection()
    driver = (await connection.get_raw_connection()).driver_connection
    written = str(text(statement).compile(dialect=connection.dialect))
    return cast("AsyncConnection[Any]", driver), written


async def read_rows(
    session: AsyncSession, statement: str, values: dict[str, object]
) -> AsyncGenerator[list[Values]]:
    """The rows of a statement, a batch at a time, through a cursor of the server.

    Args:
        session: of the database; its transaction stays open meanwhile.
        statement: with parameters as `:name`.
        values: of the parameters.
    """
    driver, written = await driver_statement(session, statement)
    async with driver.cursor(name="export") as cursor:
        await cursor.execute(written, values)
        while rows := await cursor.fetchmany(_BATCH):
            yield rows
