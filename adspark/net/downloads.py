"""Downloads from untrusted addresses: by the address rules, bounded in size and time.

Requests go to the transport itself. A client of httpx would log whole addresses, whose queries may
hold signatures, and would send cookies of one download with the next.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Self, cast

import httpx

from adspark.errors import ServiceUnavailableError, UnusableContentError
from adspark.net.addresses import AddressRules, CheckedAddress, show_address
from adspark.net.decompression import choose_decoder
from adspark.text.redaction import safe_cause
from adspark.text.sentences import with_full_stop

MAX_BYTES = 20 * 1024 * 1024
DEFAULT_TIMEOUT = 30.0  # seconds

_MAX_REDIRECTS = 5
_AT_ONCE = 20  # connections
_OVERHEAD = 64 * 1024  # bytes that compression may add, by its headers and checksums
_REDIRECTS = {301, 302, 303, 307, 308}
_KEEPS_METHOD = {307, 308}
_TEMPORARY = {408, 425, 429}
_AGENT = "AdSpark"


@dataclass(frozen=True)
class Download:
    """A response, decompressed and not empty, its type as sent, and its address after redirects."""

    content: bytes
    content_type: str
    url: str


class ByteBudget:
    """Bytes that several downloads may take together."""

    def __init__(self, bytes_left: int) -> None:
        self.bytes_left = bytes_left

    def take(self, count: int) -> None:
        """Count bytes that arrived; raises UnusableContentError if they are more than was left."""
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise UnusableContentError("Together the responses for the page are too large.")


@dataclass(frozen=True)
class DownloadRequest:
    """A request but for its address."""

    method: str = "GET"
    headers: Mapping[str, str] | None = None
    body: bytes | None = None


class Downloader:
    """Downloads under one set of rules.

    Args:
        rules: what may be requested; redirects have to keep to them too.
        max_bytes: the largest decompressed body.
        timeout: seconds for one download with its redirects, from start to end.
        transport: sends the requests; for tests.
    """

    def __init__(
        self,
        rules: AddressRules,
        *,
        max_bytes: int = MAX_BYTES,
        timeout: float = DEFAULT_TIMEOUT,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._rules = rules
        self._max_bytes = max_bytes
        self._timeout = timeout
        # A kept connection is found again by its IP address, which another name may share: its
        # certificate would not have been checked for that name. So none is kept.
        limits = httpx.Limits(max_connections=_AT_ONCE, max_keepalive_connections=0)
        self._transport = transport or httpx.AsyncHTTPTransport(
            verify=_tls_context(), trust_env=False, limits=limits
        )

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.__aexit__()

    async def fetch(
        self,
        url: str,
        *,
        request: DownloadRequest | None = None,
        byte_budget: ByteBudget | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 (the error names it)
    ) -> Download:
        """Fetch an address, after at most five redirects.

        Args:
            url: http or https.
            request: another method than GET, headers or a body.
            byte_budget: shared with other downloads.
            timeout: seconds, when they are fewer than usual.

        Raises:
            UnusableContentError: the address or one it leads to is not allowed or answers 4xx;
                the body is empty, too large or in an unknown encoding.
            ServiceUnavailableError: 5xx, 408, 429, a cut connection, or no end in time.
        """
        limit = min(self._timeout, timeout or self._timeout)
        try:
            async with asyncio.timeout(limit):
                return await self._follow(url, request or DownloadRequest(), byte_budget)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise ServiceUnavailableError(
                f"{show_address(url)} did not arrive within {limit:g} s."
            ) from safe_cause(error)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise ServiceUnavailableError(
                with_full_stop(f"{show_address(url)} could not be downloaded: {reason}")
            ) from safe_cause(error)

    async def _follow(
        self, url: str, request: DownloadRequest, byte_budget: ByteBudget | None
    ) -> Download:
        address = await self._rules.check(url)
        for _ in range(_MAX_REDIRECTS + 1):
            response = await self._send(address, request)
            try:
                target = response.headers.get("location")
                if response.status_code not in _REDIRECTS or target is None:
                    _check_status(address.url, response.status_code)
                    content = await self._read(address.url, response, byte_budget)
                    return Download(content, response.headers.get("content-type", ""), address.url)
            finally:
                await response.aclose()
            address = await self._check_redirect(address.url, target)
            if response.status_code not in _KEEPS_METHOD:
                request = DownloadRequest(headers=request.headers)
        raise UnusableContentError(
            f"{show_address(url)} redirects more than {_MAX_REDIRECTS} times."
        )

    async def _check_redirect(self, url: str, target: str) -> CheckedAddress:
        try:
            return await self._rules.check(str(httpx.URL(url).join(target)))
        except (httpx.InvalidURL, ValueError):
            raise UnusableContentError(
                f"{show_address(url)} leads to something that is no address."
            ) from None
        except UnusableContentError as error:
            raise UnusableContentError(f"{show_address(url)} leads on: {error}") from error

    async def _send(self, address: CheckedAddress, request: DownloadRequest) -> httpx.Response:
        """The response's head, from the first of the host's IP addresses that can be reached."""
        *others, last = [self._request(address, ip, request) for ip in address.ips]
        for one in others:
            try:
                return await self._transport.handle_async_request(one)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._transport.handle_async_request(last)

    def _request(self, address: CheckedAddress, ip: str, request: DownloadRequest) -> httpx.Request:
        url = httpx.URL(address.url)
        headers = {
            "User-Agent": _AGENT,
            "Accept": "*/*",
            **(request.headers or {}),
            "Host": url.netloc.decode("ascii"),
            "Accept-Encoding": "identity",
        }
        return httpx.Request(
            request.method,
            url.copy_with(host=ip),
            headers=headers,
            content=request.body,
            extensions={
                "sni_hostname": url.raw_host.decode("ascii"),
                "timeout": httpx.Timeout(self._timeout).as_dict(),
            },
        )

    async def _read(
        self, url: str, response: httpx.Response, byte_budget: ByteBudget | None
    ) -> bytes:
        declared = response.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._max_bytes:
            raise self._too_large(url)
        encoding = response.headers.get("content-encoding", "")
        decoder = choose_decoder(encoding, show_address(url))
        content, arrived = bytearray(), 0
        # Not the response's own iteration, which undoes encodings without a bound.
        async for chunk in cast("httpx.AsyncByteStream", response.stream):
            piece = decoder.decompress_at_most(chunk, self._max_bytes + 1 - len(content))
            content += piece
            arrived += len(chunk)
            if byte_budget is not None:
                byte_budget.take(max(len(piece), len(chunk)))
            # What decompresses to nothing counts too.
            if len(content) > self._max_bytes or arrived > self._max_bytes + _OVERHEAD:
                raise self._too_large(url)
            if decoder.is_over:
                break
        if not decoder.is_complete:
            raise ServiceUnavailableError(f"{show_address(url)} broke off before its end.")
        if not content:
            raise UnusableContentError(f"{show_address(url)} is empty.")
        return bytes(content)

    def _too_large(self, url: str) -> UnusableContentError:
        size = self._max_bytes / 1024 / 1024
        return UnusableContentError(f"{show_address(url)} is larger than {size:.3g} MB.")


@cache
def _tls_context() -> ssl.SSLContext:
    """The authorities that all downloads trust, which take twenty milliseconds to load."""
    return httpx.create_ssl_context(trust_env=False)


def _check_status(url: str, status: int) -> None:
    message = f"{show_address(url)} answered {status}."
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _TEMPORARY:
        raise ServiceUnavailableError(message)
    if not httpx.codes.is_success(status):
        raise UnusableContentError(message)
