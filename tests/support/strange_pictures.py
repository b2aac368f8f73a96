"""Pictures in every shape in which cameras, editors and generators give them; and some that harm.

Each shows the same: 60 × 40 pixels, dark on the left and bright on the right.
"""

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image, ImageCms

_SIZE = (60, 40)
_TURN = 0x0112  # EXIF
# What a camera has to do to an upright picture, so that the turn noted makes it upright again.
_UNDONE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def scene(mode: str = "RGB") -> Image.Image:
    """The picture itself."""
    image = Image.new("RGB", _SIZE, (20, 10, 30))
    image.paste((230, 240, 250), (30, 0, 60, 40))
    return image.convert(mode)


def encode(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The bytes of an image."""
    target = io.BytesIO()
    image.save(target, format=kind, **options)
    return target.getvalue()


def png_chunk(name: bytes, data: bytes) -> bytes:
    """A chunk with its checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def with_chunks(content: bytes, *chunks: bytes) -> bytes:
    """A PNG with more behind its header."""
    return content[:33] + b"".join(chunks) + content[33:]


def _turned(kind: str, turn: int) -> bytes:
    exif = Image.Exif()
    exif[_TURN] = turn
    return encode(scene().transpose(_UNDONE[turn]), kind, exif=exif.tobytes())


def _grey_16(kind: str = "PNG", mode: str = "I;16") -> bytes:
    image = Image.new(mode, _SIZE, 20 * 257)
    image.paste(240 * 257, (30, 0, 60, 40))
    return encode(image, kind)


def _animated(kind: str) -> bytes:
    others = [Image.new("RGB", _SIZE, (n, 0, 0)) for n in range(5)]
    return encode(scene(), kind, save_all=True, append_images=others, duration=20)


def _clear_at_the_right(kind: str, mode: str) -> bytes:
    """Bright on the right because it is transparent there, and lies on white."""
    image = Image.new("RGBA", _SIZE, (20, 10, 30, 255))
    image.paste((0, 0, 0, 0), (30, 0, 60, 40))
    return encode(image.convert(mode), kind)


def _garbage_exif() -> bytes:
    return encode(scene(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12\xff\xff")


_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
_TEXT = zlib.compress(b"x" * 2**21)
_FLOOD = png_chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 2**20)) * 80
_JPEG = encode(scene(), "JPEG", quality=95)

SHAPES: dict[str, Callable[[], bytes]] = {
    "PNG": lambda: encode(scene()),
    "JPEG": lambda: _JPEG,
    "progressive JPEG": lambda: encode(scene(), "JPEG", progressive=True, quality=95),
    "a JPEG with a second picture": lambda: encode(
        scene(), "MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))]
    ),
    "a JPEG without its end": lambda: _JPEG[:-2],
    "a progressive JPEG without its end": lambda: encode(
        scene(), "JPEG", progressive=True, quality=95
    )[:-2],
    "a JPEG with half of its end": lambda: _JPEG[:-1],
    "a JPEG with something after its end": lambda: _JPEG + b"PK\x03\x04" + bytes(5000),
    "CMYK JPEG": lambda: encode(scene("CMYK"), "JPEG", quality=95),
    "grey JPEG": lambda: encode(scene("L"), "JPEG"),
    "a JPEG with a broken profile": lambda: encode(scene(), "JPEG", icc_profile=b"no" * 100),
    "a CMYK JPEG with a profile of RGB": lambda: encode(scene("CMYK"), "JPEG", icc_profile=_SRGB),
    "a JPEG with garbage for EXIF": _garbage_exif,
    "a PNG with 2 MB of packed text": lambda: with_chunks(
        encode(scene()), png_chunk(b"zTXt", b"a\0\0" + _TEXT)
    ),
    "a PNG with 2 MB of packed text of the world": lambda: with_chunks(
        encode(scene()), png_chunk(b"iTXt", b"a\0\1\0\0\0" + _TEXT)
    ),
    "a PNG with 3 MB of plain text": lambda: with_chunks(
        encode(scene()), png_chunk(b"tEXt", b"a\0" + b"x" * 3 * 2**20)
    ),
    "a PNG with 80 MB of text": lambda: with_chunks(encode(scene()), _FLOOD),
    "a PNG with text behind": lambda: encode(scene())[:-12] + _FLOOD + png_chunk(b"IEND", b""),
    "a PNG with a profile of 2 MB": lambda: with_chunks(
        encode(scene()), png_chunk(b"iCCP", b"a\0\0" + _TEXT)
    ),
    "a PNG with a profile": lambda: encode(scene(), icc_profile=_SRGB),
    "a PNG without its end": lambda: encode(scene())[:-12],
    "PNG of 16-bit grey": _grey_16,
    "TIFF of 16-bit grey": lambda: _grey_16("TIFF"),
    "TIFF of 32-bit grey": lambda: _grey_16("TIFF", "I"),
    "TIFF of floating grey": lambda: encode(scene("F"), "TIFF"),
    "grey PNG": lambda: encode(scene("L")),
    "black and white PNG": lambda: encode(scene("L").point(lambda grey: grey // 128 * 255, "1")),
    "PNG of a palette": lambda: encode(scene().quantize(8)),
    "GIF": lambda: encode(scene(), "GIF"),
    "WebP": lambda: encode(scene(), "WEBP"),
    "AVIF": lambda: encode(scene(), "AVIF"),
    "BMP": lambda: encode(scene(), "BMP"),
    "TIFF": lambda: encode(scene(), "TIFF"),
    "CMYK TIFF": lambda: encode(scene("CMYK"), "TIFF"),
    "moving GIF": lambda: _animated("GIF"),
    "moving WebP": lambda: _animated("WEBP"),
    "moving PNG": lambda: _animated("PNG"),
    "moving AVIF": lambda: _animated("AVIF"),
    "PNG with alpha": lambda: _clear_at_the_right("PNG", "RGBA"),
    "PNG with grey and alpha": lambda: _clear_at_the_right("PNG", "LA"),
    "PNG of a palette with alpha": lambda: _clear_at_the_right("PNG", "P"),
    "WebP with alpha": lambda: _clear_at_the_right("WEBP", "RGBA"),
    "GIF with alpha": lambda: _clear_at_the_right("GIF", "RGBA"),
    **{
        f"{kind} turned by {turn}": lambda kind=kind, turn=turn: _turned(kind, turn)  # type: ignore[misc]
        for kind, turns in {"JPEG": _UNDONE, "PNG": (6,), "WEBP": (6,), "AVIF": (6,)}.items()
        for turn in turns
    },
}


def gif_of_frames(count: int) -> bytes:
    """A GIF with so many frames of a few bytes each."""
    content = encode(scene("P"), "GIF")
    tiny = encode(Image.new("P", (1, 1)), "GIF")
    start = tiny.index(b"\x2c", 13 + 3 * (2 << (tiny[10] & 7)))
    return content[:-1] + tiny[start:-1] * count + b";"


def jpeg_of_scans(count: int, side: int = 1500) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    content = encode(
        Image.effect_noise((side, side), 60).convert("RGB"), "JPEG", progressive=True, quality=30
    )
    last = content.rindex(b"\xff\xda")
    return content[:-2] + content[last:-2] * count + content[-2:]


def carried_by(content: bytes) -> dict[str, object]:
    """What a picture carries beside its pixels."""
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        return {str(name): value for name, value in image.info.items()}
