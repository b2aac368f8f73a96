"""Whose pictures a media store holds: clean-up removes none that may be another database's.

An object at the store's root names the database by what no dump of it carries: PostgreSQL's system
identifier, and the database's number in that server. A clean-up that enters its database into a
store with pictures removes none of them: another database may know them too, as after a dump.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.engine import Database
from adspark.maintenance.lost_pictures import read_some_paths
from adspark.media.store import MediaStore

_DATABASE = text("""
    SELECT s.system_identifier || '/' || d.oid FROM pg_control_system() s, pg_database d
    WHERE d.datname = current_database()
""")
# Of a variant that failed there is no other picture.
_ORIGINALS = text("""
    SELECT original_path FROM ad_variant WHERE original_path IS NOT NULL ORDER BY id DESC LIMIT 20
""")
_REMEDY = (
    "adspark run cleanup-old-creatives -p take_over_store=true, which removes the "
    "pictures that this database does not use"
)
_NOTE = (
    "this clean-up enters this database as the owner of the media store at {}; unused pictures are "
    "removed from the next clean-up on"
)


@dataclass(frozen=True)
class Claim:
    """Whether unused pictures may be removed: where it says nothing.

    Attributes:
        problem: why they may be another database's, with the remedy.
        note: why they stay until the next clean-up, though nothing is wrong.
    """

    problem: str | None = None
    note: str | None = None


async def read_known(session: AsyncSession) -> list[str]:
    """Paths of some pictures that the database counts."""
    return [*await read_some_paths(session), *await session.scalars(_ORIGINALS)]


async def claim_store(
    database: Database,
    media: MediaStore,
    known: Collection[str],
    *,
    take_over: bool = False,
    dry_run: bool = False,
) -> Claim:
    """Make the database the owner of a store without one that has a picture it knows, or none.

    Args:
        database: that is to be the owner.
        media: the store.
        known: as `read_known` gives it.
        take_over: become the owner in any case, and let pictures be removed at once.
        dry_run: change nothing.
    """
    async with database.session() as session:
        mine = json.dumps({"database": await session.scalar(_DATABASE)}).encode()
    owner = await media.read_owner()
    if owner == mine:
        return Claim()
    if take_over:
        claim = Claim()
    elif owner is not None:
        return Claim(
            f"the media store at {media.place} belongs to another database. Give each a store of "
            f"its own (ADSPARK_MEDIA_URL); where the other is gone, as after a restore: {_REMEDY}"
        )
    elif any([await media.has(path) for path in known]):
        claim = Claim(note=_NOTE.format(media.place))
    elif await _is_empty(media):
        claim = Claim()
    else:
        return Claim(
            f"this database knows none of the pictures that the media store at {media.place} has. "
            f"Name the right one in ADSPARK_MEDIA_URL; where they are no other's: {_REMEDY}"
        )
    if not dry_run:
        await media.save_owner(mine)
    return claim


async def _is_empty(media: MediaStore) -> bool:
    parts = [f"{kind}/{n:02x}" for kind in ("pictures", "thumbnails") for n in range(256)]
    for folder in ("originals", "variants", *parts):  # a part at a time: there may be millions
        if (await media.list_folder(folder)).pictures:
            return False
    return True
