"""A bound on the responses of webhooks, in bytes and in time; and what became of each request.

Apprise posts through `requests`, which reads and decompresses the whole of a response, without a
bound. Only its status says whether a message was delivered; its text is not needed. Of what failed
Apprise says no more than that it did. Every request of every service of it passes this adapter.
"""

import functools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError

from adspark.errors import UnusableContentError
from adspark.net.decompression import choose_decoder
from adspark.net.exchange import Exchange
from adspark.net.webhook_failures import describe_failure, describe_redirect

MAX_BYTES = 256 * 1024
"""Of a response, compressed and decompressed; what follows is not read."""

_TIMEOUT = 30.0  # seconds that a response may take to arrive, once it has begun
_CHUNK = 16 * 1024
# Of the statuses from 300 to 499, after which the same request can be taken a little later.
_TEMPORARY = frozenset({408, 425, 429})

_thread = threading.local()


class _BoundedAdapter(HTTPAdapter):
    """Reads the beginning of a response, and closes its connection where there is more; takes no
    redirect for an answer, behind which the library would look for one elsewhere."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # noqa: ANN401
        exchange: Exchange | None = getattr(_thread, "exchange", None)
        if exchange is None:
            return super().send(request, **options)
        _thread.is_sent = False
        try:
            response = super().send(request, **options)
        except (requests.RequestException, HTTPError, OSError) as error:
            is_sent: bool = _thread.is_sent
            timeout = options.get("timeout")
            exchange.note(describe_failure(error, timeout, is_sent=is_sent), is_unknown=is_sent)
            raise
        status = response.status_code
        if status >= 300:  # those of redirects too, also of one that leads nowhere
            is_refusal = status < 500 and status not in _TEMPORARY
            exchange.note(f"answered {status}", is_refusal=is_refusal)
        if response.is_redirect:
            exchange.note(describe_redirect(status), is_refusal=True)
            response.close()
            raise requests.TooManyRedirects("a message is not sent on", request=request)
        encoding = response.headers.get("content-encoding", "")
        vars(response)["_content"] = _read(response.raw, encoding)
        vars(response)["_content_consumed"] = True
        return response

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:  # noqa: ANN401
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _noting(pool.ConnectionCls)
        return pool


@functools.cache
def _noting(kind: type[HTTPConnection]) -> type[HTTPConnection]:
    """A connection that notes when the whole of a request has been sent."""
    if getattr(kind, "is_noting", False):
        return kind

    def request(self: HTTPConnection, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        kind.request(self, *args, **kwargs)
        _thread.is_sent = True

    return type(kind.__name__, (kind,), {"request": request, "is_noting": True})


# What every session of the library is made with; other threads' responses stay as they are.
vars(requests.sessions)["HTTPAdapter"] = _BoundedAdapter


@contextmanager
def bounded_webhooks(exchange: Exchange) -> Iterator[None]:
    """Within this block, responses to what this thread posts with `requests` are bounded, and what
    becomes of it is noted."""
    _thread.exchange = exchange
    try:
        yield
    finally:
        _thread.exchange = None


def _read(raw: BaseHTTPResponse, encoding: str) -> bytes:
    content, arrived, until = bytearray(), 0, time.monotonic() + _TIMEOUT
    try:
        decoder = choose_decoder(encoding, "the answer")
        while chunk := raw.read1(_CHUNK, decode_content=False):
            content += decoder.decompress_at_most(chunk, MAX_BYTES - len(content))
            arrived += len(chunk)
            if max(arrived, len(content)) >= MAX_BYTES or time.monotonic() > until:
                raw.close()
                break
    except (UnusableContentError, HTTPError, OSError):
        raw.close()  # the status has arrived, and says all that matters
    return bytes(content)
