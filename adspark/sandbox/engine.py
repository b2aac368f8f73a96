"""The search engine: from a request's parameters to its answer, paid once."""

import asyncio
import hmac
from collections.abc import Mapping

from starlette.responses import Response

from adspark.sandbox.answers import AnswerWriter, Page
from adspark.sandbox.cache import SearchCache
from adspark.sandbox.catalogue import Catalogue
from adspark.sandbox.faults import FaultBox, FaultKind, Hit
from adspark.sandbox.marks import dump_json, error_response, json_response
from adspark.sandbox.meter import Meter
from adspark.sandbox.mishaps import end_search
from adspark.sandbox.query import RefusedError, parse_page_size, parse_query, refuse
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.tokens import PageTokens

_BAD_KEY = "Invalid API key. Your API key should be here: https://serpapi.com/manage-api-key"


class SearchEngine:
    """One sandbox account with its searches."""

    def __init__(self, settings: SandboxSettings, catalogue: Catalogue) -> None:
        self._settings = settings
        self._tokens = PageTokens(settings.seed)
        self._writer = AnswerWriter(catalogue, self._tokens, settings.base_url, settings.latency)
        self._cache = SearchCache()
        self.meter = Meter(settings)
        self.faults = FaultBox(settings.faults, settings.seed)

    def reset(self) -> None:
        """Counters, cache and faults as at the start."""
        self._cache.clear()
        self.meter.reset()
        self.faults.replace(self._settings.faults)

    def account(self, params: Mapping[str, str]) -> Response:
        """The answer of the Account API."""
        try:
            self._check_key(params)
        except RefusedError as refused:
            return error_response(refused.status, refused.message)
        return json_response(self.meter.account(self._settings.clock(), self.faults.refusal))

    async def search(self, params: Mapping[str, str]) -> Response:
        """The answer to a search."""
        self.meter.stats.requests += 1
        try:
            page = self._parse(params)
        except RefusedError as refused:
            self.meter.stats.failed += 1
            return error_response(refused.status, refused.message)
        hit = self.faults.draw(later_page=page.offset > 0)
        await asyncio.sleep(hit.wait)
        return self._end(page, hit) if hit.end else await self._answer(page, hit)

    def _parse(self, params: Mapping[str, str]) -> Page:
        self._check_key(params)
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

    def _end(self, page: Page, hit: Hit) -> Response:
        self.meter.stats.failed += 1
        whole = b""
        if hit.end is None:
            raise ValueError("no fault ends this search")
        if hit.end.kind is FaultKind.CUT_JSON:
            record = SearchCache().add(page.params, self._settings.clock())
            whole = dump_json(self._writer.write(page, record, hit.changes))
        return end_search(hit.end, self.meter.refusal_text(hit.end.kind), whole)

    async def _answer(self, page: Page, hit: Hit) -> Response:
        now = self._settings.clock()
        record = self._cache.find(page.params, now)
        if record:
            self.meter.stats.cached += 1
        else:
            if refusal := self.meter.refusal(now):
                self.meter.stats.failed += 1
                return error_response(429, self.meter.refusal_text(refusal))
            self.meter.bill(now)
            record = self._cache.add(page.params, now)
            await asyncio.sleep(self._settings.latency)
        self.faults.note_success()
        return json_response(self._writer.write(page, record, hit.changes))
