"""Whom a name means: stored advertisers by id, name or domain, else those spelled like it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.library.advertisers.stored import (
    AdvertiserReport,
    AdvertiserRow,
    read_report,
    read_rows,
)
from adspark.library.search.spelling import LOOSEN, missing_extensions
from adspark.text.quotes import in_quotes
from adspark.validation.stored import check_storable, clean_advertiser_id

MOST_NAMES = 100
"""In one search: each of them is looked for by itself."""

_MOST_NAMED = 3  # advertisers in an error
_MOST_FOUND = 20  # advertisers that are listed where no number is given
_MOST_MEANT = 1_000  # advertisers of a name whose ads are read

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


class FoundAdvertisers(BaseModel):
    """Advertisers of a name or domain, the best match first."""

    advertisers: list[AdvertiserRow]
    is_similar: bool = Field(False, description="None has the name; these are spelled like it.")
    notes: list[str] = Field(default_factory=list, description="What was not searched, and why.")


@dataclass(frozen=True)
class _Match:
    """Ids of the advertisers that a name means, as `FoundAdvertisers`."""

    ids: list[str]
    is_similar: bool = False
    notes: list[str] = field(default_factory=list)


async def find_advertisers(
    session: AsyncSession, *, name: str, limit: int = _MOST_FOUND
) -> FoundAdvertisers:
    """Stored advertisers by id, name or domain: the same, else with its words, else similar ones.

    Args:
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


async def _match(
    session: AsyncSession, name: str, limit: int, *, parameter: str = "name"
) -> _Match:
    """Whom a name means; raises as `find_advertisers`, and names the parameter."""
    check_storable(parameter, name)
    written = clean_advertiser_id(" ".join(name.split()))
    if not written:
        raise InvalidQueryError(parameter, "is empty; write a name or a domain.")
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
        InvalidQueryError: there is none of a name, and says which are spelled like it; or there
            are too many names, or more of one than can be read: to leave some out would look as if
            they had no ads.
    """
    if len(names) > MOST_NAMES:
        said = f"{len(names):,} advertisers are named; name at most {MOST_NAMES} at once."
        raise InvalidQueryError("advertiser", said)
    ids: list[str] = []
    for name in names:
        match = await _match(session, name, _MOST_MEANT + 1, parameter="advertiser")
        if not match.ids or match.is_similar:
            similar = await read_rows(session, match.ids[:_MOST_NAMED])
            near = " or ".join(in_quotes(one.name) for one in similar)
            missing = f"none of {in_quotes(name[:60])} is stored"
            if near:
                raise InvalidQueryError("advertiser", f"{missing}; did you mean {near}?")
            listed = "those stored: adspark advertisers list"
            raise InvalidQueryError("advertiser", missing, command=listed)
        if len(match.ids) > _MOST_MEANT:
            raise InvalidQueryError(
                "advertiser", f"more than {_MOST_MEANT:,} are called {name[:60]!r}; write more of "
                "the name, or give their ids."
            )  # fmt: skip
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


async def resolve_another(session: AsyncSession, *, name: str, chosen: Sequence[str]) -> str:
    """The id of one more advertiser to compare, as `resolve_advertiser`, not among those chosen.

    Args:
        name: an id, a name or a domain.
        chosen: ids of those that it is compared with.

    Raises:
        InvalidQueryError: there is none, several have the name, or it is chosen already.
    """
    found = await resolve_advertiser(session, name=name)
    if found in chosen:
        raise InvalidQueryError(
            "advertiser", f"{name.strip()[:60]!r} is {found}, which is named already; name others."
        )
    return found


async def resolve_compared(session: AsyncSession, *, names: Sequence[str], field: str) -> list[str]:
    """The ids of advertisers to compare, each of them once.

    Args:
        names: ids, names or domains.
        field: where they were written.

    Raises:
        InvalidQueryError: as `resolve_another`; names the field.
    """
    ids: list[str] = []
    for name in names:
        try:
            ids.append(await resolve_another(session, name=name, chosen=ids))
        except InvalidQueryError as error:
            raise error.beside(field) from None
    return ids
