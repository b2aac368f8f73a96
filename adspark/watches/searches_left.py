"""The searches of the month, for whoever looks again and again: asked for once a minute at most."""

import asyncio
import time
from typing import NamedTuple

from adspark.db.engine import Database
from adspark.errors import AdSparkError
from adspark.serpapi.client import SerpApiClient
from adspark.settings import Settings
from adspark.watches.budgets import read_budget

_FRESH = 60.0  # seconds for which an answer holds
_PATIENCE = 5.0  # seconds that SerpApi has to answer; nobody waits longer for this figure


class MonthsSearches(NamedTuple):
    """Searches billed this month, and left in the account; None is not known."""

    billed: int | None = None
    left: int | None = None


class SearchesLeft:
    """The month's searches as `adspark budget` tells them, and never an error."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known = MonthsSearches()
        self._asked_at: float | None = None

    @property
    def known(self) -> MonthsSearches:
        """What was known last, without asking."""
        return self._known

    async def read(self, database: Database) -> MonthsSearches:
        """What is known, asked anew where that is older than a minute."""
        now = time.monotonic()
        if self._asked_at is None or now - self._asked_at > _FRESH:
            self._asked_at = now
            self._known = MonthsSearches(await self._read_billed(database), await self._ask_left())
        return self._known

    async def _read_billed(self, database: Database) -> int | None:
        try:
            async with database.session() as session:
                return (await read_budget(session)).billed
        except AdSparkError:
            return None

    async def _ask_left(self) -> int | None:
        settings = self._settings
        if settings.serpapi_key is None:
            return None
        client = SerpApiClient(
            settings.serpapi_key, base_url=settings.serpapi_url, timeout=_PATIENCE
        )
        try:
            async with asyncio.timeout(_PATIENCE), client:
                return (await client.account()).total_searches_left
        except (AdSparkError, TimeoutError):
            return None
