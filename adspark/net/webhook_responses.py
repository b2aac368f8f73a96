"""A bound on the responses of webhooks, in bytes and in time.

Apprise posts through `requests`, which reads and decompresses the whole of a response, without a
bound. Only its status says whether a message was delivered; its text is not needed.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from adspark.errors import UnusableContentError
from adspark.net.decompression import choose_decoder

MAX_BYTES = 256 * 1024
"""Of a response, compressed and decompressed; what follows is not read."""

_TIMEOUT = 30.0  # seconds that a response may take to arrive, once it has begun
_CHUNK = 16 * 1024

_thread = threading.local()


class _BoundedAdapter(HTTPAdapter):
    """Reads the beginning of a response, and closes its connection where there is more."""

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        response = super().send(*args, **kwargs)
        if getattr(_thread, "is_bounded", False):
            encoding = response.headers.get("content-encoding", "")
            vars(response)["_content"] = _read(response.raw, encoding)
            vars(response)["_content_consumed"] = True
        return response


# What every session of the library is made with; other threads' responses stay as they are.
vars(requests.sessions)["HTTPAdapter"] = _BoundedAdapter


@contextmanager
def bounded_webhooks() -> Iterator[None]:
    """Within this block, responses to what this thread posts with `requests` are bounded."""
    _thread.is_bounded = True
    try:
        yield
    finally:
        _thread.is_bounded = False


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
