"""Undo the packing of what is downloaded, piece by piece, and tell where it breaks off or ends.

What a server says in `content-encoding` is read as browsers read it: names of no packing
(`aws-chunked`, `none`, a character set) change nothing, and `deflate` comes with zlib's header or
without. See https://www.rfc-editor.org/rfc/rfc9110#section-8.4.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from adspark.errors import UnusableContentError

ACCEPTED = "gzip, deflate"
"""What a request may ask for, as the header `accept-encoding`."""

_GZIP = 31  # zlib's word for gzip's header with the largest window
_ZLIB = 15
_RAW = -15
_GZIP_MARK = b"\x1f\x8b"  # with which every member of a gzip stream begins
_PIECE = 64 * 1024  # bytes that are taken in, and given out, at a time
_MOST_MEMBERS = 10_000  # of a gzip stream; a large file that was packed in blocks has hundreds
_MOST_ENCODINGS = 4  # on top of each other; real answers have one
_REFUSED = ("br", "zstd", "compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip")
_LONGEST_SHOWN = 20  # characters of an encoding in a message


class Decoder(Protocol):
    """Takes a body chunk by chunk."""

    @property
    def is_complete(self) -> bool:
        """Whether what came so far does not break off; true of nothing at all."""

    @property
    def is_over(self) -> bool:
        """Whether it has come to its end; what follows is not part of it and need not be read."""

    def unpack(self, chunk: bytes) -> Iterator[bytes]:
        """What a chunk stands for, in small pieces; whoever has enough stops asking for more.

        Raises:
            UnusableContentError: it is not what the encoding says.
        """

    def decode(self, chunk: bytes, most: int) -> bytes:
        """What a chunk stands for; at most `most` bytes of it, and then no more is to be asked for.

        Raises:
            UnusableContentError: it is not what the encoding says.
        """


def choose_decoder(encoding: str, shown: str) -> Decoder:
    """What undoes an encoding, or several on top of each other.

    Args:
        encoding: the header `content-encoding`; the last of a list is undone first.
        shown: the address, as messages may tell it.

    Raises:
        UnusableContentError: the encoding cannot be undone.
    """
    decoder: Decoder | None = None
    names = [name.strip().lower() for name in encoding.split(",")]
    packed = [name for name in names if name in _KINDS or name in _REFUSED]
    for name in packed:
        if name in _REFUSED or len(packed) > _MOST_ENCODINGS:
            raise UnusableContentError(f"{shown} comes in the encoding {name[:_LONGEST_SHOWN]!r}.")
        kind = _KINDS[name](shown)
        decoder = kind if decoder is None else _Chain(kind, decoder)
    return decoder or _Plain()


class _Decoding:
    """What all decoders share."""

    def unpack(self, chunk: bytes) -> Iterator[bytes]:
        raise NotImplementedError

    def decode(self, chunk: bytes, most: int) -> bytes:
        content = bytearray()
        for piece in self.unpack(chunk):
            content += piece
            if len(content) >= most:
                break
        return bytes(content[:most])


class _Plain(_Decoding):
    """Takes bytes as they are."""

    is_complete = True
    is_over = False

    def unpack(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk


class _Gzip(_Decoding):
    """Unpacks gzip, which may come in several members; what follows the last is left."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._member: zlib._Decompress | None = None
        self._waiting = b""  # the beginning of another member, perhaps
        self._has_ended = False  # at least one member
        self._members = 0
        self.is_over = False  # what follows is no member

    @property
    def is_complete(self) -> bool:
        return self._member is None

    def unpack(self, chunk: bytes) -> Iterator[bytes]:
        for start in range(0, len(chunk), _PIECE):
            rest, self._waiting = self._waiting + chunk[start : start + _PIECE], b""
            while rest and not self.is_over:
                if self._member is None and not self._begins_member(rest):
                    break
                self._member = self._member or zlib.decompressobj(wbits=_GZIP)
                yield from _inflate(self._member, rest, self._shown, "gzip")
                rest = self._member.unused_data
                if self._member.eof:
                    self._member, self._has_ended = None, True
                    self._count_member()

    def _count_member(self) -> None:
        self._members += 1
        if self._members > _MOST_MEMBERS:
            raise UnusableContentError(f"{self._shown} is packed in too many pieces.")

    def _begins_member(self, rest: bytes) -> bool:
        """Whether bytes behind a member begin another; one byte may not tell yet."""
        if not self._has_ended or rest.startswith(_GZIP_MARK):
            return True
        if _GZIP_MARK.startswith(rest):
            self._waiting = rest
        else:
            self.is_over = True
        return False


class _Deflate(_Decoding):
    """Unpacks deflate, with zlib's header, as it should be, or without, as some servers send it."""

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

    def unpack(self, chunk: bytes) -> Iterator[bytes]:
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


class _Chain(_Decoding):
    """Undoes one encoding after another."""

    def __init__(self, first: Decoder, then: Decoder) -> None:
        self._first = first
        self._then = then

    @property
    def is_complete(self) -> bool:
        return self._first.is_complete and self._then.is_complete

    @property
    def is_over(self) -> bool:
        return self._first.is_over or self._then.is_over

    def unpack(self, chunk: bytes) -> Iterator[bytes]:
        for piece in self._first.unpack(chunk):
            yield from self._then.unpack(piece)


_KINDS: dict[str, Callable[[str], Decoder]] = {
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "deflate": _Deflate,
    "x-deflate": _Deflate,
}


def _inflate(
    stream: "zlib._Decompress", packed: bytes, shown: str, encoding: str
) -> Iterator[bytes]:
    """What some bytes of a stream stand for, to their end or the stream's."""
    is_full = True
    while (packed or is_full) and not stream.eof:
        try:
            piece = stream.decompress(packed, _PIECE)
        except zlib.error as error:
            raise UnusableContentError(f"{shown} is not the {encoding} it says.") from error
        packed = stream.unconsumed_tail
        is_full = len(piece) == _PIECE  # then more may wait inside, although all was taken in
        if piece:
            yield piece


def _is_zlib(head: bytes) -> bool:
    """Whether two bytes are a header of zlib's, by RFC 1950."""
    return head[0] & 0x0F == zlib.DEFLATED and int.from_bytes(head[:2], "big") % 31 == 0
