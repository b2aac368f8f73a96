"""Validate and convert foreign pictures: each is decoded in full, with bounded time and memory.

No other module decodes foreign bytes. They are decoded in processes of their own (`decoder`), never
in the event loop; a cancellation ends the decoding. What comes out is of one kind: upright, sRGB of
8 bits a channel (an embedded colour profile is applied; one that cannot be is dropped), its first
frame only, and without metadata. Every function here raises UnusableContentError where the bytes
are empty, not a picture, broken, of too many pixels or harmful, and ServiceUnavailableError where
this machine lacks time or memory for it.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

from adspark.media.picture_pool import PicturePool
from adspark.media.picture_process import PictureProgram

PictureFormat = Literal["png", "jpeg", "webp", "gif", "avif", "bmp", "tiff"]
LIMITS = {"pixels": 40_000_000, "seconds": 30, "memory": 1024}
"""Of one picture: pixels, counted before it is decoded; seconds of computing, and megabytes of
addresses. 40 million pixels take ten seconds on a slow machine, and at most 700 MB."""

THUMBNAIL_WIDTH = 320
"""Pixels; a thumbnail is at most twice as high."""

SIDE = 64
"""Pixels each way of the brightness that pictures are compared by."""

DECODERS = PicturePool(
    PictureProgram("adspark.media.decoder", "decoder of pictures", "decode", "decoded"), at_once=2
)
"""The processes in which pictures are decoded (`decoder`)."""


@dataclass(frozen=True)
class PictureInfo:
    """What a picture is; its size is that in which it is shown, after the turn that it notes."""

    format: PictureFormat
    width: int  # pixels
    height: int  # pixels
    sha256: str  # of the content, in hex
    is_blank: bool  # whether it has one colour throughout, or is all transparent

    @property
    def media_type(self) -> str:
        """As `image/png`."""
        return f"image/{self.format}"


@dataclass(frozen=True)
class NormalPicture:
    """A picture in its normal form: a PNG, or a JPEG where a PNG would be larger than 20 MB."""

    content: bytes
    info: PictureInfo


@dataclass(frozen=True)
class InspectedPicture:
    """What a picture is, and what is made of it while it is decoded once."""

    info: PictureInfo
    grey: bytes  # its brightness, as of `reduce_picture`
    thumbnail: bytes  # a WebP


async def check_picture(content: bytes) -> PictureInfo:
    """Decode a picture, whatever its format, and say what it is."""
    facts, _ = await DECODERS.ask(content, _request("facts"))
    return _info(facts, facts["format"], content)


async def normalise_picture(content: bytes, *, is_compact: bool = True) -> NormalPicture:
    """A picture's normal form; with `is_compact` it takes more time and fewer bytes."""
    facts, made = await DECODERS.ask(content, _request("picture", is_compact=is_compact))
    return NormalPicture(made, _info(facts, facts["output_format"], made))


async def reduce_picture(content: bytes) -> bytes:
    """The brightness of a picture in `SIDE` × `SIDE` pixels, a byte each, row by row."""
    _, grey = await DECODERS.ask(content, _request("grey", side=SIDE))
    return grey


async def shrink_picture(content: bytes, width: int) -> bytes:
    """A picture as a JPEG, at most `width` pixels wide and twice as many high."""
    _, small = await DECODERS.ask(content, _request("thumbnail", width=width))
    return small


async def inspect_picture(content: bytes) -> InspectedPicture:
    """Decode a picture once, for all that is kept beside it."""
    request = _request("grey and thumbnail", side=SIDE, width=THUMBNAIL_WIDTH)
    facts, made = await DECODERS.ask(content, request)
    info = _info(facts, facts["format"], content)
    return InspectedPicture(info, made[: SIDE * SIDE], made[SIDE * SIDE :])


def _request(output: str, **more: object) -> dict[str, Any]:
    return {"output": output, **LIMITS, **more}


def _info(facts: dict[str, Any], picture_format: PictureFormat, content: bytes) -> PictureInfo:
    return PictureInfo(
        format=picture_format,
        width=facts["width"],
        height=facts["height"],
        sha256=hashlib.sha256(content).hexdigest(),
        is_blank=facts["is_blank"],
    )
