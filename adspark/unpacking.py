"""Undo the packing of what is downloaded, within a bound, and tell where it breaks off."""

import zlib
from typing import Protocol

from adspark.errors import UnusableContentError

_GZIP = 31  # zlib's word for gzip's header with the largest window
_GZIP_MARK = b"\x1f\x8b"  # with which every piece of gzip begins
_PLAIN = ("", "identity")


class Decoder(Protocol):
    """Takes a body chunk by chunk."""

    @property
    def is_complete(self) -> bool:
        """Whether what came so far does not break off; true of nothing at all."""

    def decode(self, chunk: bytes, most: int) -> bytes:
        """At most `most` bytes of what a chunk stands for.

        Raises:
            UnusableContentError: it is not what the encoding says.
        """


def choose_decoder(encoding: str, shown: str) -> Decoder:
    """What undoes an encoding.

    Args:
        encoding: the header `content-encoding`.
        shown: the address, as messages may tell it.

    Raises:
        UnusableContentError: the encoding is not known.
    """
    name = encoding.strip().lower()
    if name in _PLAIN:
        return _Plain()
    if name in ("gzip", "x-gzip"):
        return _Unpacker(shown)
    raise UnusableContentError(f"{shown} comes in the encoding {name[:20]!r}.")


class _Plain:
    """Takes bytes as they are."""

    @property
    def is_complete(self) -> bool:
        return True

    def decode(self, chunk: bytes, most: int) -> bytes:
        return chunk[:most]


class _Unpacker:
    """Unpacks gzip, which may come in several pieces; what follows the last is left."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._piece: zlib._Decompress | None = None
        self._waiting = b""  # the beginning of another piece, perhaps
        self._has_ended = False  # at least one piece
        self._is_over = False  # what follows is no piece

    @property
    def is_complete(self) -> bool:
        return self._piece is None

    def decode(self, chunk: bytes, most: int) -> bytes:
        content = bytearray()
        rest, self._waiting = self._waiting + chunk, b""
        while rest and len(content) < most and not self._is_over:
            if self._piece is None and not self._begins_piece(rest):
                break
            self._piece = self._piece or zlib.decompressobj(wbits=_GZIP)
            try:
                content += self._piece.decompress(rest, most - len(content))
            except zlib.error as error:
                raise UnusableContentError(f"{self._shown} is not the gzip it says.") from error
            rest = self._piece.unused_data
            if self._piece.eof:
                self._piece, self._has_ended = None, True
        return bytes(content)

    def _begins_piece(self, rest: bytes) -> bool:
        """Whether bytes behind a piece begin another; one byte may not tell yet."""
        if not self._has_ended or rest.startswith(_GZIP_MARK):
            return True
        if _GZIP_MARK.startswith(rest):
            self._waiting = rest
        else:
            self._is_over = True
        return False
