"""Whether the media store has the pictures that the database counts, by a sample of them."""

import asyncio

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.concurrency import all_of
from adspark.maintenance.check import Check
from adspark.media.store import MediaStore
from adspark.text.counts import counted

_NEWEST = 10  # rows of each kind that are looked at, and as many others
_AT_ONCE = 8


def _sample(table: str, condition: str, paths: str, order: str, order_type: str) -> TextClause:
    """The paths of the newest rows and of some at random, by an index and so at any length."""
    return text(f"""
        WITH span AS (
            SELECT min({order}) AS first, max({order}) AS last FROM {table} WHERE {condition}
        ), moment AS (
            SELECT CAST(first + random() * (last - first) AS {order_type}) AS at
            FROM span, generate_series(1, :most)
        ), sample AS (
            (SELECT {paths} FROM {table} WHERE {condition} ORDER BY {order} DESC LIMIT :most)
            UNION ALL
            SELECT {paths} FROM moment CROSS JOIN LATERAL (
                SELECT {paths} FROM {table} WHERE {condition} AND {order} >= moment.at
                ORDER BY {order} LIMIT 1
            ) AS one
        )
        SELECT DISTINCT at FROM sample, unnest(ARRAY[{paths}]) AS at WHERE at IS NOT NULL
    """)  # noqa: S608  (put together from constants)


_ARCHIVED = _sample(
    "picture_version", "status = 'stored'", "path, thumbnail_path", "stored_at", "timestamptz"
)
_VARIANTS = _sample(
    "ad_variant",
    "image_path IS NOT NULL",
    "image_path, thumbnail_path, original_path",
    "id",
    "bigint",
)
_COUNT = text("""
    SELECT (SELECT count(*) FROM picture_version WHERE status = 'stored'),
        (SELECT count(*) FROM ad_variant WHERE image_path IS NOT NULL)
""")

_REMEDY = (
    "put the folder or bucket back, from a backup if need be, or name the right one "
    "(ADSPARK_MEDIA_URL). Where they are lost for good, adspark run archive-creatives "
    "-p retry_failed=true downloads those of ads again, as far as their addresses still work, and "
    "makes lost thumbnails again from their pictures; pictures of variants cannot be had otherwise"
)


async def check_pictures(session: AsyncSession, media: MediaStore) -> Check:
    """Whether the media store has the newest pictures that the database counts, and some others.

    Raises:
        AdSparkError: the database or the media store does not answer.
    """
    paths = await read_some_paths(session)
    if not paths:
        return Check.ok("pictures", "none is stored yet")
    turns = asyncio.Semaphore(_AT_ONCE)

    async def is_missing(path: str) -> bool:
        async with turns:
            return not await media.has(path)

    missing = sum(await all_of(is_missing(path) for path in paths))
    looked_at = f"of {counted(len(paths), 'file')} looked at"
    if not missing:
        return Check.ok("pictures", f"{looked_at}, the media store lacks none")
    archived, variants = (await session.execute(_COUNT)).one()
    what = (
        f"the database counts {counted(archived, 'picture')} of ads and {variants:,} of variants; "
        f"{looked_at}, the media store at {media.place} lacks {missing}"
    )
    return Check.warning("pictures", what, _REMEDY)


async def read_some_paths(session: AsyncSession) -> list[str]:
    """Of the newest pictures that the database counts, and of some others."""
    values = {"most": _NEWEST}
    return [path for one in (_ARCHIVED, _VARIANTS) for path in await session.scalars(one, values)]
