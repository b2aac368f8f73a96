"""SerpApi's Google Ads Transparency Center engine: async client.

Source: https://serpapi.com/google-ads-transparency-center-api. A search costs money; an identical
one within the hour comes from SerpApi's cache and is free, which is why nothing here asks for a
fresh answer by default. The key travels in the query string, so it is added inside the
transport: no request object, log line or exception ever holds it.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from typing import Self

import httpx
from pydantic import SecretStr

from adspark.errors import (
    AdSparkError,
    InvalidCredentialsError,
    QuotaExhaustedError,
    RateLimitedError,
    ServiceDownError,
    ServiceUnavailableError,
)
from adspark.net.addresses import parse_base_url
from adspark.net.bounded_responses import ACCEPT_ENCODING, TooLargeError, bound_responses
from adspark.net.proxies import proxy_for
from adspark.serpapi.details_payloads import (
    DetailsPayload,
    NoDetailsError,
    parse_details,
    says_no_details,
)
from adspark.serpapi.payloads import AccountPayload, RejectedPayload, Search, SearchPage
from adspark.serpapi.responses import Answer, checked_metadata, parse_page, quote
from adspark.serpapi.search_query import CreativeQuery
from adspark.text.redaction import remember, safe_cause
from adspark.text.sentences import with_full_stop
from adspark.tracing import span

ENGINE = "google_ads_transparency_center"
DETAILS_ENGINE = "google_ads_transparency_center_ad_details"
DEFAULT_TIMEOUT = 60.0  # seconds; recorded searches took 0.3 to 12.8

AT_ONCE = 20
"""Searches that one client has under way at the same time; others wait, without a time-out."""

_MORE_TRIES = 2  # for a page that came empty or with rows that cannot be read
_REMEDY = "check this machine's network, HTTPS_PROXY and ADSPARK_SERPAPI_URL"
_KEEP_ALIVE = 60.0  # seconds a connection waits for the next page

Gate = Callable[[], Awaitable[None]]
"""What a search waits for before it is made, as a rate limit; it may refuse by an error."""

Reread = Callable[[Sequence[RejectedPayload]], Awaitable[bool]]
"""Whether to fetch a page again that has rows that cannot be read."""


async def no_gate() -> None:
    """The gate of a caller without limits."""


async def always(_: Sequence[RejectedPayload]) -> bool:
    """For a caller that remembers nothing of rows."""
    return True


def hash_token(token: str) -> str:
    """What a page token is remembered by; tokens themselves have no bound."""
    return hashlib.sha256(token.encode()).hexdigest()


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
                "SerpApi needs a key: set ADSPARK_SERPAPI_KEY, or the block "
                "serpapi-credentials/adspark."
            )
        remember(key)
        address = parse_base_url("ADSPARK_SERPAPI_URL", base_url)
        self._key = key
        self._host = address.host
        self.timeout = timeout
        self._slots = asyncio.Semaphore(AT_ONCE)
        limits = httpx.Limits(keepalive_expiry=_KEEP_ALIVE)
        inner = transport or httpx.AsyncHTTPTransport(limits=limits, proxy=proxy_for(base_url))
        self._http = httpx.AsyncClient(
            base_url=address,
            headers=ACCEPT_ENCODING,
            timeout=timeout,
            transport=_KeyedTransport(key, inner),
            event_hooks=bound_responses(),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def fetch_page(
        self,
        query: CreativeQuery,
        *,
        token: str | None = None,
        seen_tokens: Collection[str] = (),
        before_search: Gate = no_gate,
        reread: Reread = always,
        answered: list[Search] | None = None,
        fresh: bool = False,
    ) -> SearchPage:
        """A page of a search, newest last_shown first; the best of some tries, with all searches.

        A page that was promised and comes empty is fetched again, for nothing, from SerpApi's
        cache; if it stays empty, or its token leads back, it is the last and says that it
        `broke_off`.

        Args:
            query: the search.
            token: of the page; without, the first.
            seen_tokens: hashes of tokens that were followed before; see `hash_token`.
            before_search: awaited before every single search.
            reread: whether to fetch a page again that has rows that cannot be read.
            answered: gets every search that was answered, also where no page comes of it.
            fresh: pay for an answer that does not come from SerpApi's cache.

        Raises:
            InvalidCredentialsError: the key is not known.
            RateLimitedError: the hour's searches are used up.
            QuotaExhaustedError: the plan's searches are used up.
            InvalidRequestError: SerpApi says what is wrong with it, as with an expired token.
            ServiceRefusedError: the request is refused.
            ServiceUnavailableError: time-out, failure or garbled answer on SerpApi's side.
        """
        answered = [] if answered is None else answered
        await before_search()
        page = await self._fetch_once(query, token, answered, fresh=fresh)
        for _ in range(_MORE_TRIES):
            is_missing = page.is_empty and (token or page.next_page_token)
            if not is_missing and not (page.rejected and await reread(page.rejected)):
                break
            await before_search()
            page = page.better_of(await self._fetch_once(query, token, answered, fresh=False))
        following = page.next_page_token
        if page.is_empty and following and token is None:
            raise ServiceUnavailableError(
                "SerpApi's first page is empty, although it names a next one."
            )
        leads_back = following and hash_token(following) in {*seen_tokens, hash_token(token or "")}
        if leads_back or (page.is_empty and token):
            return page.model_copy(update={"next_page_token": None, "broke_off": True})
        return page

    async def _fetch_once(
        self, query: CreativeQuery, token: str | None, answered: list[Search], *, fresh: bool
    ) -> SearchPage:
        """One page; one search, unless SerpApi answers from its cache."""
        parameters = query_parameters(query) | ({"next_page_token": token} if token else {})
        answer = await self._search(parameters | ({"no_cache": "true"} if fresh else {}))
        return parse_page(answer, answered)

    async def details(
        self, *, advertiser_id: str, creative_id: str, answered: list[Search] | None = None
    ) -> DetailsPayload:
        """Copy, regions and payer of one creative; one search.

        Args:
            advertiser_id: of the creative.
            creative_id: of the creative.
            answered: gets the search, also where its answer holds no details.

        Raises:
            NoDetailsError: the creative has none.
            AdSparkError: as `fetch_page`; any other error says nothing of the creative.
        """
        parameters = {"advertiser_id": advertiser_id, "creative_id": creative_id}
        answer = await self._search({"engine": DETAILS_ENGINE, **parameters})
        body = answer.checked_body()
        if answered is not None and (search := answer.billed_search(body)):
            answered.append(search)
        if isinstance(body.get("search_information"), dict):
            checked_metadata(body)
            return parse_details(body)
        if not body.get("error"):
            raise ServiceUnavailableError("SerpApi's answer has neither details nor an error.")
        if not says_no_details(str(body["error"])):
            raise ServiceUnavailableError(f"SerpApi: {quote(body)}")
        raise NoDetailsError(f"SerpApi has no details of {creative_id}: {quote(body)}")

    async def account(self) -> AccountPayload:
        """Plan, searches left and this hour's use; free. Raises AdSparkError as `fetch_page`."""
        answer = await self._get("/account.json", {})
        return AccountPayload.model_validate(answer.checked_body())

    async def _search(self, parameters: dict[str, str]) -> Answer:
        with span("search"):
            answer = await self._get("/search.json", parameters)
        if answer.status == httpx.codes.TOO_MANY_REQUESTS:
            raise await self._why_too_many()
        return answer

    async def _get(self, path: str, parameters: dict[str, str]) -> Answer:
        try:
            async with (
                self._slots,
                asyncio.timeout(self.timeout),
                self._http.stream("GET", path, params=parameters) as response,
            ):
                content = await response.aread()
                return Answer(response.status_code, response.headers, content, self._key)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise ServiceDownError(
                f"SerpApi ({self._host}) did not answer within {self.timeout:g} s.",
                command=_REMEDY,
            ) from safe_cause(error)
        except TooLargeError as error:
            reason = f"SerpApi's answer is too large: {error}."
            raise ServiceUnavailableError(reason) from safe_cause(error)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise ServiceDownError(
                with_full_stop(f"SerpApi ({self._host}) cannot be reached: {reason}"),
                command=_REMEDY,
            ) from safe_cause(error)

    async def _why_too_many(self) -> AdSparkError:
        """429 means the hour or the month; only the account, which is free to ask, knows which."""
        try:
            account = await self.account()
        except AdSparkError:
            return RateLimitedError(
                "SerpApi limits the rate (429), and its account cannot be fetched."
            )
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
    """Adds the key to the address of a copy of each request, so that only the wire has it."""

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
