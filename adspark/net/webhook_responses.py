"""A bound on what webhooks may answer, in bytes and in time.

Apprise posts through `requests`, which reads and unpacks the whole of an answer, whatever it is,
and offers no bound. Only its status says whether a message was taken; its text is not needed.
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

MOST_BYTES = 256 * 1024
"""Of an answer, as it arrives and unpacked; what comes behind them is left."""

_LONGEST = 30.0  # seconds that an answer may take to arrive, once it has begun
_CHUNK = 16 * 1024


_here = threading.local()


class _BoundedAdapter(HTTPAdapter):
    """Reads the beginning of an answer, and closes its connection where there is more."""

    def send(self, *given: Any, **named: Any) -> requests.Response:  # noqa: ANN401
        response = super().send(*given, **named)
        if getattr(_here, "is_bounded", False):
            encoding = response.headers.get("content-encoding", "")
            vars(response)["_content"] = _read(response.raw, encoding)
            vars(response)["_content_consumed"] = True
        return response


# What every session of the library is made with; other threads' answers stay as they are.
vars(requests.sessions)["HTTPAdapter"] = _BoundedAdapter


@contextmanager
def bounded_webhooks() -> Iterator[None]:
    """Within this block, answers to what this thread posts with `requests` are bounded."""
    _here.is_bounded = True
    try:
        yield
    finally:
        _here.is_bounded = False


def _read(raw: BaseHTTPResponse, encoding: str) -> bytes:
    content, arrived, until = bytearray(), 0, time.monotonic() + _LONGEST
    try:
        decoder = choose_decoder(encoding, "the answer")
        while chunk := raw.read1(_CHUNK, decode_content=False):
            content += decoder.decode(chunk, MOST_BYTES - len(content))
            arrived += len(chunk)
            if max(arrived, len(content)) >= MOST_BYTES or time.monotonic() > until:
                raw.close()
                break
    except (UnusableContentError, HTTPError, OSError):
        raw.close()  # the status has arrived, and says all that matters
    return bytes(content)
