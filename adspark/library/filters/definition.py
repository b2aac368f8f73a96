"""The filters of a search as conditions on `c`, the creative."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.library.marks.sharing import HAS_TAG
from adspark.models import DEFAULT_USER, CreativeFormat, EventKind, Platform

RUNNING_DAYS = 7
"""An ad runs as long as it was shown on one of so many days; so watches have it by default."""

_NEAR = 0.02  # by which an aspect may differ, for pictures are cut to whole pixels
ASPECTS = {
    "landscape": "c.width > c.height",
    "portrait": "c.width < c.height",
    "square": "c.width = c.height AND c.width > 0",
}
"""Aspects that have a name, as conditions on `c`."""


class AdFilters(BaseModel):
    """What ads have to be beside having the words; None is no filter.

    Attributes:
        ids: one of these ads.
        advertiser_ids: of one of these.
        region: SerpApi code; where a search found it, or its details say that it was shown.
        domain: that it leads to, or a page below that.
        first_shown_from, first_shown_to, last_shown_from, last_shown_to: days, both included.
        is_running: it was shown in the last days, or was not.
        least_days: it has been shown on so many days.
        size: width and height in pixels.
        aspect: landscape, portrait, square, or width to height such as 16:9.
        board_id, watch_id: on that board, found by that watch.
        tag: of the user, or shared.
        event: what any watch has noticed of it; with `watch_id`, what that one has, whether or not
            it still finds the ad.
        has_words: its copy is known, or is not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: int = DEFAULT_USER
    ids: tuple[str, ...] | None = None
    advertiser_ids: tuple[str, ...] | None = None
    format: CreativeFormat | None = None
    platform: Platform | None = None
    region: str | None = None
    domain: str | None = None
    first_shown_from: date | None = None
    first_shown_to: date | None = None
    last_shown_from: date | None = None
    last_shown_to: date | None = None
    is_running: bool | None = None
    least_days: Annotated[int, Field(ge=1)] | None = None
    size: tuple[int, int] | None = None
    aspect: str | None = None
    board_id: int | None = None
    watch_id: int | None = None
    tag: str | None = None
    event: EventKind | None = None
    has_words: bool | None = None


BEGUN_BEFORE = "c.first_shown < CAST(:begun_before AS timestamptz)"
"""What holds of ads that were shown on `least_days` days, in a form that an index can use."""

_SLACK = timedelta(days=3)  # by which days and moments may disagree
_FEW = 1000  # ads of a region, or a landing page, from which on an index is no help
# As Google counts, else the days running as in the view insight_ad.
_DAYS_SHOWN = (
    "coalesce(c.total_days_shown, (c.last_shown AT TIME ZONE 'UTC')::date "
    "- (c.first_shown AT TIME ZONE 'UTC')::date + 1)"
)
_WITH_WORDS = (
    "EXISTS (SELECT FROM search_document w WHERE w.ad_creative_id = c.ad_creative_id "
    "AND w.has_words)"
)
_DOMAINS = "(:domain, 'www.' || CAST(:domain AS text))"
# Those that come from one of two places are looked for in both, so that each can use its index.
_CONDITIONS = {
    "ids": "c.ad_creative_id = ANY (CAST(:ids AS text[]))",
    "advertiser_ids": "c.advertiser_id = ANY (CAST(:advertiser_ids AS text[]))",
    "format": "c.format = :format",
    "platform": "c.platforms @> ARRAY[CAST(:platform AS text)]",
    "region": "(c.regions @> ARRAY[CAST(:region AS text)] OR EXISTS (SELECT FROM creative_region r "
    "WHERE r.ad_creative_id = c.ad_creative_id AND r.region = :region))",
    "domain": f"(c.target_domain IN {_DOMAINS} OR c.ad_creative_id IN ("  # noqa: S608
    "SELECT ad_creative_id FROM creative_detail WHERE landing_host = :domain))",
    "first_shown_from": "c.first_shown >= :first_shown_from",
    "first_shown_to": "c.first_shown < :first_shown_to",
    "last_shown_from": "c.last_shown >= :last_shown_from",
    "last_shown_to": "c.last_shown < :last_shown_to",
    "least_days": f"{_DAYS_SHOWN} >= :least_days AND (c.first_shown IS NULL OR {BEGUN_BEFORE})",
    "size": "(c.width, c.height) = (:width, :height)",
    "board_id": "c.ad_creative_id IN (SELECT ad_creative_id FROM board_creative "
    "WHERE board_id = :board_id)",
    "watch_id": "c.ad_creative_id IN (SELECT ad_creative_id FROM watch_creative "
    "WHERE watch_id = :watch_id)",
    "tag": HAS_TAG,
}
# The same where few ads were shown in the region by their details, so that both can use an index.
_FEW_OF_REGION = (
    "(c.regions @> ARRAY[CAST(:region AS text)] OR c.ad_creative_id = ANY (ARRAY("
    "SELECT ad_creative_id FROM creative_region WHERE region = :region)))"
)
# The same where few ads lead to the domain by their landing page alone; those are read first.
_MOSTLY_OF_DOMAIN = (
    f"(c.target_domain IN {_DOMAINS} OR c.ad_creative_id = ANY (CAST(:landing AS text[])))"
)
_READ_LANDING = text(f"""
    SELECT ad_creative_id FROM creative_detail WHERE landing_host = :domain
    EXCEPT ALL SELECT ad_creative_id FROM creative WHERE target_domain IN {_DOMAINS}
    LIMIT {_FEW + 1}
""")  # noqa: S608  (a constant)
_COUNT_OF_REGION = text(f"""
    SELECT count(*) FROM (
        SELECT FROM creative_region WHERE region = :region LIMIT {_FEW + 1}
    ) AS few
""")  # noqa: S608  (a constant)


async def read_filters(session: AsyncSession, filters: AdFilters) -> tuple[str, dict[str, object]]:
    """The condition, which may be `true`, and the values of its parameters."""
    conditions = dict(_CONDITIONS)
    if filters.region is not None:
        found = await session.scalar(_COUNT_OF_REGION, {"region": filters.region})
        if int(found or 0) <= _FEW:
            conditions["region"] = _FEW_OF_REGION
    if filters.domain is None:
        return filter_condition(filters, conditions)
    landing = list(await session.scalars(_READ_LANDING, {"domain": filters.domain}))
    if not landing:
        conditions["domain"] = f"c.target_domain IN {_DOMAINS}"
    elif len(landing) <= _FEW:
        conditions["domain"] = _MOSTLY_OF_DOMAIN
    condition, values = filter_condition(filters, conditions)
    return condition, values | {"landing": landing}


def filter_condition(
    filters: AdFilters, conditions: Mapping[str, str] = MappingProxyType(_CONDITIONS)
) -> tuple[str, dict[str, object]]:
    """The same by given conditions of the filters; by default those that are right anywhere."""
    given = filters.model_dump(exclude_none=True)
    values = {name: _as_parameter(name, value) for name, value in given.items()}
    named = values.keys() & conditions.keys()
    if filters.event is not None:  # events stay where the search of a watch is changed; links go
        named -= {"watch_id"}
    parts = [conditions[name] for name in values if name in named]
    if filters.least_days is not None:
        values["begun_before"] = datetime.now(UTC) - timedelta(days=filters.least_days) + _SLACK
    if filters.is_running is not None:
        running = f"c.last_shown >= now() - interval '{RUNNING_DAYS} days'"
        parts.append(running if filters.is_running else f"NOT coalesce({running}, false)")
    if filters.has_words is not None:
        parts.append(_WITH_WORDS if filters.has_words else f"NOT {_WITH_WORDS}")
    if filters.size is not None:
        values |= dict(zip(("width", "height"), filters.size, strict=True))
    if filters.aspect is not None:
        parts.append(_aspect(filters.aspect, values))
    if filters.event is not None:
        same = "" if filters.watch_id is None else " AND watch_id = :watch_id"
        parts.append(
            "c.ad_creative_id IN (SELECT ad_creative_id FROM creative_event "  # noqa: S608
            f"WHERE kind = :event{same})"
        )
    return " AND ".join(f"({part})" for part in parts) or "true", values


def _as_parameter(name: str, value: object) -> object:
    """Text for a choice, and for a day the moment at which it begins, or ends, in UTC."""
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, date):
        begin = datetime.combine(value, time(), UTC)
        if not name.endswith("_to"):
            return begin
        is_last = value == date.max  # no day follows it
        return datetime.max.replace(tzinfo=UTC) if is_last else begin + timedelta(days=1)
    return list(value) if isinstance(value, tuple) else value


def _aspect(aspect: str, values: dict[str, object]) -> str:
    if aspect in ASPECTS:
        return ASPECTS[aspect]
    width, height = map(float, aspect.split(":"))
    values |= {"narrowest": width / height * (1 - _NEAR), "widest": width / height * (1 + _NEAR)}
    return "c.height > 0 AND c.width::float8 / nullif(c.height, 0) BETWEEN :narrowest AND :widest"
