"""Pictures that nobody vouches for: decoded in full, in bounded memory, before they are trusted."""

import asyncio
import hashlib
import io
from dataclasses import dataclass
from typing import Literal, cast

from PIL import Image, UnidentifiedImageError

from adspark.errors import UnusableContentError

MAX_PIXELS = 40_000_000

PictureFormat = Literal["png", "jpeg", "webp", "gif"]

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_MOST_DECODED = 4  # times max_pixels, over all frames of an animation
_ORIENTATION = 0x0112  # EXIF; from 5 on the picture lies on its side
_FIRST_TURNED = 5


@dataclass(frozen=True)
class PictureInfo:
    """What a picture is.

    Attributes:
        width, height: pixels, as it is shown (after the turn that a camera noted in it).
        sha256: of the content, in hex.
        frames: more than 1 for an animation.
    """

    format: PictureFormat
    width: int
    height: int
    sha256: str
    frames: int = 1

    @property
    def media_type(self) -> str:
        """As `image/png`."""
        return f"image/{self.format}"


def check_picture(content: bytes, *, max_pixels: int = MAX_PIXELS) -> PictureInfo:
    """Decode a PNG, JPEG, WebP or GIF with all its frames; the size is judged before that.

    Raises:
        UnusableContentError: empty, not such a picture, broken, or too many pixels.
    """
    if not content:
        raise UnusableContentError("The picture is empty.")
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            frames = _decode_frames(image, max_pixels)
            width, height = image.size
            if image.getexif().get(_ORIENTATION, 1) >= _FIRST_TURNED:
                width, height = height, width
            return PictureInfo(
                format=cast("PictureFormat", (image.format or "").lower()),
                width=width,
                height=height,
                sha256=hashlib.sha256(content).hexdigest(),
                frames=frames,
            )
    except UnusableContentError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels(max_pixels) from None
    except UnidentifiedImageError:
        raise UnusableContentError("The picture is not a PNG, JPEG, WebP or GIF.") from None
    except Exception as error:  # decoders raise nearly anything on broken files
        raise UnusableContentError(f"The picture is broken: {error}.") from error


async def check_picture_aside(content: bytes, *, max_pixels: int = MAX_PIXELS) -> PictureInfo:
    """`check_picture` in a thread.

    Raises:
        UnusableContentError: as `check_picture`.
    """
    return await asyncio.to_thread(check_picture, content, max_pixels=max_pixels)


def freeze_picture(content: bytes) -> bytes:
    """The first frame of a checked picture, as a PNG."""
    with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
        target = io.BytesIO()
        image.convert("RGBA").save(target, format="PNG")
        return target.getvalue()


def is_blank(content: bytes) -> bool:
    """Whether a checked picture has one single colour throughout, or is all transparent."""
    with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
        bands = cast("tuple[tuple[int, int], ...]", image.convert("RGBA").getextrema())
    return bands[3] == (0, 0) or all(least == most for least, most in bands)


def _decode_frames(image: Image.Image, max_pixels: int) -> int:
    """Decode one frame after the other; gives their number."""
    count, decoded = 0, 0
    while True:
        width, height = image.size  # a frame of a GIF may enlarge the picture
        decoded += width * height
        if width * height > max_pixels:
            raise _too_many_pixels(max_pixels)
        if decoded > max_pixels * _MOST_DECODED:
            raise UnusableContentError("The picture is an animation that is too long.")
        image.load()
        count += 1
        try:
            image.seek(count)
        except EOFError:
            break
    image.seek(0)
    return count


def _too_many_pixels(max_pixels: int) -> UnusableContentError:
    return UnusableContentError(f"The picture has more than {max_pixels / 1e6:g} million pixels.")
