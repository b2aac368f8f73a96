"""A bound on the responses of services: on the bytes that arrive, and on the decompressed ones.

httpx decompresses whatever comes: a few megabytes of gzip become gigabytes. So bodies are
decompressed here, piece by piece, before httpx sees them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import cast

import httpx

from adspark.errors import UnusableContentError
from adspark.net.decompression import ACCEPTED, Decoder, choose_decoder
from adspark.text.sentences import without_full_stop

MAX_BYTES = 20 * 2**20
"""Of a response, decompressed; a page of 100 ads has 0.2 MB, so this is far from any real one."""

MAX_BYTES_WITH_PICTURES = 40 * 2**20
"""Of a response that may hold pictures in base64, which takes a third more than they do."""

ACCEPT_ENCODING = {"Accept-Encoding": ACCEPTED}
"""The header by which a request accepts compressions that can be bounded."""

_STREAMED = 25  # times as much may come of a stream in all, which is not kept

Hook = Callable[[httpx.Response], Awaitable[None]]


class TooLargeError(httpx.DecodingError):
    """A response is larger than any real one; the rest of it was not read."""

    def __init__(self, most: int) -> None:
        super().__init__(f"more than {most // 2**20} MB")


class BoundedStream(httpx.AsyncByteStream):
    """A body that is decompressed as it comes, and ends with an error above `most` bytes.

    They are counted as they arrive and decompressed.
    """

    def __init__(self, stream: httpx.AsyncByteStream, decoder: Decoder, most: int) -> None:
        self._stream = stream
        self._decoder = decoder
        self._most = most
        self._left_in_all = most * _STREAMED
        self.reset_byte_count()

    def reset_byte_count(self) -> None:
        """What came so far has been used and is not kept: count from nought."""
        self._left_compressed = self._left = self._most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left_compressed -= len(chunk)
            self._count(0)
            try:
                for piece in self._decoder.decompress(chunk):
                    self._count(len(piece))
                    yield piece
            except UnusableContentError as error:
                raise httpx.DecodingError(without_full_stop(str(error))) from error
            if self._decoder.is_over:
                return
        if not self._decoder.is_complete:
            raise httpx.RemoteProtocolError("the answer broke off before its end")

    async def aclose(self) -> None:
        await self._stream.aclose()

    def _count(self, size: int) -> None:
        self._left -= size
        self._left_in_all -= size
        if min(self._left_compressed, self._left, self._left_in_all) < 0:
            raise TooLargeError(self._most)


def bound_responses(most: int = MAX_BYTES) -> dict[str, list[Hook]]:
    """Event hooks of an httpx.AsyncClient whose responses hold at most `most` bytes.

    Above that, reading the response raises TooLargeError.
    """

    async def bound(response: httpx.Response) -> None:
        declared = response.headers.get("content-length", "")
        if declared.isascii() and declared.isdecimal() and int(declared[:20]) > most:
            raise TooLargeError(most)
        if response.is_stream_consumed:  # a test's, which was not sent
            if len(response.content) > most:
                raise TooLargeError(most)
            return
        encoding = response.headers.pop("content-encoding", "")
        try:
            decoder = choose_decoder(encoding, "the answer")
        except UnusableContentError as error:
            raise httpx.DecodingError(without_full_stop(str(error))) from error
        stream = cast("httpx.AsyncByteStream", response.stream)
        response.stream = BoundedStream(stream, decoder, most)

    return {"response": [bound]}


def reset_byte_count(response: httpx.Response) -> None:
    """Of a streamed response: what came so far has been used and is not kept."""
    if isinstance(response.stream, BoundedStream):
        response.stream.reset_byte_count()
