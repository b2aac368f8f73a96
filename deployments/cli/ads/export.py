"""`adspark ads export`: the stored ads of a search as a file, all of them."""

import asyncio
from pathlib import Path
from typing import Annotated

from rich.markup import escape
from typer import Argument, Option

from adspark.export.run import ExportRequest, export_ads
from adspark.export.summary import ExportSummary
from adspark.export.target import find_target
from adspark.library.filters.written import WrittenFilters
from adspark.library.search.cursor import Sort
from adspark.media.store import MediaStore
from adspark.settings import media_url
from adspark.text.terminal import plain
from deployments.cli.ads.documents import AdsExported
from deployments.cli.ads.filters import takes_filters
from deployments.cli.database import current_settings, open_database
from deployments.cli.options import JsonOption, choice_option
from deployments.terminal.output import print_json, print_line, print_warning
from deployments.terminal.progress import progress


@takes_filters
def export(
    file: Annotated[
        str, Argument(help="Ends with .csv, .jsonl, .parquet or .xlsx; or s3://bucket/ads.csv.")
    ],
    query: Annotated[list[str] | None, Argument(help="As of a search; none: all ads.")] = None,
    *,
    filters: WrittenFilters,
    sort: Annotated[Sort, choice_option(Sort, "--sort", "The order of the rows.")] = Sort.NEWEST,
    pictures: Annotated[
        bool, Option("--pictures", help="The archived pictures too, in a folder beside it.")
    ] = False,
    force: Annotated[bool, Option("--force", help="Replace what is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the stored ads of a search to a file; all of them, however many.

    The file appears once it is whole. Words are taken as they are written.
    """
    settings = current_settings()
    target = find_target(file, home=settings.home, base=Path())
    request = ExportRequest(" ".join(query or []), filters, sort, pictures, force)

    async def act() -> ExportSummary:
        async with open_database(settings) as database:
            return await export_ads(database, MediaStore(media_url(settings)), target, request)

    with progress("Exporting"):
        summary = asyncio.run(act())
    if as_json:
        print_json(AdsExported.of(summary))
        return
    for note in summary.notes:
        print_warning(note)
    print_line(f"Exported {escape(plain(summary.headline))}.")
    if not summary.ads:
        print_warning("No stored ad matches; what is stored: adspark advertisers list")
