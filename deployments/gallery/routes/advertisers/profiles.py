"""The figures of advertisers that their profile and a comparison show, with the charts of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.concurrency import all_of
from adspark.db.engine import Database
from adspark.errors import InvalidQueryError
from adspark.insight.figures import (
    MixRow,
    Period,
    PeriodRow,
    RegionRow,
    read_longest,
    read_mix,
    read_regions,
    read_timeline,
)
from adspark.insight.survival import Survival, read_survival
from adspark.library.advertisers.stored import (
    LAUNCHED_DAYS,
    AdvertiserRow,
    read_launched,
    read_rows,
)
from adspark.library.search.page import FoundAd, read_found_ads
from adspark.validation.days import today
from adspark.validation.stored import check_storable
from deployments.gallery.routes.advertisers.charts import (
    Chart,
    common_scale,
    draw_launches,
    draw_running,
    draw_survival,
)

SPANS = (26, 52, 104, 260)
"""Weeks that charts may go back."""
DEFAULT_SPAN = 52

_WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class Profile:
    """What is shown of one advertiser."""

    row: AdvertiserRow
    launched: int
    weeks: list[PeriodRow]
    mix: list[MixRow]
    regions: list[RegionRow]
    survival: Survival
    longest: list[FoundAd]
    launched_days: ClassVar[int] = LAUNCHED_DAYS

    def of_kind(self, kind: str) -> list[MixRow]:
        """The mix of formats, of sizes or of platforms."""
        return [row for row in self.mix if row.kind == kind]


@dataclass(frozen=True)
class Charts:
    """The charts of a profile; None where there is nothing to draw."""

    running: Chart | None
    launches: Chart | None
    survival: Chart | None


def read_span(written: str | None) -> int:
    """How many weeks charts go back.

    Raises:
        InvalidQueryError: it is none of `SPANS`.
    """
    if not written:
        return DEFAULT_SPAN
    if written not in map(str, SPANS):
        raise InvalidQueryError(
            "weeks", f"{written[:20]!r} is not one of {', '.join(map(str, SPANS))}."
        )
    return int(written)


async def read_profile(
    session: AsyncSession, *, advertiser_id: str, user_id: int, span: int, longest: int
) -> Profile:
    """The figures of a stored advertiser.

    Args:
        advertiser_id: AR and 20 digits.
        user_id: whose titles and tags the ads have.
        span: weeks.
        longest: how many of the longest running ads.

    Raises:
        InvalidQueryError: it is not stored.
    """
    check_storable("advertiser", advertiser_id)
    rows = await read_rows(session, [advertiser_id])
    if not rows:
        raise InvalidQueryError("advertiser", f"none of {advertiser_id[:60]!r} is stored.")
    first = _monday(today()) - (span - 1) * _WEEK
    weeks = await read_timeline(
        session, advertiser_id=advertiser_id, period=Period.WEEK, first=first, limit=span
    )
    lasting = await read_longest(session, advertiser_id=advertiser_id, limit=longest)
    return Profile(
        row=rows[0],
        launched=await read_launched(session, advertiser_id=advertiser_id),
        weeks=_until_now(weeks),
        mix=await read_mix(session, advertiser_id=advertiser_id),
        regions=await read_regions(session, advertiser_id=advertiser_id),
        survival=await read_survival(session, advertiser_id=advertiser_id),
        longest=await read_found_ads(
            session, ids=[one.ad_creative_id for one in lasting], user_id=user_id
        ),
    )


async def read_profiles(
    database: Database, *, advertiser_ids: Sequence[str], user_id: int, span: int, longest: int
) -> list[Profile]:
    """The figures of several stored advertisers in their order, each read on its own connection.

    Whoever calls it holds none, or pages that wait for each other's connections would not end.

    Args:
        database: with the ads.
        advertiser_ids: AR and 20 digits.
        user_id: whose titles and tags the ads have.
        span: weeks.
        longest: how many of the longest running ads of each.

    Raises:
        InvalidQueryError: one is not stored.
    """

    async def read(advertiser_id: str) -> Profile:
        async with database.session() as session:
            return await read_profile(
                session, advertiser_id=advertiser_id, user_id=user_id, span=span, longest=longest
            )

    return await all_of(read(one) for one in advertiser_ids)


def draw_charts(profiles: Sequence[Profile]) -> list[Charts]:
    """The charts of each, all on the same scales."""
    curves = [one.survival for one in profiles]
    scale = common_scale((one.weeks for one in profiles), curves, today=_monday(today()))
    return [
        Charts(
            running=draw_running(one.weeks, scale) if one.weeks else None,
            launches=draw_launches(one.weeks, scale) if one.weeks else None,
            survival=draw_survival(one.survival, scale) if one.survival.steps else None,
        )
        for one in profiles
    ]


def _until_now(weeks: Iterable[PeriodRow]) -> list[PeriodRow]:
    """Weeks up to this one; after the last day that is known nothing runs."""
    known = list(weeks)
    if known:
        week = max(row.begins for row in known) + _WEEK
        while week <= _monday(today()):
            known.append(PeriodRow(begins=week, launched=0, ended=0, running=0))
            week += _WEEK
    return known


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
