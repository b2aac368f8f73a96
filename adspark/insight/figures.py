"""Figures of an advertiser from the views: by time, by kind, by region, and its longest ads."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.models import CreativeFormat
from adspark.serpapi.regions import region_name
from adspark.validation.days import check_day_has_come, today


class Period(StrEnum):
    """By what launches and endings are added up; weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


# Running on the period's last day that has come and is asked for. An advertiser's days end with its
# last ad where none runs any more: after them it has no rows, and nothing of it ran.
_TIMELINE = text("""
    SELECT date_trunc(:period, day)::date AS begins, sum(launched)::bigint AS launched,
        sum(ended)::bigint AS ended,
        CASE WHEN max(day) >= least(
            (date_trunc(:period, day) + CAST('1 ' || :period AS interval))::date - 1,
            CAST(:last AS date), (now() AT TIME ZONE 'UTC')::date
        ) THEN (array_agg(running ORDER BY day DESC))[1] ELSE 0 END AS running
    FROM insight_daily WHERE advertiser_id = :id
        AND day >= coalesce(CAST(:first AS date), '-infinity')
        AND day <= coalesce(CAST(:last AS date), 'infinity')
    GROUP BY date_trunc(:period, day) ORDER BY 1 DESC LIMIT :limit
""")
_MIX = text("""
    SELECT kind, value, ads, running FROM insight_mix WHERE advertiser_id = :id
    ORDER BY array_position(ARRAY['format', 'size', 'platform'], kind), ads DESC, value
""")
_REGIONS = text("""
    SELECT region, ads, running, entered_on, left_on, ads_with_details FROM insight_region
    WHERE advertiser_id = :id ORDER BY left_on DESC NULLS FIRST, entered_on DESC, region
""")
_LONGEST = text("""
    SELECT ad_creative_id, format, first_day, last_day, days AS days_running, is_running
    FROM insight_ad
    WHERE advertiser_id = :id AND days > 0 ORDER BY days DESC, ad_creative_id LIMIT :limit
""")
# As in insight_share, where all days would be counted for one.
_SHARE = text("""
    SELECT advertiser_id, advertiser, count(*) AS running,
        (count(*) / sum(count(*)) OVER ())::float8 AS share_of_creatives_seen
    FROM insight_ad
    WHERE days > 0 AND first_day <= :day
        AND (last_day >= :day OR (is_running AND :day <= (now() AT TIME ZONE 'UTC')::date))
        AND (CAST(:ids AS text[]) IS NULL OR advertiser_id = ANY (CAST(:ids AS text[])))
    GROUP BY advertiser_id, advertiser ORDER BY running DESC, advertiser LIMIT :limit
""")
# The same for one of them, by moments, which costs less for each of all ads.
_OWN_SHARE = text("""
    SELECT count(*) FILTER (WHERE advertiser_id = :id)::float8 / nullif(count(*), 0)
    FROM creative
    WHERE first_shown < :end AND (last_shown >= :begin OR last_shown >= now() - interval '7 days')
        AND date_trunc('day', last_shown, 'UTC') >= date_trunc('day', first_shown, 'UTC')
""")


class PeriodRow(BaseModel):
    """Ads of a day, week or month."""

    begins: date
    launched: int = Field(description="First shown in it.")
    ended: int = Field(description="Last shown in it, and not in the last seven days.")
    running: int = Field(description="On its last day, or today where it is not over.")


class MixRow(BaseModel):
    """Ads of a format, size or platform."""

    kind: str = Field(description="format, size or platform.")
    value: str
    ads: int
    running: int


class RegionRow(BaseModel):
    """A region that ads were shown in."""

    region: str = Field(description="SerpApi code.")
    ads: int
    running: int
    entered_on: date | None
    left_on: date | None = Field(description="None: an ad still runs there.")
    ads_with_details: int = Field(description="Of which its days there are known.")

    @property
    def name(self) -> str:
        """The country's name."""
        return region_name(self.region)


class LongestRow(BaseModel):
    """An ad, and its days running: from its first to its last day, both included."""

    ad_creative_id: str
    format: CreativeFormat
    first_day: date
    last_day: date
    days_running: int
    is_running: bool


class ShareRow(BaseModel):
    """An advertiser's part of all creatives that were seen running; not of money or of views."""

    advertiser_id: str
    advertiser: str
    running: int
    share_of_creatives_seen: float = Field(description="From 0 to 1.")


async def read_timeline(
    session: AsyncSession,
    *,
    advertiser_id: str,
    period: Period,
    first: date | None = None,
    last: date | None = None,
    limit: int,
) -> list[PeriodRow]:
    """Launches, endings and running ads by period, the latest first.

    Args:
        advertiser_id: whose ads.
        period: by what.
        first: from this day on.
        last: until this day.
        limit: periods at most.

    Raises:
        InvalidQueryError: the last day lies before the first, or the first is to come.
    """
    check_day_has_come("first", first)
    if first and last and last < first:
        raise InvalidQueryError("last", f"{last} lies before first, {first}; swap them.")
    values = {
        "id": advertiser_id,
        "period": period.value,
        "first": first,
        "last": last,
        "limit": limit,
    }
    rows = await session.execute(_TIMELINE, values)
    return [PeriodRow.model_validate(row) for row in rows.mappings()]


async def read_mix(session: AsyncSession, *, advertiser_id: str) -> list[MixRow]:
    """Ads by format, by size and by platform, the most first."""
    rows = await session.execute(_MIX, {"id": advertiser_id})
    return [MixRow.model_validate(row) for row in rows.mappings()]


async def read_regions(session: AsyncSession, *, advertiser_id: str) -> list[RegionRow]:
    """Regions entered and left: those where ads run, then those left last."""
    rows = await session.execute(_REGIONS, {"id": advertiser_id})
    return [RegionRow.model_validate(row) for row in rows.mappings()]


async def read_longest(
    session: AsyncSession, *, advertiser_id: str, limit: int
) -> list[LongestRow]:
    """The ads with the most days running.

    Args:
        advertiser_id: AR and 20 digits.
        limit: how many at most.
    """
    rows = await session.execute(_LONGEST, {"id": advertiser_id, "limit": limit})
    return [LongestRow.model_validate(row) for row in rows.mappings()]


async def read_share(
    session: AsyncSession, *, advertiser_ids: list[str] | None, day: date, limit: int
) -> list[ShareRow]:
    """Shares of the creatives seen running on a day, the greatest first.

    Args:
        advertiser_ids: among these; None: among all that are stored.
        day: the day.
        limit: advertisers at most; the share is of all.

    Raises:
        InvalidQueryError: the day is to come.
    """
    check_day_has_come("day", day)
    values = {"ids": advertiser_ids, "day": day, "limit": limit}
    rows = await session.execute(_SHARE, values)
    return [ShareRow.model_validate(row) for row in rows.mappings()]


async def read_own_share(session: AsyncSession, *, advertiser_id: str) -> float | None:
    """An advertiser's share, 0 to 1, of all creatives that run today; None: none runs."""
    begin = datetime.combine(today(), time(), UTC)
    values = {"id": advertiser_id, "begin": begin, "end": begin + timedelta(days=1)}
    share: float | None = await session.scalar(_OWN_SHARE, values)
    return share
