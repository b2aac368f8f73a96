"""The program that decodes pictures, one after the other, in bounded computing time and memory.

`python -m adspark.media.decoder FD` serves the socket of its parent (`picture_process`) until
that is closed. A picture that takes too much, or breaks a decoder, ends this process and nothing
else. Nothing of ours but `picture_server` is imported here, so that it starts quickly.

Whatever a picture was, what comes out is upright, sRGB of 8 bits a channel, one frame, and without
any metadata.
"""

import io
import re
import struct
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image, ImageChops, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError

from adspark.media.picture_server import RefusedError, serve
from adspark.text.sentences import with_full_stop

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP", "TIFF")

_NAMES = "PNG, JPEG, WebP, GIF, AVIF, BMP or TIFF"
_MOST_SCANS = 100  # of a JPEG; encoders make 10, and each costs a pass over the whole picture
_SEGMENT = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")  # a JPEG's markers that hold something
_SCAN, _END = 0xDA, 0xD9
_JPEG_END = b"\xff\xd9"
_MORE_SCAN = bytes(range(1, 255)) * 16  # what might stand where a JPEG was cut off
_PNG = b"\x89PNG\r\n\x1a\n"
# What a PNG's first frame is made of; the rest is text, dates, and further frames.
_PNG_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"iCCP", b"eXIf"}
_PNG_FRAME = struct.Struct(">I4s")
_LARGEST_PROFILE = 16 * 1024 * 1024  # bytes; the largest that are in use have a few million
_LARGEST_PNG = 20 * 1024 * 1024  # bytes; what would be larger becomes a JPEG
_SMALL, _FAST = 6, 1  # levels of a PNG's compression
_MUCH = 4_000_000  # pixels from which the better level takes seconds
_JPEG_QUALITY = 92
_THUMBNAIL_QUALITY = 82
_WEBP_METHOD = 2  # half the time of the usual 4, and a few hundredths more bytes
_DEEP = ("I", "F")  # and I;16 with its byte orders
_SRGB = ImageCms.createProfile("sRGB")
Image.MAX_IMAGE_PIXELS = None  # ours is in the request
PngImagePlugin.MAX_TEXT_CHUNK = _LARGEST_PROFILE  # no other text is left


def decode_picture(content: bytes, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Decode a picture; returns its facts, and the output that is requested.

    A request has the most `pixels`, and `output`: "facts" only, "picture" (`is_compact`: whether it
    is worth time to make it small), "grey" of `side` pixels each way on white, "thumbnail" at most
    `width` wide and twice as high, "grey and thumbnail", the latter as a WebP, or "pixels": on
    white, made smaller to at most `side` pixels each way, three bytes a pixel, RGB; the facts then
    have its `output_width` and `output_height`.

    Raises:
        RefusedError: it is no picture, broken, or too large.
    """
    if not content:
        raise RefusedError("The picture is empty.")
    try:
        image, picture_format = _decode(content, request["pixels"])
        plain = _plain(image)
        facts = {"format": picture_format, "width": plain.width, "height": plain.height}
        facts["is_blank"] = _is_blank(plain)
        output = b""
        match request["output"]:
            case "picture":
                output, facts["output_format"] = _encode(plain, is_compact=request["is_compact"])
            case "grey":
                output = _grey(plain, request["side"])
            case "thumbnail":
                output = _thumbnail(plain, request["width"], "JPEG")
            case "grey and thumbnail":
                output = _grey(plain, request["side"])
                output += _thumbnail(plain, request["width"], "WEBP", method=_WEBP_METHOD)
            case "pixels":
                plain.thumbnail((request["side"], request["side"]))
                facts |= {"output_width": plain.width, "output_height": plain.height}
                output = _on_white(plain).tobytes()
    except (RefusedError, MemoryError):
        raise
    except UnidentifiedImageError:
        raise RefusedError(f"The picture is not a {_NAMES}.") from None
    except Exception as error:  # decoders raise nearly anything on broken files
        raise RefusedError(with_full_stop(f"The picture is broken: {error}")) from error
    return facts, output


def _decode(content: bytes, max_pixels: int) -> tuple[Image.Image, str]:
    """The first frame, and the format's name."""
    if content.startswith(_PNG):
        content = _strip_png(content)
    elif content.startswith(b"\xff\xd8"):
        _check_scans(content)
    image = _open(content, max_pixels)
    kind = (image.format or "").lower().replace("mpo", "jpeg")
    try:
        image.load()
    except OSError:
        if kind != "jpeg" or not _lacks_its_end_only(content, max_pixels):
            raise
        image = _open(content + _JPEG_END, max_pixels)
        image.load()
    return image, kind


def _open(content: bytes, max_pixels: int) -> Image.Image:
    image = Image.open(io.BytesIO(content), formats=FORMATS)
    if image.width * image.height > max_pixels:
        raise RefusedError(f"The picture has more than {max_pixels / 1e6:g} million pixels.")
    return image


def _strip_png(content: bytes) -> bytes:
    """The PNG without what its first frame does not need, however large that is."""
    kept, at = [_PNG], len(_PNG)
    while at + _PNG_FRAME.size <= len(content):
        length, name = _PNG_FRAME.unpack_from(content, at)
        end = at + _PNG_FRAME.size + length + 4  # and its checksum
        chunk = content[at:end]
        if name in _PNG_CHUNKS and (name != b"iCCP" or _is_usable_profile(chunk)):
            kept.append(chunk)
        if name == b"IEND":
            break
        at = end
    return b"".join(kept)


def _is_usable_profile(chunk: bytes) -> bool:
    """Whether a PNG's colour profile is whole and of a size in use."""
    _, _, compressed = chunk[_PNG_FRAME.size : -4].partition(b"\0")
    decompressor = zlib.decompressobj()
    try:
        decompressor.decompress(compressed[1:], _LARGEST_PROFILE)
    except zlib.error:
        return False
    return decompressor.eof


def _check_scans(content: bytes) -> None:
    at, scans = 2, 0
    while found := _SEGMENT.search(content, at):
        marker = found[1][0]
        if marker == _END:
            return
        scans += marker == _SCAN
        if scans > _MOST_SCANS:
            raise RefusedError(f"The picture is a JPEG of more than {_MOST_SCANS} scans.")
        at = found.end() + max(2, int.from_bytes(content[found.end() : found.end() + 2], "big"))


def _lacks_its_end_only(content: bytes, max_pixels: int) -> bool:
    """Whether a JPEG is whole but for its end marker: what else might follow changes nothing."""
    one = _open(content + _JPEG_END, max_pixels)
    other = _open(content + _MORE_SCAN + _JPEG_END, max_pixels)
    one.load()
    other.load()
    return ImageChops.difference(one, other).getbbox() is None


def _plain(image: Image.Image) -> Image.Image:
    """The picture as RGB or RGBA of 8 bits, upright, its colours sRGB."""
    with _if_readable():
        image = ImageOps.exif_transpose(image)
    profile = image.info.get("icc_profile")
    if image.mode in _DEEP or image.mode.startswith("I;"):
        image = _of_8_bits(image)
    if image.mode not in ("L", "RGB", "RGBA", "CMYK"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode != "RGBA" and image.has_transparency_data:
        image = image.convert("RGBA")
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        with _if_readable():  # it may also be for other colours than these
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            made = ImageCms.profileToProfile(image, source, _SRGB, outputMode=mode)
            image = made or image
    image = image.convert(mode)
    image.info.clear()  # or it would be written again
    return image


@contextmanager
def _if_readable() -> Iterator[None]:
    """Go on without what cannot be read of a picture's metadata."""
    try:
        yield
    except MemoryError:
        raise
    except Exception:  # noqa: S110  (libraries raise nearly anything on what is broken)
        pass


def _of_8_bits(image: Image.Image) -> Image.Image:
    """Grey of 8 bits. Of 16 the upper 8 remain; what has no bound is stretched over them."""
    image.info.pop("transparency", None)  # one value of the many
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value * (1 / 257)).convert("L")
    least, most = image.getextrema()
    if not isinstance(least, int | float) or not isinstance(most, int | float):
        return image.convert("L")
    if least >= 0 and 255 < most <= 65535:
        least, most = 0, 65535
    elif least >= 0 and most <= 255:
        least, most = 0, 255
    factor = 255 / (most - least or 1)
    return image.point(lambda value: value * factor - least * factor).convert("L")


def _is_blank(image: Image.Image) -> bool:
    """Whether it has one single colour throughout, or is all transparent."""
    bands = [image.getchannel(band).getextrema() for band in image.getbands()]
    return bands[3:] == [(0, 0)] or all(least == most for least, most in bands)


def _encode(image: Image.Image, *, is_compact: bool) -> tuple[bytes, str]:
    """A PNG; a JPEG where that would be larger than pictures may be."""
    level = _SMALL if is_compact and image.width * image.height <= _MUCH else _FAST
    content = _save(image, "PNG", compress_level=level)
    if len(content) <= _LARGEST_PNG:
        return content, "png"
    return _save(_on_white(image), "JPEG", quality=_JPEG_QUALITY), "jpeg"


def _grey(image: Image.Image, side: int) -> bytes:
    """Its brightness on white in `side` × `side` pixels, a byte each."""
    small = image.convert("RGBA").resize((side, side), Image.Resampling.BOX)
    return _on_white(small).convert("L").tobytes()


def _thumbnail(image: Image.Image, width: int, picture_format: str, **options: int) -> bytes:
    """At most `width` wide and twice as high; the image itself is made so small."""
    image.thumbnail((width, 2 * width))
    return _save(_on_white(image), picture_format, quality=_THUMBNAIL_QUALITY, **options)


def _save(image: Image.Image, picture_format: str, **options: int) -> bytes:
    target = io.BytesIO()
    image.save(target, format=picture_format, **options)
    return target.getvalue()


def _on_white(image: Image.Image) -> Image.Image:
    """Opaque: what is transparent shows what it lies on."""
    if image.mode != "RGBA":
        return image
    page = Image.new("RGBA", image.size, "white")
    page.alpha_composite(image)
    return page.convert("RGB")


if __name__ == "__main__":
    serve(int(sys.argv[1]), decode_picture)
