"""A bound on what a service may answer: bytes as they arrive, and bytes that they unpack to.

httpx unpacks whatever comes, as far as it goes: a few megabytes of gzip become gigabytes. So its
answers are unpacked here, piece by piece, before httpx sees them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import cast

import httpx

from adspark.errors import UnusableContentError
from adspark.net.decompression import ACCEPTED, Decoder, choose_decoder

MOST_BYTES = 20 * 2**20
"""Of an answer, unpacked; a page of 100 ads has 0.2 MB, so this is far from any real one."""

MOST_WITH_PICTURES = 40 * 2**20
"""Of an answer that may hold pictures in base64, which takes a third more than they do."""

_STREAMED = 25  # times as much may come of a stream in all, which is not kept

Hook = Callable[[httpx.Response], Awaitable[None]]


class TooLargeError(httpx.DecodingError):
    """An answer is larger than any real one; the rest of it was not read."""


class BoundedStream(httpx.AsyncByteStream):
    """A body that is unpacked as it comes, and ends with an error above its bound.

    Args:
        stream: the body as it arrives.
        decoder: undoes its packing.
        most: bytes, as they arrive and as they are unpacked.
    """

    def __init__(self, stream: httpx.AsyncByteStream, decoder: Decoder, most: int) -> None:
        self._stream = stream
        self._decoder = decoder
        self._most = most
        self._arriving = most
        self._room = most
        self._room_in_all = most * _STREAMED

    def begin_part(self) -> None:
        """What came so far has been used and is not kept: what comes now is counted anew."""
        self._arriving = self._room = self._most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._arriving -= len(chunk)
            self._take(0)
            try:
                for piece in self._decoder.unpack(chunk):
                    self._take(len(piece))
                    yield piece
            except UnusableContentError as error:
                raise httpx.DecodingError(str(error)) from error
            if self._decoder.is_over:
                return
        if not self._decoder.is_complete:
            raise httpx.RemoteProtocolError("the answer broke off before its end")

    async def aclose(self) -> None:
        await self._stream.aclose()

    def _take(self, count: int) -> None:
        self._room -= count
        self._room_in_all -= count
        if min(self._arriving, self._room, self._room_in_all) < 0:
            raise _too_large(self._most)


def bound_answers(most: int = MOST_BYTES) -> dict[str, list[Hook]]:
    """Event hooks of an httpx.AsyncClient whose answers hold at most `most` bytes.

    Above that, reading the answer raises TooLargeError.
    """

    async def bound(response: httpx.Response) -> None:
        declared = response.headers.get("content-length", "")
        if declared.isascii() and declared.isdecimal() and int(declared[:20]) > most:
            raise _too_large(most)
        if response.is_stream_consumed:  # it was made at hand, not sent
            if len(response.content) > most:
                raise _too_large(most)
            return
        encoding = response.headers.pop("content-encoding", "")
        try:
            decoder = choose_decoder(encoding, "the answer")
        except UnusableContentError as error:
            raise httpx.DecodingError(str(error)) from error
        stream = cast("httpx.AsyncByteStream", response.stream)
        response.stream = BoundedStream(stream, decoder, most)

    return {"response": [bound]}


def begin_part(response: httpx.Response) -> None:
    """Of a streamed answer, what came so far was used and is not kept."""
    if isinstance(response.stream, BoundedStream):
        response.stream.begin_part()


PACKINGS = {"Accept-Encoding": ACCEPTED}
"""The header by which a request asks for packings that can be undone within a bound."""


def _too_large(most: int) -> TooLargeError:
    return TooLargeError(f"more than {most // 2**20} MB")
