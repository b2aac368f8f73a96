"""The watches that look at an advertiser, and how complete their last look was."""

from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.models import Coverage

_MOST = 50
_READ = text("""
    SELECT id, name, is_active, checked_at, coverage, problem FROM watch
    WHERE :id = ANY (advertiser_ids) ORDER BY lower(name), id LIMIT :limit
""")


class AdvertiserWatch(BaseModel):
    """A watch that names the advertiser; `coverage` is that of its last check."""

    id: int
    name: str
    is_active: bool
    checked_at: datetime | None
    coverage: Coverage | None
    problem: str | None


async def read_advertiser_watches(
    session: AsyncSession, *, advertiser_id: str
) -> list[AdvertiserWatch]:
    """The watches that name an advertiser, by name; 50 at most."""
    rows = await session.execute(_READ, {"id": advertiser_id, "limit": _MOST})
    return [AdvertiserWatch.model_validate(row) for row in rows.mappings()]
