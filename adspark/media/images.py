"""The one door for pictures that nobody vouches for: decoded in full, aside, in bounded resources.

No other module decodes foreign bytes. They are decoded in processes that do nothing else
(`picture_process`), with limits of computing time and memory for each picture. What comes through
the door is of one kind: upright, sRGB of 8 bits a channel (an embedded colour profile is applied;
one that cannot be is dropped), its first frame only, and without metadata.
"""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, Literal

from adspark.media.decoder_process import close_idle, decode, decode_aside

__all__ = [
    "LIMITS",
    "NormalPicture",
    "PictureInfo",
    "PictureLimits",
    "check_picture",
    "check_picture_aside",
    "close_idle",
    "is_blank",
    "normalise_picture",
    "normalise_picture_aside",
    "reduce_picture",
    "shrink_picture_aside",
]

PictureFormat = Literal["png", "jpeg", "webp", "gif", "avif", "bmp", "tiff"]


@dataclass(frozen=True)
class PictureLimits:
    """What one picture may have.

    Attributes:
        pixels: judged before it is decoded.
        seconds: of computing. 40 million pixels take a third of it on a slow machine.
        memory: megabytes of addresses. 40 million pixels take 700 in the hungriest format.
    """

    pixels: int = 40_000_000
    seconds: int = 30
    memory: int = 1024


LIMITS = PictureLimits()


@dataclass(frozen=True)
class PictureInfo:
    """What a picture is.

    Attributes:
        width, height: pixels, as it is shown (after the turn that a camera noted in it).
        sha256: of the content, in hex.
        is_blank: whether it has one single colour throughout, or is all transparent.
    """

    format: PictureFormat
    width: int
    height: int
    sha256: str
    is_blank: bool = False

    @property
    def media_type(self) -> str:
        """As `image/png`."""
        return f"image/{self.format}"


@dataclass(frozen=True)
class NormalPicture:
    """A picture in its normal form: a PNG, or a JPEG where a PNG would be larger than 20 MB."""

    content: bytes
    info: PictureInfo


def check_picture(content: bytes, *, limits: PictureLimits = LIMITS) -> PictureInfo:
    """Decode a picture, whatever its format; its size is judged before that.

    Raises:
        UnusableContentError: empty, not a picture, broken, too many pixels, or harmful.
        ServiceUnavailableError: this machine lacks time or memory for it.
    """
    facts, _ = decode(content, _wish("facts", limits))
    return _info(facts, facts["format"], content)


async def check_picture_aside(content: bytes, *, limits: PictureLimits = LIMITS) -> PictureInfo:
    """`check_picture` beside the event loop; a cancellation ends the decoding.

    Raises:
        AdSparkError: as `check_picture`.
    """
    facts, _ = await decode_aside(content, _wish("facts", limits))
    return _info(facts, facts["format"], content)


def normalise_picture(content: bytes) -> NormalPicture:
    """A picture's normal form.

    Raises:
        AdSparkError: as `check_picture`.
    """
    return _picture(*decode(content, _wish("picture", is_kept=True)))


async def normalise_picture_aside(content: bytes, *, is_kept: bool = True) -> NormalPicture:
    """`normalise_picture` beside the event loop; a cancellation ends the decoding.

    Args:
        is_kept: whether it is worth time to make it smaller.

    Raises:
        AdSparkError: as `check_picture`.
    """
    return _picture(*await decode_aside(content, _wish("picture", is_kept=is_kept)))


def is_blank(content: bytes) -> bool:
    """Whether a picture has one single colour throughout, or is all transparent.

    Raises:
        AdSparkError: as `check_picture`.
    """
    return check_picture(content).is_blank


def reduce_picture(content: bytes, side: int) -> bytes:
    """The brightness of a picture, reduced to so many pixels each way, a byte each, row by row.

    Raises:
        AdSparkError: as `check_picture`.
    """
    _, grey = decode(content, _wish("grey", side=side))
    return grey


async def shrink_picture_aside(content: bytes, width: int) -> bytes:
    """A picture as a JPEG, at most so many pixels wide and twice as many high.

    Raises:
        AdSparkError: as `check_picture`.
    """
    _, small = await decode_aside(content, _wish("thumbnail", width=width))
    return small


def _wish(give: str, limits: PictureLimits = LIMITS, **more: object) -> dict[str, Any]:
    return {"give": give, **asdict(limits), **more}


def _picture(facts: dict[str, Any], content: bytes) -> NormalPicture:
    return NormalPicture(content, _info(facts, facts["given"], content))


def _info(facts: dict[str, Any], kind: PictureFormat, content: bytes) -> PictureInfo:
    return PictureInfo(
        format=kind,
        width=facts["width"],
        height=facts["height"],
        sha256=hashlib.sha256(content).hexdigest(),
        is_blank=facts["is_blank"],
    )
