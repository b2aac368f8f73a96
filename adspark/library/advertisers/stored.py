"""Stored advertisers: listed, found by name or domain, shown, and compared."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.library.filters.definition import RUNNING_DAYS
from adspark.library.search.spelling import LOOSEN, missing_extensions
from adspark.validation.stored import check_storable, clean_advertiser_id

_MOST_NAMED = 3  # advertisers in an error
_MOST_FOUND = 20
_MOST_DOMAINS = 20

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
# Exactly this name or domain, then names with all the words, then what is spelled like it.
_FIND_EXACT = text("""
    SELECT advertiser_id FROM advertiser a
    WHERE a.advertiser_id = upper(:name) OR lower(a.name) = lower(:name)
    UNION SELECT advertiser_id FROM advertiser_domain
    WHERE domain IN (lower(:domain), 'www.' || lower(:domain))
    ORDER BY 1 LIMIT :limit
""")
_FIND_WORDS = text("""
    SELECT advertiser_id FROM (
        SELECT advertiser_id FROM advertiser
        WHERE search_words(name) @@ search_query(:name, true)
        UNION SELECT advertiser_id FROM advertiser_domain
        WHERE search_domain(domain) @@ search_query(:domain, true)
    ) AS found JOIN advertiser a USING (advertiser_id)
    ORDER BY a.last_seen_at DESC NULLS LAST, advertiser_id LIMIT :limit
""")
_FIND_SIMILAR = text("""
    SELECT advertiser_id FROM (
        SELECT advertiser_id, word_similarity(lower(:name), lower(name)) AS nearness
        FROM advertiser WHERE lower(:name) <% lower(name)
        UNION ALL
        SELECT advertiser_id, word_similarity(lower(:domain), domain)
        FROM advertiser_domain WHERE lower(:domain) <% domain
    ) AS found GROUP BY 1 ORDER BY max(nearness) DESC, 1 LIMIT :limit
""")
_MIX = text(f"""
    SELECT c.format, count(*) AS ads,
        count(*) FILTER (WHERE c.last_shown >= now() - interval '{RUNNING_DAYS} days') AS running
    FROM creative c WHERE c.advertiser_id = :id GROUP BY 1 ORDER BY 2 DESC, 1
""")  # noqa: S608  (a constant)
_FIGURES = text("""
    SELECT count(*) FILTER (WHERE c.first_shown >= now() - interval '30 days') AS launched,
        count(*) FILTER (WHERE w.has_words) AS with_words,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY c.total_days_shown) AS median_days_shown,
        max(c.total_days_shown) AS most_days_shown
    FROM creative c LEFT JOIN search_document w USING (ad_creative_id)
    WHERE c.advertiser_id = :id
""")
_DOMAINS = text("""
    SELECT domain FROM advertiser_domain WHERE advertiser_id = :id ORDER BY domain LIMIT :most
""")
_PLATFORMS = text("""
    SELECT p, count(*) FROM creative c, unnest(c.platforms) AS p
    WHERE c.advertiser_id = :id GROUP BY 1 ORDER BY 2 DESC, 1
""")
_WATCHES = text("""
    SELECT name FROM watch WHERE :id = ANY (advertiser_ids) ORDER BY name, id
""")


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
    watches: list[str]
    launched: int = Field(description="Ads first shown in the last 30 days.")
    with_words: int = Field(description="Ads whose copy is known.")
    median_days_shown: float | None = Field(description="On which an ad was shown, so far.")
    most_days_shown: int | None


class FoundAdvertisers(BaseModel):
    """Advertisers of a name or domain, the best match first."""

    advertisers: list[AdvertiserRow]
    is_similar: bool = Field(
        default=False, description="None has the name; these are spelled like it."
    )
    notes: list[str] = Field(default_factory=list, description="What was not searched, and why.")


@dataclass(frozen=True)
class _Match:
    """Ids of the advertisers that a name means, as `FoundAdvertisers`."""

    ids: list[str]
    is_similar: bool = False
    notes: list[str] = field(default_factory=list)


async def list_advertisers(session: AsyncSession, *, limit: int) -> list[AdvertiserRow]:
    """Those with the most ads."""
    rows = await session.execute(_LIST, {"limit": limit})
    return [AdvertiserRow.model_validate(row) for row in rows.mappings()]


async def find_advertisers(
    session: AsyncSession, *, name: str, limit: int = _MOST_FOUND
) -> FoundAdvertisers:
    """Stored advertisers by id, name or domain: the same, else with its words, else similar ones.

    Args:
        session: of the database.
        name: a name, a domain or an address.
        limit: at most so many.

    Raises:
        InvalidQueryError: the name is empty or cannot be used.
    """
    match = await _match(session, name, limit)
    return FoundAdvertisers(
        advertisers=await read_rows(session, match.ids),
        is_similar=match.is_similar,
        notes=match.notes,
    )


async def _match(session: AsyncSession, name: str, limit: int) -> _Match:
    """Whom a name means; raises as `find_advertisers`."""
    check_storable("name", name)
    written = clean_advertiser_id(" ".join(name.split()))
    if not written:
        raise InvalidQueryError("name", "is empty; write a name or a domain.")
    domain = re.sub(r"^[a-z]+://", "", written.lower()).split("/")[0].removeprefix("www.")
    values = {"name": written, "domain": domain, "limit": limit}
    for statement in (_FIND_EXACT, _FIND_WORDS):
        if ids := list(await session.scalars(statement, values)):
            return _Match(ids)
    missing = await missing_extensions(session)
    if "pg_trgm" in missing:
        return _Match([], notes=[missing["pg_trgm"]])
    await session.execute(LOOSEN)
    similar = list(await session.scalars(_FIND_SIMILAR, values))
    return _Match(similar, is_similar=bool(similar))


async def resolve_advertisers(session: AsyncSession, *, names: Sequence[str]) -> list[str]:
    """Ids of the stored advertisers that people mean, by id, name or domain.

    Raises:
        InvalidQueryError: there is none of a name; says which are spelled like it.
    """
    ids: list[str] = []
    for name in names:
        match = await _match(session, name, _MOST_FOUND)
        if not match.ids or match.is_similar:
            similar = await read_rows(session, match.ids[:_MOST_NAMED])
            near = " or ".join(repr(one.name) for one in similar)
            missing = f"none of {name[:60]!r} is stored"
            if near:
                raise InvalidQueryError("advertiser", f"{missing}; did you mean {near}?")
            listed = "those stored: adspark advertisers list"
            raise InvalidQueryError("advertiser", missing, command=listed)
        ids += match.ids
    return list(dict.fromkeys(ids))


async def read_advertiser(session: AsyncSession, *, name: str) -> AdvertiserReport:
    """Everything about one advertiser, by id, name or domain.

    Raises:
        InvalidQueryError: there is none, or several have the name; names them.
    """
    return await read_report(session, await resolve_advertiser(session, name=name))


async def resolve_advertiser(session: AsyncSession, *, name: str) -> str:
    """The id of the one stored advertiser that a person means, by id, name or domain.

    Raises:
        InvalidQueryError: there is none, or several have the name; names them.
    """
    ids = await resolve_advertisers(session, names=[name])
    if len(ids) > 1:
        several = await read_rows(session, ids[:_MOST_NAMED])
        named = ", ".join(f"{one.advertiser_id} ({one.name[:40]})" for one in several)
        more = ", …" if len(ids) > _MOST_NAMED else ""
        raise InvalidQueryError(
            "advertiser", f"{len(ids)} are called {name[:60]!r}; name one id: {named}{more}"
        )
    return ids[0]


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
        watches=list(await session.scalars(_WATCHES, values)),
    )


async def read_domains(session: AsyncSession, *, advertiser_id: str) -> list[str]:
    """Domains that an advertiser's ads lead to, some of them where there are many."""
    values = {"id": advertiser_id, "most": _MOST_DOMAINS}
    return list(await session.scalars(_DOMAINS, values))


async def read_rows(session: AsyncSession, ids: Sequence[str]) -> list[AdvertiserRow]:
    """The stored advertisers with these ids, in their order."""
    rows = await session.execute(_BY_IDS, {"ids": list(ids)})
    return [AdvertiserRow.model_validate(row) for row in rows.mappings()]
