"""The search engine: from a request's parameters to its answer, paid once."""

import asyncio
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from starlette.responses import JSONResponse, Response

from adspark.sandbox.library.changed_catalogue import ChangedCatalogue
from adspark.sandbox.library.changes import Change
from adspark.sandbox.library.dates import MovingCatalogue
from adspark.sandbox.responses import dump_json, error_response
from adspark.sandbox.serpapi.details import DetailsPage, DetailsWriter, find_ad
from adspark.sandbox.serpapi.fault_responses import end_search
from adspark.sandbox.serpapi.faults import FaultBox, FaultKind, Hit
from adspark.sandbox.serpapi.list_responses import AnswerWriter, Page
from adspark.sandbox.serpapi.meter import Meter
from adspark.sandbox.serpapi.page_tokens import PageTokens
from adspark.sandbox.serpapi.query import (
    DETAILS_ENGINE,
    RefusedError,
    parse_details_query,
    parse_page_size,
    parse_query,
    refuse,
)
from adspark.sandbox.serpapi.search_cache import SearchCache, SearchRecord, make_record
from adspark.sandbox.settings import SandboxSettings

_BAD_KEY = "Invalid API key. Your API key should be here: https://serpapi.com/manage-api-key"


class SearchEngine:
    """One sandbox account with its searches."""

    def __init__(self, settings: SandboxSettings, catalogue: MovingCatalogue) -> None:
        self._settings = settings
        self._tokens = PageTokens(settings.seed)
        self._writer = AnswerWriter(settings, self._tokens)
        self._cache = SearchCache(settings.cached_for)
        self._moving = catalogue
        self._unchanged = catalogue.at(settings.clock())
        self._changed = ChangedCatalogue(self._unchanged)
        self.details = DetailsWriter(settings)
        self.meter = Meter(settings)
        self.faults = FaultBox(settings.faults, settings.seed)

    @property
    def catalogue(self) -> ChangedCatalogue:
        """The ads of today, with the changes made to them."""
        today = self._moving.at(self._settings.clock())
        if today is not self._unchanged:
            self._unchanged = today
            self._changed = ChangedCatalogue(today, self._changed.changes)
        return self._changed

    def reset(self) -> None:
        """Ads, counters, cache and faults as at the start."""
        self.change([])
        self._cache.clear()
        self.meter.reset()
        self.faults.replace(self._settings.faults)

    def change(self, changes: Sequence[Change]) -> None:
        """Serve the catalogue with these changes instead of the present ones.

        Raises:
            UnknownAdError: there is no such ad to remove or alter.
        """
        self._changed = ChangedCatalogue(self._unchanged, changes)

    def account(self, params: Mapping[str, str]) -> Response:
        """The answer of the Account API."""
        try:
            self._check_key(params)
        except RefusedError as refused:
            return error_response(refused.status, refused.message)
        return JSONResponse(self.meter.account(self._settings.clock(), self.faults.refusal))

    async def search(self, params: Mapping[str, str]) -> Response:
        """The answer to a search."""
        self.meter.stats.requests += 1
        try:
            page = self._parse(params)
        except RefusedError as refused:
            self.meter.stats.failed += 1
            return error_response(refused.status, refused.message)
        details = isinstance(page, DetailsPage)
        later_page = isinstance(page, Page) and page.offset > 0
        hit = self.faults.draw(later_page=later_page, details=details)
        await asyncio.sleep(hit.wait)
        return self._end(page, hit) if hit.end else await self._answer(page, hit)

    def _parse(self, params: Mapping[str, str]) -> Page | DetailsPage:
        self._check_key(params)
        if params.get("engine") == DETAILS_ENGINE:
            return DetailsPage(params, parse_details_query(params))
        query, size = parse_query(params), parse_page_size(params)
        token = params.get("next_page_token")
        offset = self._tokens.read(query, token) if token else 0
        if offset is None:
            raise refuse(token or "", "next_page_token")
        return Page(params, query, offset, size)

    def _check_key(self, params: Mapping[str, str]) -> None:
        given = params.get("api_key", "").encode()
        if not hmac.compare_digest(given, self._settings.api_key.encode()):
            raise RefusedError(401, _BAD_KEY)

    def _end(self, page: Page | DetailsPage, hit: Hit) -> Response:
        self.meter.stats.failed += 1
        whole = b""
        if hit.end is None:
            raise ValueError("no fault ends this search")
        if hit.end.kind is FaultKind.CUT_JSON:
            record = make_record(self._settings.clock(), self.catalogue)
            whole = dump_json(self._write(page, record, hit))
        return end_search(hit.end, self.meter.refusal_text(hit.end.kind), whole)

    async def _answer(self, page: Page | DetailsPage, hit: Hit) -> Response:
        now = self._settings.clock()
        record = self._cache.find(page.params, now)
        if record:
            self.meter.stats.cached += 1
        elif refusal := self.meter.refusal(now):
            self.meter.stats.failed += 1
            return error_response(429, self.meter.refusal_text(refusal))
        else:
            record = self._record(page, now)
            await asyncio.sleep(self._settings.latency)
        self.faults.note_success()
        return JSONResponse(self._write(page, record, hit))

    def _record(self, page: Page | DetailsPage, now: datetime) -> SearchRecord:
        """A fresh search, billed and remembered unless it asks for an ad that there is not."""
        record = make_record(now, self.catalogue)
        if isinstance(page, DetailsPage) and not find_ad(page.query, record.catalogue):
            self.meter.stats.failed += 1
            return record
        self.meter.bill(now)
        self._cache.add(page.params, record)
        return record

    def _write(self, page: Page | DetailsPage, record: SearchRecord, hit: Hit) -> dict[str, object]:
        if isinstance(page, DetailsPage):
            return self.details.write(page, record)
        return self._writer.write(page, record, hit.changes)
