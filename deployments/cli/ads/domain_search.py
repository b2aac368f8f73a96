"""Spend one search to find who advertises for a domain; never twice within the hour."""

from datetime import datetime

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.ledger import fetched_within_hour
from adspark.errors import InvalidQueryError
from adspark.library.advertisers.choice import list_domain_advertisers
from adspark.library.advertisers.stored import AdvertiserRow
from adspark.serpapi.search_query import CreativeQuery, parse_query
from adspark.watches.budgets import SearchCount, count_searches
from deployments.cli.database import in_session
from deployments.cli.runs.run import fetch_here
from deployments.terminal.output import print_note
from deployments.terminal.questions import confirm
from deployments.terminal.tables import moment


class DomainAdvertisers(BaseModel):
    """Who advertises for a domain, as one search shows it, and what that cost."""

    domain: str
    advertisers: list[AdvertiserRow]
    searches_billed: int = 0
    searches_cached: int = 0
    searched_at: datetime | None = None

    @property
    def cost(self) -> str:
        """What was spent, in a line."""
        if self.searched_at is not None:
            return f"Searched on {moment(self.searched_at)} already; nothing was spent."
        return f"Searches: {self.searches_billed} billed, {self.searches_cached} cached."


def search_domain(written: str, *, limit: int, yes: bool) -> DomainAdvertisers:
    """Search for the ads of a domain, store them, and list their advertisers.

    Args:
        written: a domain, also within an address.
        limit: advertisers at most.
        yes: do not ask before the search is spent.

    Raises:
        InvalidQueryError: it is no domain.
        AdSparkError: the search failed.
    """
    query = _parse(written)
    domain = str(query.text)

    async def look(session: AsyncSession) -> tuple[datetime | None, SearchCount]:
        at = await fetched_within_hour(session, query=query)
        return at, await count_searches(session)

    searched_at, spent = in_session(look)
    found = DomainAdvertisers(domain=domain, advertisers=[], searched_at=searched_at)
    if searched_at is None:
        were = "was" if spent.billed == 1 else "were"
        print_note(
            f"Searching for {domain} costs one search; {spent.billed:,} {were} billed this month.",
            style="none",
        )
        if not yes:
            confirm("Spend it?")
        summary = fetch_here({"text": domain})
        found.searches_billed = summary.searches_billed
        found.searches_cached = summary.searches_cached
    found.advertisers = in_session(
        lambda session: list_domain_advertisers(session, domain=domain, limit=limit)
    )
    return found


def _parse(written: str) -> CreativeQuery:
    """The search that `adspark fetch --text` makes, for a domain only: others find nothing."""
    host = written.strip().lower().partition("://")[2] or written.strip()
    query, warnings = parse_query(text=host.split("/")[0])
    if warnings and "is not a domain" in warnings[0]:
        raise InvalidQueryError(
            "name", f"{written[:60]!r} is not a domain; a search takes one, such as example.com."
        )
    return query
