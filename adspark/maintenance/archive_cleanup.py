"""Keep archived pictures within their bound on the disk: the oldest go, what is needed stays."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.archive.counts import read_kept_bytes
from adspark.db.engine import Database
from adspark.maintenance.cleanup_statements import COUNT_OLDEST, LOCK_OLDEST, REMOVE_OLDEST

_Place = tuple[datetime, int]  # by time and key
_BEFORE_ALL: _Place = (datetime.min.replace(tzinfo=UTC), 0)
_FULL_ENOUGH = 0.9  # share of the bound down to which pictures are removed: room for the next days


async def count_over_bound(session: AsyncSession, *, most_bytes: int, days: int) -> int:
    """How many versions `remove_over_bound` would remove.

    Args:
        session: to read them.
        most_bytes: of all archived pictures.
        days: after which earlier versions go by their age, before.
    """
    values = {"most_bytes": most_bytes, "target": _target(most_bytes), "days": days}
    return int(await session.scalar(COUNT_OLDEST, values) or 0)


async def remove_over_bound(database: Database, *, most_bytes: int, batch: int) -> int:
    """Remove the oldest pictures that nothing needs while all take more than the bound.

    Their files go with the unused ones. A picture that several ads share is kept until the last.

    Args:
        database: whose versions they are.
        most_bytes: of all archived pictures.
        batch: rows a step.

    Returns:
        How many versions were removed.
    """
    target = _target(most_bytes)
    async with database.session() as session:
        kept = await read_kept_bytes(session)
    if kept <= most_bytes:
        return 0
    removed = 0
    after: _Place | None = _BEFORE_ALL
    while kept > target and after is not None:
        async with database.session() as session:
            while kept > target and after is not None:
                keys, freed, after = await _choose_oldest(
                    session, after, to_free=kept - target, batch=batch
                )
                await session.execute(REMOVE_OLDEST, {"keys": keys})
                await session.commit()
                removed, kept = removed + len(keys), kept - freed
            kept = await read_kept_bytes(session)  # a shared picture frees nothing at first
    return removed


def _target(most_bytes: int) -> int:
    return int(_FULL_ENOUGH * most_bytes)


async def _choose_oldest(
    session: AsyncSession, after: _Place, *, to_free: int, batch: int
) -> tuple[list[int], int, _Place | None]:
    """Lock the next oldest, as many as are needed; returns their keys, their bytes, and the last of
    them, None where there are no more.
    """
    stored_at, key = after
    values = {"stored_at": stored_at, "id": key, "batch": batch}
    keys: list[int] = []
    freed, last = 0, None
    for row in await session.execute(LOCK_OLDEST, values):
        if freed >= to_free:
            break
        keys.append(row.id)
        freed += row.bytes
        last = (row.stored_at, row.id)
    return keys, freed, last
