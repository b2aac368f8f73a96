"""Keep archived pictures within their bound on the disk: the oldest go, what is needed stays."""

from adspark.archive.store import count_archive
from adspark.db.engine import Database
from adspark.maintenance.cleanup_statements import COUNT_OLDEST, LOCK_OLDEST, REMOVE_OLDEST

_FULL_ENOUGH = 0.9  # share of the bound down to which pictures are removed: room for the next days


async def remove_over_bound(
    database: Database, *, most_bytes: int, batch: int, dry_run: bool = False
) -> int:
    """Remove the oldest pictures that nothing needs while all take more than the bound.

    Their files go with the unused ones. A picture that several ads share is kept until the last.

    Args:
        database: whose versions they are.
        most_bytes: of all archived pictures.
        batch: rows a step.
        dry_run: count, remove nothing.

    Returns:
        How many versions were removed, or would be.
    """
    removed = 0
    async with database.session() as session:
        kept = (await count_archive(session)).bytes
        if kept <= most_bytes:
            return 0
        to_free = kept - int(_FULL_ENOUGH * most_bytes)
        if dry_run:
            return int(await session.scalar(COUNT_OLDEST, {"bytes": to_free}) or 0)
    while to_free > 0:
        async with database.session() as session:
            oldest = (await session.execute(LOCK_OLDEST, {"batch": batch})).all()
            keys = []
            for row in oldest:
                if to_free <= 0:
                    break
                keys.append(row.id)
                to_free -= row.bytes
            if not keys:
                return removed
            await session.execute(REMOVE_OLDEST, {"keys": keys})
            await session.commit()
            removed += len(keys)
            to_free = (await count_archive(session)).bytes - int(_FULL_ENOUGH * most_bytes)
    return removed
