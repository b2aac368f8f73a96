"""Stored advertisers: in a list, and all about one."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.library.coverage import LOOKS_AT
from adspark.library.filters.definition import RUNNING_DAYS
from adspark.validation.stored import check_storable

LAUNCHED_DAYS = 30
"""An ad that was first shown in so many last days is a new one of its advertiser."""

_MOST_DOMAINS = 20
_IS_LAUNCHED = f"c.first_shown >= now() - interval '{LAUNCHED_DAYS} days'"

_COUNTED = f"""
    SELECT a.advertiser_id, a.name, count(c.ad_creative_id) AS ads,
        count(*) FILTER (WHERE c.last_shown >= now() - interval '{RUNNING_DAYS} days') AS running,
        a.first_seen_at, a.last_seen_at
    FROM advertiser a LEFT JOIN creative c USING (advertiser_id)
"""  # noqa: S608  (a constant)
_LIST = text(f"{_COUNTED} GROUP BY a.advertiser_id ORDER BY ads DESC, a.name LIMIT :limit")
_BY_IDS = text(f"""
    {_COUNTED} WHERE a.advertiser_id = ANY (CAST(:ids AS text[]))
    GROUP BY a.advertiser_id ORDER BY array_position(CAST(:ids AS text[]), a.advertiser_id)
""")
_MIX = text(f"""
    SELECT c.format, count(*) AS ads,
        count(*) FILTER (WHERE c.last_shown >= now() - interval '{RUNNING_DAYS} days') AS running
    FROM creative c WHERE c.advertiser_id = :id GROUP BY 1 ORDER BY 2 DESC, 1
""")  # noqa: S608  (a constant)
_LAUNCHED = text(f"""
    SELECT count(*) FROM creative c WHERE c.advertiser_id = :id AND {_IS_LAUNCHED}
""")  # noqa: S608  (a constant)
_FIGURES = text(f"""
    SELECT count(*) FILTER (WHERE {_IS_LAUNCHED}) AS launched,
        count(*) FILTER (WHERE w.has_words) AS with_words,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY c.total_days_shown) AS median_days_shown,
        max(c.total_days_shown) AS most_days_shown
    FROM creative c LEFT JOIN search_document w USING (ad_creative_id)
    WHERE c.advertiser_id = :id
""")  # noqa: S608  (constants)
_DOMAINS = text("""
    SELECT domain FROM advertiser_domain WHERE advertiser_id = :id ORDER BY domain LIMIT :most
""")
_PLATFORMS = text("""
    SELECT p, count(*) FROM creative c, unnest(c.platforms) AS p
    WHERE c.advertiser_id = :id GROUP BY 1 ORDER BY 2 DESC, 1
""")
_WATCHES = text(f"SELECT name FROM watch w WHERE {LOOKS_AT} ORDER BY name, id")  # noqa: S608


class AdvertiserRow(BaseModel):
    """An advertiser in a list."""

    advertiser_id: str
    name: str
    ads: int = Field(description="Stored.")
    running: int = Field(description="Of them, shown in the last days.")
    first_seen_at: datetime | None = Field(description="The first day that any ad was shown.")
    last_seen_at: datetime | None = Field(description="The last one.")


class AdvertiserReport(AdvertiserRow):
    """Everything that is stored about an advertiser."""

    formats: dict[str, int]
    running_formats: dict[str, int]
    platforms: dict[str, int] = Field(description="They overlap.")
    domains: list[str]
    watches: list[str] = Field(description="That look for its ads, or for a domain of theirs.")
    launched: int = Field(description=f"Ads first shown in the last {LAUNCHED_DAYS} days.")
    with_words: int = Field(description="Ads whose copy is known.")
    median_days_shown: float | None = Field(description="On which an ad was shown, so far.")
    most_days_shown: int | None


async def list_advertisers(session: AsyncSession, *, limit: int) -> list[AdvertiserRow]:
    """Those with the most ads."""
    rows = await session.execute(_LIST, {"limit": limit})
    return [AdvertiserRow.model_validate(row) for row in rows.mappings()]


async def read_report(session: AsyncSession, advertiser_id: str) -> AdvertiserReport:
    """Everything about the advertiser of an id.

    Raises:
        InvalidQueryError: there is none.
    """
    check_storable("advertiser", advertiser_id)
    rows = await read_rows(session, [advertiser_id])
    if not rows:
        raise InvalidQueryError("advertiser", f"none of {advertiser_id[:60]!r} is stored.")
    (row,) = rows
    values = {"id": advertiser_id}
    mix = (await session.execute(_MIX, values)).all()
    figures = (await session.execute(_FIGURES, values)).mappings().one()
    platforms = (await session.execute(_PLATFORMS, values)).all()
    return AdvertiserReport(
        **row.model_dump(),
        **figures,
        formats={one.format: one.ads for one in mix},
        running_formats={one.format: one.running for one in mix if one.running},
        platforms={one[0]: one[1] for one in platforms},
        domains=await read_domains(session, advertiser_id=advertiser_id),
        watches=list(await session.scalars(_WATCHES, {"advertiser_ids": [advertiser_id]})),
    )


async def read_launched(session: AsyncSession, *, advertiser_id: str) -> int:
    """How many of its ads were first shown in the last `LAUNCHED_DAYS`, as a report counts them."""
    launched: int = await session.scalar(_LAUNCHED, {"id": advertiser_id}) or 0
    return launched


async def read_domains(session: AsyncSession, *, advertiser_id: str) -> list[str]:
    """Domains that an advertiser's ads lead to, some of them where there are many."""
    values = {"id": advertiser_id, "most": _MOST_DOMAINS}
    return list(await session.scalars(_DOMAINS, values))


async def read_rows(session: AsyncSession, ids: Sequence[str]) -> list[AdvertiserRow]:
    """The stored advertisers with these ids, in their order."""
    rows = await session.execute(_BY_IDS, {"ids": list(ids)})
    return [AdvertiserRow.model_validate(row) for row in rows.mappings()]
