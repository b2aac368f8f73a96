"""SerpApi's Google Ads Transparency Center engine: async client and paging.

Source: https://serpapi.com/google-ads-transparency-center-api. A search costs money; an identical
one within the hour comes from SerpApi's cache and is free, which is why nothing here asks for a
fresh answer. The key travels in the query string, so it is added inside the transport: no request
object, log line or exception ever holds it.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx
from pydantic import SecretStr, ValidationError

from adspark.errors import (
    AdSparkError,
    ConfigurationError,
    InvalidCredentialsError,
    QuotaExhaustedError,
    RateLimitedError,
    ServiceRefusedError,
    ServiceUnavailableError,
)
from adspark.queries import CreativeQuery
from adspark.serpapi_details import DetailsPayload, parse_details
from adspark.serpapi_payloads import AccountPayload, Search, SearchPage, parse_rows

ENGINE = "google_ads_transparency_center"
DETAILS_ENGINE = "google_ads_transparency_center_ad_details"
DEFAULT_TIMEOUT = 60.0  # seconds; recorded searches took 0.3 to 12.8

AT_ONCE = 20
"""Searches that one client has under way at the same time; others wait, without a time-out."""

_MORE_TRIES = 2  # for a page that came empty or with rows that cannot be read
_KEEP_ALIVE = 60.0  # seconds a connection waits for the next page
_NO_RESULTS = "hasn't returned any results"
_LONGEST_QUOTE = 300  # characters of a service's own words in a message


Gate = Callable[[], Awaitable[None]]
"""What a search waits for before it is made, as a rate limit; it may refuse by an error."""


async def no_gate() -> None:
    """The gate of a caller without limits."""


class SerpApiClient:
    """Searches and the account, over one kept-alive connection pool.

    Args:
        key: the private API key.
        base_url: SerpApi's address, or the sandbox's.
        timeout: seconds for one request from start to end.
        transport: what carries the requests, for tests.
    """

    def __init__(
        self,
        key: SecretStr,
        *,
        base_url: str = "https://serpapi.com",
        timeout: float = DEFAULT_TIMEOUT,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if not key.get_secret_value().strip():
            raise InvalidCredentialsError(
                "SerpApi needs a key: set ADSPARK_SERPAPI_KEY, or the block serpapi-credentials."
            )
        try:
            address = httpx.URL(base_url)
        except httpx.InvalidURL:
            address = httpx.URL("")
        if address.scheme not in ("http", "https") or not address.host:
            raise ConfigurationError(
                f"ADSPARK_SERPAPI_URL: {base_url!r} is not an http(s) address."
            )
        self._host = address.host
        self._timeout = timeout
        self._turns = asyncio.Semaphore(AT_ONCE)
        limits = httpx.Limits(keepalive_expiry=_KEEP_ALIVE)
        inner = transport or httpx.AsyncHTTPTransport(limits=limits)
        self._http = httpx.AsyncClient(
            base_url=address, timeout=timeout, transport=_KeyedTransport(key, inner)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def pages(
        self,
        query: CreativeQuery,
        *,
        token: str | None = None,
        before_search: Gate = no_gate,
        reread: bool = True,
    ) -> AsyncGenerator[SearchPage]:
        """Pages of a search from `token` (default: the first) on, newest last_shown first.

        Ends after the page without a token. A page that is empty although it names a next one is
        asked for again, for nothing, from SerpApi's cache; if it stays empty, it is the end.

        Args:
            before_search: awaited before every single search.
            reread: ask again also for a page with rows that cannot be read.

        Raises:
            AdSparkError: as `search`.
        """
        while True:
            page = await self._read_page(query, token, before_search, reread=reread)
            if page.is_empty and page.next_page_token and token is None:
                raise ServiceUnavailableError(
                    "SerpApi's first page is empty, although it names a next one."
                )
            if page.is_empty or page.next_page_token == token:
                broke_off = page.next_page_token is not None
                page = page.model_copy(update={"next_page_token": None, "broke_off": broke_off})
            yield page
            if page.next_page_token is None:
                return
            token = page.next_page_token

    async def _read_page(
        self, query: CreativeQuery, token: str | None, before_search: Gate, *, reread: bool
    ) -> SearchPage:
        """The page, the best of some tries, with the searches of all of them."""
        await before_search()
        page = await self.search(query, token=token)
        for _ in range(_MORE_TRIES):
            is_doubtful = page.is_empty and page.next_page_token is not None
            if not is_doubtful and not (reread and page.rejected):
                break
            await before_search()
            again = await self.search(query, token=token)
            is_better = page.is_empty or len(again.rejected) < len(page.rejected)
            better = again if is_better and not (again.is_empty and page.rejected) else page
            page = better.model_copy(update={"searches": page.searches + again.searches})
        return page

    async def search(self, query: CreativeQuery, *, token: str | None = None) -> SearchPage:
        """One page; one search, unless SerpApi answers from its cache.

        Raises:
            InvalidCredentialsError: the key is not known.
            RateLimitedError: the hour's searches are used up.
            QuotaExhaustedError: the plan's searches are used up.
            ServiceRefusedError: the request is refused, as for an expired token.
            ServiceUnavailableError: time-out, failure or garbled answer on SerpApi's side.
        """
        parameters = query_parameters(query) | ({"next_page_token": token} if token else {})
        response = await self._search(parameters)
        return _parse_page(_checked_body(response), response)

    async def details(self, *, advertiser_id: str, creative_id: str) -> DetailsPayload:
        """Copy, regions and payer of one creative; one search.

        Raises:
            ServiceRefusedError: the creative has no details.
            AdSparkError: as `search`.
        """
        response = await self._search(
            {
                "engine": DETAILS_ENGINE,
                "advertiser_id": advertiser_id,
                "creative_id": creative_id,
            }
        )
        body = _checked_body(response)
        if not isinstance(body.get("search_information"), dict):
            quoted = str(body.get("error", ""))[:_LONGEST_QUOTE]
            raise ServiceRefusedError(f"SerpApi has no details of {creative_id}: {quoted}")
        metadata = _checked_metadata(body)
        search = Search(id=metadata["id"], age=_age(metadata, response))
        return parse_details(body, search)

    async def account(self) -> AccountPayload:
        """Plan, searches left and this hour's use; free.

        Raises:
            AdSparkError: as `search`.
        """
        response = await self._get("/account.json", {})
        body = _checked_body(response)
        try:
            return AccountPayload.model_validate(body)
        except ValidationError as error:
            raise ServiceUnavailableError(
                f"SerpApi's account answer cannot be read: {error.errors()[0]['msg']}."
            ) from None

    async def _search(self, parameters: dict[str, str]) -> httpx.Response:
        response = await self._get("/search.json", parameters)
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise await self._why_too_many()
        return response

    async def _get(self, path: str, parameters: dict[str, str]) -> httpx.Response:
        try:
            async with self._turns, asyncio.timeout(self._timeout):
                return await self._http.get(path, params=parameters)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise ServiceUnavailableError(
                f"SerpApi ({self._host}) did not answer within {self._timeout:g} s."
            ) from error
        except httpx.HTTPError as error:
            raise ServiceUnavailableError(
                f"SerpApi ({self._host}) cannot be reached: {str(error) or type(error).__name__}."
            ) from error

    async def _why_too_many(self) -> AdSparkError:
        """429 means the hour or the month; only the account, which is free to ask, knows which."""
        try:
            account = await self.account()
        except AdSparkError:
            return RateLimitedError("SerpApi asks to slow down (429), and its account is silent.")
        if account.total_searches_left == 0:
            return QuotaExhaustedError(
                "SerpApi: no searches are left in this plan's month. Wait for its renewal or buy "
                "more at https://serpapi.com/manage-api-key."
            )
        limit = account.account_rate_limit_per_hour
        return RateLimitedError(
            f"SerpApi: this hour's searches are used up{f' ({limit} an hour)' if limit else ''}. "
            f"Wait for the next hour, or raise the plan."
        )


class _KeyedTransport(httpx.AsyncBaseTransport):
    """Adds the key to the address of a copy of each request, so that nobody else sees it."""

    def __init__(self, key: SecretStr, inner: httpx.AsyncBaseTransport) -> None:
        self._key = key
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._inner.handle_async_request(
            httpx.Request(
                request.method,
                request.url.copy_add_param("api_key", self._key.get_secret_value().strip()),
                headers=request.headers,
                extensions=request.extensions,
            )
        )

    async def aclose(self) -> None:
        await self._inner.aclose()


def query_parameters(query: CreativeQuery) -> dict[str, str]:
    """The query as SerpApi spells it, without key and page token."""
    end = query.end_date
    if end is not None and end == query.start_date:
        end += timedelta(days=1)  # a single day is written with the day after as its end
    parameters = {
        "engine": ENGINE,
        "advertiser_id": ",".join(query.advertiser_ids),
        "text": query.text,
        "region": query.region,
        "platform": query.platform,
        "creative_format": query.creative_format,
        "start_date": query.start_date and query.start_date.strftime("%Y%m%d"),
        "end_date": end and end.strftime("%Y%m%d"),
        "political_ads": "true" if query.political_ads else None,
        "num": str(query.page_size),
    }
    return {name: str(value) for name, value in parameters.items() if value}


def _checked_body(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer that is neither an error nor garbled."""
    status = response.status_code
    try:
        body = json.loads(response.content)
    except ValueError:
        body = None
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise ServiceUnavailableError(f"SerpApi failed on its side (HTTP {status}).")
    if status == httpx.codes.UNAUTHORIZED:
        raise InvalidCredentialsError(
            "SerpApi does not accept the key (401). Put a valid one in ADSPARK_SERPAPI_KEY or the "
            "block serpapi-credentials; keys: https://serpapi.com/manage-api-key."
        )
    if status != httpx.codes.OK:
        quoted = body.get("error", "") if isinstance(body, dict) else ""
        raise ServiceRefusedError(
            f"SerpApi refused the request (HTTP {status}): {str(quoted)[:_LONGEST_QUOTE]}"
        )
    if not isinstance(body, dict):
        kind = response.headers.get("content-type", "no content type")
        raise ServiceUnavailableError(
            f"SerpApi's answer is not the JSON it should be ({kind}, "
            f"{len(response.content)} bytes)."
        )
    return body


def _parse_page(body: dict[str, Any], response: httpx.Response) -> SearchPage:
    metadata = _checked_metadata(body)
    information = body.get("search_information")
    pagination = body.get("serpapi_pagination")
    rows = body.get("ad_creatives")
    error = body.get("error")
    if rows is None and not error:
        raise ServiceUnavailableError("SerpApi's answer has neither creatives nor an error.")
    good, rejected = parse_rows(rows if isinstance(rows, list) else [])
    token = pagination.get("next_page_token") if isinstance(pagination, dict) else None
    total = information.get("total_results") if isinstance(information, dict) else None
    return SearchPage(
        searches=[Search(id=metadata["id"], age=_age(metadata, response))],
        rows=good,
        rejected=rejected,
        next_page_token=token if isinstance(token, str) and token else None,
        total_results=total if isinstance(total, int) else None,
        sandbox=metadata.get("sandbox") is True,
    )


def _checked_metadata(body: dict[str, Any]) -> dict[str, Any]:
    """The search_metadata of a search that succeeded, if only in finding nothing."""
    metadata = body.get("search_metadata")
    error = body.get("error")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("id"), str):
        raise ServiceUnavailableError(
            f"SerpApi's answer lacks its search_metadata: {str(error or '')[:_LONGEST_QUOTE]}"
        )
    if error and _NO_RESULTS not in str(error):
        raise ServiceUnavailableError(f"SerpApi: {str(error)[:_LONGEST_QUOTE]}")
    if metadata.get("status") != "Success":
        raise ServiceUnavailableError(f"SerpApi: search ended as {metadata.get('status')!r}.")
    return metadata


def _age(metadata: dict[str, Any], response: httpx.Response) -> float:
    """Seconds between the search's creation and the answer, both by SerpApi's own clock."""
    try:
        created = datetime.strptime(str(metadata.get("created_at")), "%Y-%m-%d %H:%M:%S %Z")
        answered = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError):
        return 0.0
    return max(0.0, (answered - created.replace(tzinfo=UTC)).total_seconds())
