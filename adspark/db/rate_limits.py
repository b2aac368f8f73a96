"""A rate limit that holds across all processes: a sliding window of uses, kept in Postgres.

Never more than `limit` uses start in any `WINDOW` seconds, and the next one starts as soon as the
oldest leaves the window.
"""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.engine import Database
from adspark.db.rates import WINDOW, WINDOWS
from adspark.waits import tell_wait

_WORTH_TELLING = 3.0  # seconds from which a person wonders

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 1))")
# More than a window ahead is what was taken before the clock was set back: it does not count.
_IS_TAKEN = """
    taken_at > clock_timestamp() - make_interval(secs => :window)
    AND taken_at < clock_timestamp() + make_interval(secs => :window)
"""
_TAKE = text(f"""
    WITH expired AS (
        DELETE FROM rate_slot WHERE name = :name AND NOT ({_IS_TAKEN})
    ), taken AS (
        SELECT taken_at FROM rate_slot WHERE name = :name AND {_IS_TAKEN}
        ORDER BY taken_at DESC LIMIT :limit
    ), slot AS (
        INSERT INTO rate_slot (name, taken_at)
        SELECT :name, clock_timestamp() WHERE (SELECT count(*) FROM taken) < :limit
        RETURNING id
    )
    SELECT CASE WHEN EXISTS (SELECT FROM slot) THEN 0
                ELSE extract(epoch FROM min(taken_at) - clock_timestamp()) + :window END
    FROM taken
""")  # noqa: S608  (put together from a constant)
_RELEASE = text("""
    DELETE FROM rate_slot
    WHERE id = (SELECT id FROM rate_slot WHERE name = :name ORDER BY taken_at DESC LIMIT 1)
""")
_COUNT = text(f"SELECT name, count(*)::int FROM rate_slot WHERE {_IS_TAKEN} GROUP BY name")  # noqa: S608  (a constant)


async def acquire_slot(
    database: Database, *, name: str, limit: int, window: float = WINDOW
) -> None:
    """Wait until `try_acquire_slot`, whose arguments it has, has acquired a slot.

    Args:
        database: that keeps the slots.
        name: of the limit.
        limit: slots in a window.
        window: seconds.
    """
    is_told = False
    while wait := await try_acquire_slot(database, name=name, limit=limit, window=window):
        if wait >= _WORTH_TELLING and not is_told:
            is_told = True
            bound = wait if limit else None  # others may be served before
            tell_wait(f"{name}: {limit} in {window:g} s are the limit of all runs", seconds=bound)
        await asyncio.sleep(wait)


async def try_acquire_slot(
    database: Database, *, name: str, limit: int, window: float | None = None
) -> float:
    """Acquire a slot if one is free; returns 0, else the seconds until one may be free.

    Args:
        database: that holds the uses.
        name: of the limit.
        limit: uses a window; 0 lets nothing through until it is raised.
        window: seconds; without, those of `WINDOWS`.
    """
    window = WINDOWS[name] if window is None else window
    if limit < 1:
        return window
    async with database.transaction() as session:
        await session.execute(_LOCK, {"name": name})
        values = {"name": name, "limit": limit, "window": window}
        wait = float(await session.scalar(_TAKE, values) or 0)
    return max(wait, 0.001) if wait else 0.0


async def release_slot(database: Database, *, name: str) -> None:
    """Give back the latest slot of a limit, whose use is not to be counted."""
    async with database.transaction() as session:
        await session.execute(_LOCK, {"name": name})
        await session.execute(_RELEASE, {"name": name})


async def count_uses(session: AsyncSession) -> dict[str, int]:
    """Uses in the last `WINDOW`, by the limit's name; a limit that was not used is not in it."""
    rows = await session.execute(_COUNT, {"window": WINDOW})
    return dict(rows.tuples().all())
