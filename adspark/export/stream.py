"""An export as a stream of bytes: the same rows as in a file, and flat memory however many."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from adspark.db.engine import Database
from adspark.errors import InvalidQueryError
from adspark.export.formats import Format
from adspark.export.run import ExportRequest
from adspark.export.selection import select_ads
from adspark.export.writers.csv_file import read_csv
from adspark.export.writers.json_lines import read_json_lines

STREAMED = {Format.CSV: read_csv, Format.JSON_LINES: read_json_lines}
"""What can be read before it is whole, and from what."""


async def stream_ads(
    database: Database, request: ExportRequest, written: Format
) -> AsyncGenerator[bytes]:
    """All ads of a request as they are at one moment, some hundred kilobytes at a time.

    Whoever does not read to the end closes it (`aclosing`), for it holds a connection.

    Args:
        database: with the ads.
        request: which ads in which order; of pictures it gives the paths.
        written: CSV or JSON lines.

    Raises:
        InvalidQueryError: a filter, the order or the format cannot be used; before anything else.
        AdSparkError: the database does not work.
    """
    read = STREAMED.get(written)
    if read is None:
        raise InvalidQueryError("format", f"{written} is no stream; take .csv or .jsonl.")
    async with database.session() as session:
        filters = await request.filters.resolve(session)
    async with database.session() as session:
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        selection = await select_ads(
            session, query=request.query, filters=filters, sort=request.sort
        )
        async with aclosing(read(session, selection)) as parts:
            async for part in parts:
                yield part
