"""A media store that belongs to a database already, as after its first clean-up."""

from adspark.db.engine import Database
from adspark.maintenance.store_owner import claim_store
from adspark.media.store import MediaStore


async def own(database: Database, media: MediaStore) -> None:
    """Enter the database as the owner of the store: its clean-ups remove pictures."""
    await claim_store(database, media, [], take_over=True)
