"""Stored ads that are old, and words to change and count what is stored."""

from typing import Any

from sqlalchemy import text

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from tests.support.factories import creative

OLD = "now() - interval '100 days'"
LET_VARIANTS_AGE = (
    f"UPDATE ad_variant SET requested_at = {OLD}, started_at = {OLD}, completed_at = {OLD}",
    f"UPDATE variant_feedback SET created_at = {OLD}, updated_at = {OLD}",
)


async def change(database: Database, *statements: str) -> None:
    async with database.session() as session:
        for statement in statements:
            await session.execute(text(statement))
        await session.commit()


async def ids(database: Database, statement: str) -> list[Any]:
    async with database.session() as session:
        return list(await session.scalars(text(statement)))


async def stock(database: Database, *, ads: int = 3) -> None:
    """Stored ads, not shown for a hundred days."""
    async with database.session() as session:
        await save_creatives(session, rows=[creative(number + 1) for number in range(ads)])
        await session.commit()
    await change(database, f"UPDATE creative SET last_shown = {OLD}")
