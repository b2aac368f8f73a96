"""What AdSpark needs to work, checked one thing at a time: nothing is paid, and nothing is left."""

import asyncio
from pathlib import Path

from sqlalchemy import text

from adspark.archive.counts import count_archive
from adspark.db.engine import READ_REVISION, READ_SERVER, Database, check_server
from adspark.errors import ConfigurationError
from adspark.generators.base import Generator
from adspark.maintenance.check import Check, CheckState
from adspark.maintenance.disk import check_disk
from adspark.media.store import MediaStore
from adspark.serpapi.client import SerpApiClient
from adspark.settings import Settings

_FEW = 0.1  # share of searches, connections or room below which a person is warned

_CONNECTIONS = text(
    "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), "
    "current_setting('max_connections')::int"
)


def not_set_up(name: str, error: ConfigurationError) -> Check:
    """A service without which everything else works."""
    return Check(name=name, state=CheckState.NOT_SET_UP, what=str(error))


async def check_database(database: Database) -> Check:
    """Whether it answers, is migrated, can be written, and has connections to spare."""
    async with database.session() as session:
        check_server(*(await session.execute(READ_SERVER)).one())
        at = await session.scalar(READ_REVISION)
        used, most = (await session.execute(_CONNECTIONS)).one()
        await database.check_writable(session)
    await database.check_sessions()
    state = f"migration {at}, {used} of {most} connections"
    if used > (1 - _FEW) * most:
        return Check.warning("database", state, "raise max_connections, or: adspark scale POOL N")
    return Check.ok("database", state)


async def check_searches(client: SerpApiClient) -> Check:
    """Whether SerpApi takes the key, and what the month has left; free of charge."""
    account = await client.account()
    left, of = account.total_searches_left, account.searches_per_month
    state = f"{left} of {of} searches left this month" if left is not None else "the key is good"
    if left == 0:
        return Check.failed("SerpApi", state, "raise the plan, or wait for the next month")
    if left is not None and of and left < _FEW * of:
        return Check.warning("SerpApi", state, "adspark budget")
    return Check.ok("SerpApi", state)


async def check_generator(name: str, generator: Generator) -> Check:
    """Whether what makes variants takes the key and the workflow fits; free of charge."""
    await generator.check("health check")
    return Check.ok(name, "the key is good, and its inputs fit")


async def check_chromium(settings: Settings) -> Check:
    """Whether the browser starts."""
    from adspark.rendering.browser import check_browser  # noqa: PLC0415  (slow)

    await check_browser(program=settings.browser, is_sandboxed=settings.browser_sandbox)
    return Check.ok("browser", "starts")


async def check_media(media: MediaStore, home: Path) -> Check:
    """Whether pictures can be kept: something tiny is written, read and removed; and whether there
    is room, where their disk is not that of `home`, which is checked by itself."""
    await media.check_writable()
    folder = media.folder
    if folder is not None and await asyncio.to_thread(_are_apart, folder, home):
        room = await check_disk(folder)
        if room.state is not CheckState.OK:
            return room.model_copy(update={"name": "media store"})
    return Check.ok("media store", "can be written and read")


def _are_apart(folder: Path, home: Path) -> bool:
    """Whether two folders are on different file systems."""
    return home.exists() and folder.stat().st_dev != home.stat().st_dev


async def check_archive(database: Database, most_bytes: int) -> Check:
    """How many pictures are archived, wait and failed, and whether there is room for more."""
    async with database.session() as session:
        counts = await count_archive(session)
    state = counts.describe(most_bytes)
    if counts.bytes > (1 - _FEW) * most_bytes:
        return Check.warning("archive", state, "ADSPARK_ARCHIVE_MEGABYTES, ADSPARK_ARCHIVE_DAYS")
    return Check.ok("archive", state)
