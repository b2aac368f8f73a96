"""Which one advertiser a person means by a name, and who is stored as advertising for a domain."""

from collections.abc import Sequence

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.library.advertisers.named import find_advertisers
from adspark.library.advertisers.stored import AdvertiserRow, read_rows
from adspark.text.quotes import in_quotes
from adspark.validation.stored import find_advertiser_id

_MOST_NAMED = 5  # advertisers in an error
_MOST_DOMAINS = 2  # of each of them
_SHOWN = 40  # characters of a name in an error
_SEARCH = (
    "find who advertises for a domain, for one search: adspark advertisers find example.com "
    "--search"
)

_DOMAINS = text("""
    SELECT i.id, ARRAY(
        SELECT domain FROM advertiser_domain d WHERE d.advertiser_id = i.id
        ORDER BY domain LIMIT :most
    ) AS domains
    FROM unnest(CAST(:ids AS text[])) AS i (id)
""")
_OF_DOMAIN = text("""
    SELECT advertiser_id FROM advertiser_domain
    WHERE domain = :domain OR right(domain, char_length(:domain) + 1) = '.' || :domain
    GROUP BY 1 ORDER BY 1 LIMIT :limit
""")

_NAMES = text("""
    SELECT advertiser_id, name FROM advertiser
    WHERE advertiser_id = ANY (CAST(:ids AS text[])) AND name <> ''
""")


class ChosenAdvertiser(BaseModel):
    """The advertiser that is meant; `name` is None where it was given by its number alone."""

    advertiser_id: str
    name: str | None = None

    def describe(self, written: str) -> str:
        """What was written, and who that is, for a person."""
        named = f" ({self.name[:_SHOWN]})" if self.name else ""
        return f"{written!r} is {self.advertiser_id}{named}"


async def choose_advertiser(session: AsyncSession, *, name: str) -> ChosenAdvertiser:
    """The one advertiser of a name or domain among those stored, or that of an AR number.

    Raises:
        InvalidQueryError: there is none, or there are several; names them and the remedy.
    """
    written = " ".join(name.split())
    if advertiser_id := find_advertiser_id("advertiser", written):
        return ChosenAdvertiser(advertiser_id=advertiser_id)
    found = await find_advertisers(session, name=name)
    if found.is_similar or not found.advertisers:
        near = " or ".join(in_quotes(one.name[:_SHOWN]) for one in found.advertisers[:_MOST_NAMED])
        missing = f"none of {in_quotes(written[:60])} is stored"
        if near:
            asked = f"{missing}; did you mean {near}?"
            raise InvalidQueryError("advertiser", asked, command=f"else {_SEARCH}")
        raise InvalidQueryError("advertiser", missing, command=_SEARCH)
    if len(found.advertisers) > 1:
        raise InvalidQueryError("advertiser", await _several(session, written, found.advertisers))
    (one,) = found.advertisers
    return ChosenAdvertiser(advertiser_id=one.advertiser_id, name=one.name)


async def name_advertisers(session: AsyncSession, *, ids: Sequence[str]) -> dict[str, str]:
    """The names of stored advertisers by their ids; those without a name are left out."""
    rows = await session.execute(_NAMES, {"ids": list(ids)})
    return {row.advertiser_id: row.name for row in rows}


async def list_domain_advertisers(
    session: AsyncSession, *, domain: str, limit: int
) -> list[AdvertiserRow]:
    """The stored advertisers whose ads lead to a domain, or to a part of it.

    Args:
        domain: as example.com.
        limit: at most so many.
    """
    ids = await session.scalars(_OF_DOMAIN, {"domain": domain, "limit": limit})
    return await read_rows(session, list(ids))


async def _several(session: AsyncSession, written: str, rows: Sequence[AdvertiserRow]) -> str:
    """The advertisers of one name, each with its number and domains, and what to do."""
    shown = rows[:_MOST_NAMED]
    values = {"ids": [one.advertiser_id for one in shown], "most": _MOST_DOMAINS}
    domains = {row.id: row.domains for row in await session.execute(_DOMAINS, values)}
    named = [
        f"{one.advertiser_id} ({', '.join([one.name[:_SHOWN], *domains[one.advertiser_id]])})"
        for one in shown
    ]
    more = ", …" if len(rows) > _MOST_NAMED else ""
    return (
        f"{written[:60]!r} is the name of several: {'; '.join(named)}{more}; give the AR number of "
        "the one that is meant"
    )
