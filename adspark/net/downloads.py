"""Downloads from addresses that nobody vouches for: by the address rules, bounded in size and time.

Requests go to the transport itself. A client of httpx would log whole addresses, whose queries may
hold signatures, and would carry cookies from one download to the next.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, cast

import httpx

from adspark.errors import ServiceUnavailableError, UnusableContentError
from adspark.net.addresses import AddressRules, CheckedAddress, show_address
from adspark.net.decompression import choose_decoder

MAX_BYTES = 20 * 1024 * 1024
DEFAULT_TIMEOUT = 30.0  # seconds

_MAX_REDIRECTS = 5
_AT_ONCE = 20  # connections
_PACKING = 64 * 1024  # bytes that packing may add, by its headers and checksums
_REDIRECTS = {301, 302, 303, 307, 308}
_KEEPS_METHOD = {307, 308}
_TEMPORARY = {408, 425, 429}
_AGENT = "AdSpark"


@dataclass(frozen=True)
class Download:
    """What an address gave.

    Attributes:
        content: decoded and not empty.
        content_type: as sent, with parameters; empty when nothing was said.
        url: the address that gave it, after redirects.
    """

    content: bytes
    content_type: str
    url: str

    @property
    def media_type(self) -> str:
        """The content type in lower case without its parameters, as `image/png`."""
        return self.content_type.partition(";")[0].strip().lower()


class ByteBudget:
    """Bytes that several downloads may have together."""

    def __init__(self, bytes_left: int) -> None:
        self.bytes_left = bytes_left

    def take(self, count: int) -> None:
        """Count bytes that arrived.

        Raises:
            UnusableContentError: they are more than was left.
        """
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise UnusableContentError("Together the parts of the page are too large.")


@dataclass(frozen=True)
class Ask:
    """What is asked of an address besides the address."""

    method: str = "GET"
    headers: Mapping[str, str] | None = None
    body: bytes | None = None


class Downloader:
    """Downloads under one set of rules.

    Args:
        rules: what may be asked; every redirect is held against them too.
        max_bytes: the largest decoded body.
        timeout: seconds for one download with its redirects, from start to end.
        transport: what carries the requests, for tests.
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
        self._transport = transport or httpx.AsyncHTTPTransport(trust_env=False, limits=limits)

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.__aexit__()

    async def get(
        self,
        url: str,
        *,
        ask: Ask | None = None,
        allowance: ByteBudget | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 (the bound is part of what is asked for)
    ) -> Download:
        """What an address gives, after at most five redirects.

        Args:
            ask: another method than GET, headers or a body.
            allowance: counts the bytes together with other downloads'.
            timeout: seconds, when they are fewer than usual.

        Raises:
            UnusableContentError: the address or one it leads to is not allowed or answers 4xx;
                the body is empty, too large or in an unknown encoding.
            ServiceUnavailableError: 5xx, 408, 429, a cut connection, or no end in time.
        """
        limit = min(self._timeout, timeout or self._timeout)
        try:
            async with asyncio.timeout(limit):
                return await self._follow(url, ask or Ask(), allowance)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise ServiceUnavailableError(
                f"{show_address(url)} did not arrive within {limit:g} s."
            ) from error
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise ServiceUnavailableError(
                f"{show_address(url)} could not be downloaded: {reason}."
            ) from error

    async def _follow(self, url: str, ask: Ask, allowance: ByteBudget | None) -> Download:
        address = await self._rules.check(url)
        for _ in range(_MAX_REDIRECTS + 1):
            response = await self._send(address, ask)
            try:
                target = response.headers.get("location")
                if response.status_code not in _REDIRECTS or target is None:
                    _check_status(address.url, response.status_code)
                    content = await self._read(address.url, response, allowance)
                    return Download(content, response.headers.get("content-type", ""), address.url)
            finally:
                await response.aclose()
            address = await self._check_redirect(address.url, target)
            if response.status_code not in _KEEPS_METHOD:
                ask = Ask(headers=ask.headers)
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

    async def _send(self, address: CheckedAddress, ask: Ask) -> httpx.Response:
        """The answer's head, from the first of the host's IP addresses that can be reached."""
        for ip in address.ips[:-1]:
            try:
                return await self._transport.handle_async_request(self._request(address, ip, ask))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        request = self._request(address, address.ips[-1], ask)
        return await self._transport.handle_async_request(request)

    def _request(self, address: CheckedAddress, ip: str, ask: Ask) -> httpx.Request:
        url = httpx.URL(address.url)
        headers = {
            "User-Agent": _AGENT,
            "Accept": "*/*",
            **(ask.headers or {}),
            "Host": url.netloc.decode("ascii"),
            "Accept-Encoding": "identity",
        }
        return httpx.Request(
            ask.method,
            url.copy_with(host=ip),
            headers=headers,
            content=ask.body,
            extensions={
                "sni_hostname": url.raw_host.decode("ascii"),
                "timeout": httpx.Timeout(self._timeout).as_dict(),
            },
        )

    async def _read(
        self, url: str, response: httpx.Response, allowance: ByteBudget | None
    ) -> bytes:
        declared = response.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._max_bytes:
            raise self._too_large(url)
        encoding = response.headers.get("content-encoding", "")
        decoder = choose_decoder(encoding, show_address(url))
        content, arrived = bytearray(), 0
        # Not the response's own iteration, which undoes encodings without a bound.
        async for chunk in cast("httpx.AsyncByteStream", response.stream):
            part = decoder.decode(chunk, self._max_bytes + 1 - len(content))
            content += part
            arrived += len(chunk)
            if allowance is not None:
                allowance.take(max(len(part), len(chunk)))
            # Packing adds a little to what cannot be packed; what unpacks to nothing is counted.
            if len(content) > self._max_bytes or arrived > self._max_bytes + _PACKING:
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


def _check_status(url: str, status: int) -> None:
    message = f"{show_address(url)} answered {status}."
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _TEMPORARY:
        raise ServiceUnavailableError(message)
    if not httpx.codes.is_success(status):
        raise UnusableContentError(message)
