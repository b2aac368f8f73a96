"""Export stored ads to a file or to object storage: CSV, JSON lines, Parquet or XLSX.

Blocks: adspark-database/adspark. Limits: 3600 s an attempt. Tables, read only: creative,
advertiser, creative_detail, creative_tag, creative_note, picture_version, picture_words.
"""

from datetime import date
from typing import Annotated

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from pydantic import WithJsonSchema

from adspark.export.formats import format_of
from adspark.export.run import ExportRequest
from adspark.export.summary import ExportSummary
from adspark.library.filters.written import WrittenFilters
from adspark.library.search.cursor import Sort
from adspark.markdown import escape_markdown
from adspark.models import DEFAULT_USER, EventKind
from adspark.validation.bounds import DAYS, PROMPT, TEXT
from flows.endings import PLAIN_JSON, completed
from flows.parameters import (
    Names,
    OptionalDay,
    OptionalFlag,
    OptionalFormat,
    OptionalPlatform,
    OptionalRegion,
    OptionalText,
    UserId,
    label,
)
from tasks.export_ads import export_ads

ARTIFACT_KEY = "export"

_Text = Annotated[str | None, TEXT]
_Event = Annotated[EventKind | None, WithJsonSchema({"type": "string", "enum": list(EventKind)})]


@flow(name="export-creatives", persist_result=True, result_serializer=PLAIN_JSON)
async def export_creatives(
    file: Annotated[str, TEXT, label("File")],
    query: Annotated[str, PROMPT, label("Words")] = "",
    advertiser: Annotated[Names, label("Advertisers")] = None,
    creative_format: OptionalFormat = None,
    platform: OptionalPlatform = None,
    region: OptionalRegion = None,
    domain: OptionalText = None,
    first_from: Annotated[OptionalDay, label("First shown from")] = None,
    first_to: Annotated[OptionalDay, label("First shown until")] = None,
    last_from: Annotated[OptionalDay, label("Last shown from")] = None,
    last_to: Annotated[OptionalDay, label("Last shown until")] = None,
    is_running: Annotated[OptionalFlag, label("Running")] = None,
    least_days: Annotated[int | None, DAYS, label("Days shown at least")] = None,
    size: Annotated[_Text, label("Size")] = None,
    aspect: Annotated[_Text, label("Aspect")] = None,
    board: Annotated[_Text, label("Board")] = None,
    watch: Annotated[_Text, label("Watch")] = None,
    tag: Annotated[_Text, label("Tag")] = None,
    event: Annotated[_Event, label("Event")] = None,
    has_words: Annotated[OptionalFlag, label("Copy known")] = None,
    sort: Annotated[Sort, label("Order")] = Sort.NEWEST,
    with_pictures: Annotated[bool, label("With pictures")] = False,
    replace: Annotated[bool, label("Replace")] = True,
    user_id: UserId = DEFAULT_USER,
) -> ExportSummary:
    """Export all stored ads that have the words and fulfil the filters.

    The file appears once it is whole; a run that fails leaves the one before as it was.

    Args:
        file: Ends with .csv, .jsonl, .parquet or .xlsx. A path, beginning in the folder exports of
            ADSPARK_HOME, or an address such as s3://bucket/folder/ads.csv.
        query: Words, "phrases", prefix*, -not; empty means all ads.
        advertiser: Names, domains or ids.
        creative_format: Only ads of this format.
        platform: Only ads shown on this surface.
        region: ISO code (US), country name or SerpApi code (2840).
        domain: That the ads lead to.
        first_from: First shown on or after this day.
        first_to: First shown on or before this day.
        last_from: Last shown on or after this day.
        last_to: Last shown on or before this day.
        is_running: Shown in the last 7 days, or not.
        least_days: Shown on so many days at least.
        size: Width and height in pixels, as 300x250.
        aspect: One of landscape, portrait and square, or a ratio such as 16:9.
        board: On this board of the user.
        watch: Found by this watch; its number or name.
        tag: With this tag of the user.
        event: Of which a watch noticed this.
        has_words: Whose copy is known, or is not.
        sort: The order of the rows; not relevance.
        with_pictures: Whether the archived pictures are put into a folder beside the file.
        replace: Whether a file that is there is replaced, as a schedule needs.
        user_id: Whose tags, titles, notes and boards.
    """
    format_of(file)
    filters = WrittenFilters(
        advertiser=[advertiser] if isinstance(advertiser, str) else advertiser or None,
        format=creative_format,
        platform=platform,
        region=None if region is None else str(region),
        domain=domain,
        first_from=_day(first_from),
        first_to=_day(first_to),
        last_from=_day(last_from),
        last_to=_day(last_to),
        is_running=is_running,
        least_days=least_days,
        size=size,
        aspect=aspect,
        board=board,
        watch=watch,
        tag=tag,
        event=event,
        has_words=has_words,
        user=user_id,
    )
    summary = await export_ads(
        file, ExportRequest(query, filters, sort, with_pictures, replace, may_be_empty=True)
    )
    lines = [f"**{escape_markdown(summary.headline)}**", *map(escape_markdown, summary.notes)]
    await acreate_markdown_artifact(key=ARTIFACT_KEY, markdown="\n\n".join(lines))
    return completed(summary, summary.headline)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
