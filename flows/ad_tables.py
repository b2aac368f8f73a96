"""Tables of ads with their pictures, under Artifacts in the UI."""

from collections.abc import Sequence
from functools import partial

import httpx
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import ArtifactUpdate
from prefect.client.schemas.filters import (
    ArtifactCollectionFilter,
    ArtifactCollectionFilterKey,
    ArtifactCollectionFilterType,
)
from prefect.client.schemas.objects import ArtifactCollection
from prefect.client.schemas.sorting import ArtifactCollectionSort
from prefect.exceptions import PrefectHTTPStatusError
from prefect.logging import get_run_logger

from adspark.archive.thumbnails import read_thumbnails
from adspark.db.engine import Database
from adspark.notifications.ad_table import choose_pictures, fill_in, find_waiting, write_ads
from adspark.notifications.pictures import embed_pictures, find_pictures, read_pictures
from adspark.settings import get_settings, media_url
from orchestration.limits.retry_policy import retried_task

FETCHED, WATCHED, SWEPT = "new-creatives", "watch", "sweep"
"""What the keys of tables begin with: of searches, watches and sweeps."""

_MOST_TABLES = 20  # of a kind, the latest, into which pictures are filled
_Row = dict[str, str | int | None]


async def write_table(database: Database, rows: Sequence[_Row], *, waits: bool = True) -> str:
    """The table with the pictures that are archived; `waits`: the others will be.

    Args:
        database: with the pictures.
        rows: what the table shows, one row an ad.
        waits: say of pictures that are not archived yet that they will be.
    """
    ids = [str(row["ad"]) for row in rows]
    async with database.session() as session:
        thumbnails = await read_thumbnails(session, ids=ids)
    return await _embed(write_ads(rows, thumbnails, waits=waits))


async def show_ads(
    database: Database, key: str, rows: Sequence[_Row], description: str, *, waits: bool = True
) -> None:
    """Show a table, with what it is above it.

    Args:
        database: where the thumbnails are known.
        key: of the artifact.
        rows: heading to cell; `ad` is the creative's id.
        description: Markdown.
        waits: whether pictures that are missing will be archived.
    """
    page = await write_table(database, rows, waits=waits) or "No ads."
    await acreate_markdown_artifact(key=key, markdown=page, description=description)


@retried_task()
async def fill_in_pictures(database: Database) -> None:
    """Fill the pictures that are archived now into the latest tables that wait for them."""
    try:
        async with get_client() as client:
            for name in (FETCHED, WATCHED, SWEPT):
                for table in await _read_tables(client, name):
                    await _fill_in(database, client, table)
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        get_run_logger().warning(
            "Prefect's server took no pictures into the tables of new ads (%s); the next run of "
            "archive-creatives that archives some tries it again.",
            type(error).__name__,
        )


async def _read_tables(client: PrefectClient, name: str) -> list[ArtifactCollection]:
    return await client.read_latest_artifacts(
        artifact_filter=ArtifactCollectionFilter(
            key=ArtifactCollectionFilterKey(like_=name),
            type=ArtifactCollectionFilterType(any_=["markdown"]),
        ),
        sort=ArtifactCollectionSort.UPDATED_DESC,
        limit=_MOST_TABLES,
    )


async def _fill_in(database: Database, client: PrefectClient, table: ArtifactCollection) -> None:
    page = str(table.data)
    if not (waiting := find_waiting(page)):
        return
    async with database.session() as session:
        thumbnails = await read_thumbnails(session, ids=waiting)
    filled = await _embed(fill_in(page, thumbnails))
    if filled != page:
        await client.update_artifact(table.latest_id, ArtifactUpdate(data=filled))


async def _embed(page: str) -> str:
    """The page with its pictures inside; without them where there is no store."""
    pictures = await read_shown(page, "Ads are shown without pictures: %s")
    return embed_pictures(page, choose_pictures(page, pictures))


async def read_shown(page: str, warning: str) -> dict[str, bytes]:
    """The pictures that a page shows; none, and a warning, where there is no store."""
    log = partial(get_run_logger().warning, warning)
    return await read_pictures(media_url(get_settings()), find_pictures(page), on_problem=log)
