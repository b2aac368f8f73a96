"""One export: chosen, written, and put into its place when it is whole."""

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.engine import Database
from adspark.errors import InvalidQueryError
from adspark.export.columns import COLUMNS
from adspark.export.formats import Format
from adspark.export.pictures import copy_pictures
from adspark.export.reading import read_rows
from adspark.export.selection import Selection, select_ads
from adspark.export.summary import ExportSummary
from adspark.export.target import Target, open_target
from adspark.export.writers.csv_file import write_csv
from adspark.export.writers.json_lines import JsonLinesWriter, json_statement
from adspark.export.writers.tables import TableWriter
from adspark.export.writers.thumbnails import THUMBNAIL_COLUMNS, ThumbnailSource
from adspark.library.filters.written import WrittenFilters
from adspark.library.search.cursor import Sort
from adspark.media.store import MediaStore


@dataclass(frozen=True)
class ExportRequest:
    """What is exported: words and filters of a search, the order, and whether with pictures.

    It `replaces` what is in its place, and `may_be_empty` then, where nothing matches.
    """

    query: str = ""
    filters: WrittenFilters = field(default_factory=WrittenFilters)
    sort: Sort = Sort.NEWEST
    with_pictures: bool = False
    replaces: bool = False
    may_be_empty: bool = False


async def export_ads(
    database: Database, media: MediaStore, target: Target, request: ExportRequest
) -> ExportSummary:
    """Write all ads of a request, as they are at one moment, and put the file into its place.

    Args:
        database: with the ads.
        media: where their pictures are kept.
        target: where the export goes; nothing half written appears there.
        request: which ads, and what else.

    Raises:
        InvalidQueryError: a filter or the place cannot be used, or the place is taken; nothing
            matches, and what is there would be replaced by nothing.
        AdSparkError: the place, the media store or the database does not work.
    """
    target.check_free(with_pictures=request.with_pictures, replaces=request.replaces)
    async with database.session() as session:
        filters = await request.filters.resolve(session)
    with open_target(target):
        async with database.session() as session:
            await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            selection = await select_ads(
                session,
                query=request.query,
                filters=filters,
                sort=request.sort,
                pictures=target.pictures if request.with_pictures else None,
            )
            summary = await _write(session, selection, media, target)
            summary.notes = selection.notes + summary.notes
            if request.with_pictures:
                await copy_pictures(session, selection, media, target, summary)
        if not (summary.ads or request.may_be_empty) and target.exists():
            raise InvalidQueryError(
                "file",
                f"{target.place} stays as it was, for no stored ad matches",
                command="what is stored: adspark advertisers list",
            )
        summary.bytes = target.file.stat().st_size
        await target.finish(with_pictures=request.with_pictures, replaces=request.replaces)
    return summary


async def _write(
    session: AsyncSession, selection: Selection, media: MediaStore, target: Target
) -> ExportSummary:
    summary = ExportSummary(place=target.place, ads=0, bytes=0)
    columns = ", ".join(f"{one.value} AS {one.name}" for one in COLUMNS)
    match target.format:
        case Format.CSV:
            summary.ads = await write_csv(session, selection, target.file)
        case Format.JSON_LINES:
            writer = JsonLinesWriter(target.file)
            summary.ads = await _stream(session, selection, json_statement(selection), writer)
        case Format.PARQUET:
            from adspark.export.writers.parquet import ParquetWriter  # noqa: PLC0415  (an extra)

            statement = selection.statement(columns)
            summary.ads = await _stream(session, selection, statement, ParquetWriter(target.file))
        case Format.XLSX:
            from adspark.export.writers.xlsx import XlsxWriter  # noqa: PLC0415  (slow)

            thumbnails = ThumbnailSource(media, target.scratch)
            statement = selection.statement(f"{columns}, {THUMBNAIL_COLUMNS}")
            book = XlsxWriter(target.file, target.scratch, thumbnails)
            summary.ads = await _stream(session, selection, statement, book)
            summary.missing_pictures = thumbnails.missing
            summary.notes = book.notes
    return summary


async def _stream(
    session: AsyncSession, selection: Selection, statement: str, writer: TableWriter
) -> int:
    """Write the rows of a statement, read through a cursor of the server; returns their number."""
    number = 0
    try:
        async for rows in read_rows(session, statement, selection.values):
            await writer.write(rows)
            number += len(rows)
        await writer.close()
    finally:
        writer.discard()
    return number
