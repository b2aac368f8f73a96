"""Pictures that nobody vouches for."""

import hashlib
import io
import tracemalloc

import pytest
from PIL import Image

from adspark.errors import UnusableContentError
from adspark.pictures import check_picture, check_picture_aside, freeze_picture, is_blank
from tests.hostile_pages import RED, draw, draw_animation, make_png_bomb


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_is_told_by_what_it_is(kind: str) -> None:
    content = draw(60, 40, picture_format=kind)
    info = check_picture(content)
    assert (info.format, info.width, info.height) == (kind.lower(), 60, 40)
    assert info.media_type == f"image/{kind.lower()}"
    assert info.sha256 == hashlib.sha256(content).hexdigest()
    assert info.frames == 1


async def test_a_picture_is_checked_aside_with_the_same_result() -> None:
    assert await check_picture_aside(draw(60, 40)) == check_picture(draw(60, 40))


def test_a_picture_that_lies_on_its_side_has_the_size_that_is_shown() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    target = io.BytesIO()
    Image.new("RGB", (60, 40)).save(target, format="JPEG", exif=exif)
    info = check_picture(target.getvalue())
    assert (info.width, info.height) == (40, 60)


def _enlarged_gif() -> bytes:
    """A GIF of 10 x 10 whose first frame says that it is 60000 x 60000."""
    content = bytearray(draw(10, 10, picture_format="GIF"))
    start = content.index(b"\x2c", 13 + 3 * (2 << (content[10] & 7)))
    content[start + 5 : start + 9] = b"\x60\xea\x60\xea"
    return bytes(content)


def _bitmap() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (9, 9)).save(target, format="BMP")
    return target.getvalue()


BAD = {
    "nothing": (b"", "empty"),
    "text": (b"hello", "not a PNG"),
    "HTML": (b"<html><body>404</body></html>", "not a PNG"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "not a PNG"),
    "BMP": (_bitmap(), "not a PNG"),
    "only a signature": (b"\x89PNG\r\n\x1a\n", "PNG|broken"),
    "half a PNG": (draw(300, 300)[:200], "broken"),
    "half a JPEG": (draw(300, 300, picture_format="JPEG")[:1200], "broken"),
    "half a WebP": (draw(300, 300, picture_format="WEBP")[:60], "broken|not a PNG"),
    "half a GIF": (draw(300, 300, picture_format="GIF")[:200], "broken|not a PNG"),
    "a PNG of 400 million pixels": (make_png_bomb(), "million pixels"),
    "a PNG of 100 million pixels": (make_png_bomb(10_000), "million pixels"),
    "a PNG of 49 million pixels": (make_png_bomb(7_000), "million pixels"),
    "a GIF with a huge frame": (_enlarged_gif(), "million pixels"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_is_no_usable_picture_is_refused_with_its_cause(name: str) -> None:
    content, cause = BAD[name]
    with pytest.raises(UnusableContentError, match=cause):
        check_picture(content)


def test_a_picture_too_large_is_refused_without_being_decoded() -> None:
    bomb = make_png_bomb()
    tracemalloc.start()
    with pytest.raises(UnusableContentError):
        check_picture(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


def test_an_animation_that_is_too_long_is_refused() -> None:
    content = draw_animation(100, 100, frames=10)
    assert check_picture(content).frames == 10
    with pytest.raises(UnusableContentError, match="too long"):
        check_picture(content, max_pixels=20_000)


def test_the_first_frame_of_an_animation_stays_when_it_is_frozen() -> None:
    frozen = freeze_picture(draw_animation(50, 30))
    info = check_picture(frozen)
    assert (info.format, info.width, info.height, info.frames) == ("png", 50, 30, 1)
    with Image.open(io.BytesIO(frozen)) as image:
        assert image.convert("RGB").getpixel((25, 15)) == RED


def _transparent() -> bytes:
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    image.putpixel((3, 3), (255, 0, 0, 0))
    target = io.BytesIO()
    image.save(target, format="PNG")
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "expected", "reason"),
    [
        (draw(60, 40, is_plain=True), True, "one colour"),
        (draw(60, 40), False, "two colours"),
        (draw(1, 1), True, "one pixel"),
        (_transparent(), True, "nothing of it can be seen"),
    ],
)
def test_a_picture_of_one_colour_is_blank(content: bytes, expected: bool, reason: str) -> None:
    assert is_blank(content) is expected, reason
