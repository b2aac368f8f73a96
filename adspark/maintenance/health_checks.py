"""What AdSpark needs to work, checked one thing at a time: nothing is paid, and nothing is left."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel
from sqlalchemy import text

from adspark.archive.counts import count_archive
from adspark.db import migrate
from adspark.db.engine import Database
from adspark.errors import AdSparkError, ConfigurationError, TemporaryError
from adspark.generators.base import Generator
from adspark.media.store import MediaStore
from adspark.serpapi.client import SerpApiClient
from adspark.settings import Settings

SLOW = 15.0
"""Seconds for one check above which it is reported as slow."""

AWAY = 60.0
"""Seconds without an answer after which a service counts as down."""

_FEW = 0.1  # share of searches, connections or disk below which a person is warned
_LITTLE = 2**30  # bytes of disk below which the next clean-up or sweep may fail

_CONNECTIONS = text(
    "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), "
    "current_setting('max_connections')::int"
)


class CheckState(StrEnum):
    """How a thing is; `failed` is for a person to mend, `warning` for one to know."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_SET_UP = "not set up"


class Check(BaseModel):
    """One thing that was checked; `remedy` is the command or the setting that mends it."""

    name: str
    state: CheckState
    what: str
    remedy: str = ""

    @classmethod
    def ok(cls, name: str, what: str) -> "Check":
        """It is as it should be."""
        return cls(name=name, state=CheckState.OK, what=what)

    @classmethod
    def warning(cls, name: str, what: str, remedy: str) -> "Check":
        """It works, but not for long."""
        return cls(name=name, state=CheckState.WARNING, what=what, remedy=remedy)

    @classmethod
    def failed(cls, name: str, what: str, remedy: str) -> "Check":
        """It does not work."""
        return cls(name=name, state=CheckState.FAILED, what=what, remedy=remedy)


async def look_at(
    name: str,
    look: Callable[[], Awaitable[Check]],
    *,
    remedy: str,
    slow: float = SLOW,
    away: float = AWAY,
) -> Check:
    """Make one check; an error becomes a check that has failed.

    Args:
        name: of what is checked.
        look: makes the check.
        remedy: for errors, whose message says what is wrong.
        slow: seconds above which an answer comes with a warning.
        away: seconds after which no answer is expected any more.
    """
    asked_at = time.monotonic()
    try:
        async with asyncio.timeout(away):
            check = await look()
    except TimeoutError:
        return Check.failed(name, f"no answer in {away:g} s", remedy)
    except TemporaryError as error:
        return Check.failed(name, str(error), remedy)
    except AdSparkError as error:
        return Check.failed(name, str(error), remedy if remedy not in str(error) else "")
    except OSError as error:
        return Check.failed(name, f"{error.filename or name}: {error.strerror or error}", remedy)
    except Exception as error:  # whatever it is, the other checks are made; it may hold a secret
        return Check.failed(name, f"failed ({type(error).__name__})", remedy)
    seconds = time.monotonic() - asked_at
    if check.state is CheckState.OK and seconds > slow:
        what = f"is slow: {check.what}, after {seconds:.0f} s"
        return Check.warning(name, what, "look what keeps its machine busy")
    return check


def not_set_up(name: str, error: ConfigurationError) -> Check:
    """A service without which everything else works."""
    return Check(name=name, state=CheckState.NOT_SET_UP, what=str(error))


async def check_database(database: Database) -> Check:
    """Whether it answers, is migrated, and has connections to spare."""
    async with database.session() as session:
        at = await session.scalar(text("SELECT version_num FROM alembic_version"))
        used, most = (await session.execute(_CONNECTIONS)).one()
    newest = await asyncio.to_thread(migrate.newest)
    if at != newest:
        what = f"at migration {at or 'none'}, and {newest} is the newest"
        return Check.failed("database", what, "adspark db upgrade")
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


async def check_media(media: MediaStore) -> Check:
    """Whether pictures can be kept: something tiny is written, read and removed."""
    await media.check_writable()
    return Check.ok("media store", "can be written and read")


async def check_archive(database: Database, most_bytes: int) -> Check:
    """How many pictures are archived, wait and failed, and whether there is room for more."""
    async with database.session() as session:
        counts = await count_archive(session)
    state = counts.describe(most_bytes)
    if counts.bytes > (1 - _FEW) * most_bytes:
        return Check.warning("archive", state, "ADSPARK_ARCHIVE_MEGABYTES, ADSPARK_ARCHIVE_DAYS")
    return Check.ok("archive", state)


async def check_disk(folder: Path) -> Check:
    """Whether the folder's disk has room."""
    usage = await asyncio.to_thread(shutil.disk_usage, folder)
    state = f"{usage.free / 2**30:.1f} of {usage.total / 2**30:.1f} GB free for {folder}"
    if usage.free < _LITTLE:
        return Check.failed("disk", state, "adspark run cleanup-old-creatives; free some space")
    if usage.free < _FEW * usage.total:
        return Check.warning("disk", state, "adspark run cleanup-old-creatives -p dry_run=true")
    return Check.ok("disk", state)
