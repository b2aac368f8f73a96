"""Decompress HTTP bodies piece by piece, and find where they break off or end.

`content-encoding` is read as browsers read it: names of no compression (`aws-chunked`, `none`, a
character set) change nothing, and `deflate` comes with zlib's header or without. See
https://www.rfc-editor.org/rfc/rfc9110#section-8.4.
"""

import zlib
from collections.abc import Callable, Iterator

from adspark.errors import UnusableContentError

ACCEPTED = "gzip, deflate"
"""What a request may accept, as the header `accept-encoding`."""

_GZIP = 31  # zlib's number for gzip's header with the largest window
_ZLIB = 15
_RAW = -15
_GZIP_MARK = b"\x1f\x8b"  # with which every member of a gzip stream begins
_PIECE = 64 * 1024  # bytes of input and of output at a time
_MAX_MEMBERS = 10_000  # of a gzip stream; a large file that was compressed in blocks has hundreds
_MAX_ENCODINGS = 4  # on top of each other; real responses have one
_REFUSED = ("br", "zstd", "compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip")
_LONGEST_SHOWN = 20  # characters of an encoding in a message


class Decoder:
    """Takes a body chunk by chunk; this one leaves it as it is."""

    @property
    def is_complete(self) -> bool:
        """Whether what came so far does not break off; true of nothing at all."""
        return True

    @property
    def is_over(self) -> bool:
        """Whether it has come to its end; what follows is not part of it and need not be read."""
        return False

    def decompress(self, chunk: bytes) -> Iterator[bytes]:
        """A chunk decompressed, in small pieces; the caller stops when it has enough.

        Raises:
            UnusableContentError: it is not what the encoding says.
        """
        yield chunk

    def decompress_at_most(self, chunk: bytes, most: int) -> bytes:
        """The first `most` bytes, as of `decompress`; then the decoder is not used any more."""
        content = bytearray()
        for piece in self.decompress(chunk):
            content += piece
            if len(content) >= most:
                break
        return bytes(content[:most])


def choose_decoder(encoding: str, shown: str) -> Decoder:
    """The decoder of a header `content-encoding`, of whose list the last is decoded first.

    Errors name what is decoded as `shown`.

    Raises:
        UnusableContentError: the encoding is not known here.
    """
    decoder: Decoder | None = None
    names = [name.strip().lower() for name in encoding.split(",")]
    known = [name for name in names if name in _KINDS or name in _REFUSED]
    for name in known:
        if name in _REFUSED or len(known) > _MAX_ENCODINGS:
            raise UnusableContentError(f"{shown} comes in the encoding {name[:_LONGEST_SHOWN]!r}.")
        kind = _KINDS[name](shown)
        decoder = kind if decoder is None else _Chain(kind, decoder)
    return decoder or Decoder()


class _Gzip(Decoder):
    """Decompresses gzip, which may come in several members; what follows the last is left."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._member: zlib._Decompress | None = None
        self._waiting = b""  # the beginning of another member, perhaps
        self._members = 0  # that have ended
        self._is_over = False  # what follows is no member

    @property
    def is_complete(self) -> bool:
        return self._member is None

    @property
    def is_over(self) -> bool:
        return self._is_over

    def decompress(self, chunk: bytes) -> Iterator[bytes]:
        for start in range(0, len(chunk), _PIECE):
            rest, self._waiting = self._waiting + chunk[start : start + _PIECE], b""
            while rest and not self._is_over:
                if self._member is None and not self._begins_member(rest):
                    break
                self._member = self._member or zlib.decompressobj(wbits=_GZIP)
                yield from _inflate(self._member, rest, self._shown, "gzip")
                rest = self._member.unused_data
                if self._member.eof:
                    self._member, self._members = None, self._members + 1
                    if self._members > _MAX_MEMBERS:
                        raise UnusableContentError(f"{self._shown} has too many gzip members.")

    def _begins_member(self, rest: bytes) -> bool:
        """Whether bytes behind a member begin another; one byte is not enough to know."""
        if not self._members or rest.startswith(_GZIP_MARK):
            return True
        if _GZIP_MARK.startswith(rest):
            self._waiting = rest
        else:
            self._is_over = True
        return False


class _Deflate(Decoder):
    """Decompresses deflate, with zlib's header or, as some servers send it, without."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._stream: zlib._Decompress | None = None
        self._head = b""  # what came while it may still be the one or the other

    @property
    def is_complete(self) -> bool:
        return self.is_over or (self._stream is None and not self._head)

    @property
    def is_over(self) -> bool:
        return self._stream is not None and self._stream.eof

    def decompress(self, chunk: bytes) -> Iterator[bytes]:
        for start in range(0, len(chunk), _PIECE):
            rest = chunk[start : start + _PIECE]
            if self._stream is None:
                self._head += rest
                if len(self._head) < 2:
                    continue
                rest, self._head = self._head, b""
                self._stream = zlib.decompressobj(wbits=_ZLIB if _is_zlib(rest) else _RAW)
            if not self.is_over:
                yield from _inflate(self._stream, rest, self._shown, "deflate")


class _Chain(Decoder):
    """Decodes one encoding after another."""

    def __init__(self, first: Decoder, then: Decoder) -> None:
        self._first = first
        self._then = then

    @property
    def is_complete(self) -> bool:
        return self._first.is_complete and self._then.is_complete

    @property
    def is_over(self) -> bool:
        return self._first.is_over or self._then.is_over

    def decompress(self, chunk: bytes) -> Iterator[bytes]:
        for piece in self._first.decompress(chunk):
            yield from self._then.decompress(piece)


_KINDS: dict[str, Callable[[str], Decoder]] = {
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "deflate": _Deflate,
    "x-deflate": _Deflate,
}


def _inflate(
    stream: "zlib._Decompress", compressed: bytes, shown: str, encoding: str
) -> Iterator[bytes]:
    """Some bytes of a stream decompressed, to their end or the stream's."""
    is_full = True
    while (compressed or is_full) and not stream.eof:
        try:
            piece = stream.decompress(compressed, _PIECE)
        except zlib.error as error:
            raise UnusableContentError(f"{shown} is not the {encoding} it says.") from error
        compressed = stream.unconsumed_tail
        is_full = len(piece) == _PIECE  # then zlib may hold more, although it has all the input
        if piece:
            yield piece


def _is_zlib(head: bytes) -> bool:
    """Whether two bytes are a header of zlib's, by RFC 1950."""
    return head[0] & 0x0F == zlib.DEFLATED and int.from_bytes(head[:2], "big") % 31 == 0
