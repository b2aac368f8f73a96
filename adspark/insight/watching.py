"""The watches that look at an advertiser, and how complete their last look was."""

from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.library.coverage import LOOKS_AT
from adspark.models import Coverage

_MOST = 50
_READ = text(f"""
    SELECT id, name, text AS domain, is_active, checked_at, coverage, problem FROM watch w
    WHERE {LOOKS_AT} ORDER BY lower(name), id LIMIT :limit
""")  # noqa: S608  (put together from constants)


class AdvertiserWatch(BaseModel):
    """A watch that finds ads of the advertiser; `coverage` is that of its last check.

    Attributes:
        domain: to which the ads lead that it looks for; None: it looks for the advertiser's.
    """

    id: int
    name: str
    domain: str | None
    is_active: bool
    checked_at: datetime | None
    coverage: Coverage | None
    problem: str | None


async def read_advertiser_watches(
    session: AsyncSession, *, advertiser_id: str
) -> list[AdvertiserWatch]:
    """The watches that find ads of an advertiser, by name; 50 at most."""
    rows = await session.execute(_READ, {"advertiser_ids": [advertiser_id], "limit": _MOST})
    return [AdvertiserWatch.model_validate(row) for row in rows.mappings()]
