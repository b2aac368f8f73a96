"""The library of an advertiser as of a day: which ads ran on it, and what they looked like."""

from datetime import date

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.models import CreativeFormat
from adspark.validation.days import check_day_has_come
from adspark.words.copy_statements import HEADLINE, join_copy

# A running ad runs until today, though its last day may be some days ago.
_READ = text(f"""
    SELECT i.ad_creative_id, i.format, i.width, i.height, i.domain, i.first_day, i.last_day,
        {HEADLINE} AS headline, (
            SELECT path FROM picture_version p WHERE p.ad_creative_id = i.ad_creative_id
                AND (p.first_seen_at AT TIME ZONE 'UTC')::date <= :day
            ORDER BY p.first_seen_at DESC, p.id DESC LIMIT 1
        ) AS picture, (
            SELECT thumbnail_path FROM picture_version p
            WHERE p.ad_creative_id = i.ad_creative_id AND p.status = 'stored'
                AND (p.first_seen_at AT TIME ZONE 'UTC')::date <= :day
            ORDER BY p.first_seen_at DESC, p.id DESC LIMIT 1
        ) AS thumbnail, count(*) OVER () AS total
    FROM insight_ad i {join_copy("i.ad_creative_id")}
    WHERE i.advertiser_id = :id AND i.first_day <= :day
        AND (i.last_day >= :day OR (i.is_running AND :day <= (now() AT TIME ZONE 'UTC')::date))
    ORDER BY i.first_day DESC, i.ad_creative_id LIMIT :limit
""")  # noqa: S608  (put together from constants)


class AdOnDay(BaseModel):
    """An ad that ran on the day."""

    ad_creative_id: str
    format: CreativeFormat
    width: int | None
    height: int | None
    domain: str | None
    first_day: date
    last_day: date
    headline: str | None
    picture: str | None = Field(
        description="In the media store, the version of that day; None: it was not kept then."
    )
    thumbnail: str | None = Field(description="The same, small; of the last version that is kept.")


class LibraryOnDay(BaseModel):
    """The ads that ran on a day, the newest first, and how many there are in all."""

    day: date
    total: int
    ads: list[AdOnDay]


async def read_library_on(
    session: AsyncSession, *, advertiser_id: str, day: date, limit: int
) -> LibraryOnDay:
    """The ads of an advertiser that ran on a day, by their first and last days as known now.

    Args:
        advertiser_id: whose ads.
        day: UTC.
        limit: ads at most.

    Raises:
        InvalidQueryError: the day is to come.
    """
    check_day_has_come("day", day)
    values = {"id": advertiser_id, "day": day, "limit": limit}
    rows = (await session.execute(_READ, values)).mappings().all()
    total = rows[0]["total"] if rows else 0
    return LibraryOnDay(day=day, total=total, ads=[AdOnDay.model_validate(row) for row in rows])
