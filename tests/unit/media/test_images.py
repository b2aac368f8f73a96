"""Pictures that nobody vouches for."""

import asyncio
import hashlib
import io
import tracemalloc

import psutil
import pytest
from PIL import Image, ImageCms

from adspark.errors import UnusableContentError
from adspark.media.images import DECODERS, LIMITS, check_picture, normalise_picture
from tests.support.hostile_pages import draw, make_png_bomb
from tests.support.strange_pictures import SHAPES, carried_by, encode, gif_of_frames, jpeg_of_scans


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP", "TIFF"])
async def test_a_picture_is_told_by_what_it_is(kind: str) -> None:
    content = draw(60, 40, picture_format=kind)
    info = await check_picture(content)
    assert (info.format, info.width, info.height) == (kind.lower(), 60, 40)
    assert info.media_type == f"image/{kind.lower()}"
    assert info.sha256 == hashlib.sha256(content).hexdigest()


async def test_a_picture_that_lies_on_its_side_has_the_size_that_is_shown() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    target = io.BytesIO()
    Image.new("RGB", (60, 40)).save(target, format="JPEG", exif=exif)
    info = await check_picture(target.getvalue())
    assert (info.width, info.height) == (40, 60)


def _enlarged_gif() -> bytes:
    """A GIF of 10 x 10 whose first frame says that it is 60000 x 60000."""
    content = bytearray(draw(10, 10, picture_format="GIF"))
    start = content.index(b"\x2c", 13 + 3 * (2 << (content[10] & 7)))
    content[start + 5 : start + 9] = b"\x60\xea\x60\xea"
    return bytes(content)


BAD = {
    "nothing": (b"", "empty"),
    "text": (b"hello", "not a PNG"),
    "HTML": (b"<html><body>404</body></html>", "not a PNG"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "not a PNG"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a PNG"),
    "only a signature": (b"\x89PNG\r\n\x1a\n", "PNG|broken"),
    "half a PNG": (draw(300, 300)[:200], "broken"),
    "half a JPEG": (draw(300, 300, picture_format="JPEG")[:1200], "broken"),
    "half a WebP": (draw(300, 300, picture_format="WEBP")[:60], "broken|not a PNG"),
    "half an AVIF": (draw(300, 300, picture_format="AVIF")[:300], "broken|not a PNG"),
    "a JPEG without its last bytes": (draw(300, 300, picture_format="JPEG")[:-40], "broken"),
    "half a GIF": (draw(300, 300, picture_format="GIF")[:200], "broken|not a PNG"),
    "a PNG of 400 million pixels": (make_png_bomb(), "million pixels"),
    "a PNG of 100 million pixels": (make_png_bomb(10_000), "million pixels"),
    "a PNG of 49 million pixels": (make_png_bomb(7_000), "million pixels"),
    "a GIF with a huge frame": (_enlarged_gif(), "million pixels"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
async def test_what_is_no_usable_picture_is_refused_with_its_cause(name: str) -> None:
    content, cause = BAD[name]
    with pytest.raises(UnusableContentError, match=cause):
        await check_picture(content)


async def test_a_picture_too_large_is_refused_without_being_decoded() -> None:
    bomb = make_png_bomb()
    tracemalloc.start()
    with pytest.raises(UnusableContentError):
        await check_picture(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


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
async def test_a_picture_of_one_colour_is_blank(
    content: bytes, expected: bool, reason: str
) -> None:
    assert (await check_picture(content)).is_blank is expected, reason


@pytest.mark.parametrize("name", SHAPES)
async def test_a_picture_of_any_shape_is_brought_into_one(name: str) -> None:
    picture = await normalise_picture(SHAPES[name]())
    assert (picture.info.format, picture.info.width, picture.info.height) == ("png", 60, 40)
    assert picture.info.sha256 == hashlib.sha256(picture.content).hexdigest()
    assert carried_by(picture.content) == {}
    with Image.open(io.BytesIO(picture.content)) as image:
        assert image.mode in ("RGB", "RGBA")
        page = Image.new("RGBA", image.size, "white")
        page.alpha_composite(image.convert("RGBA"))
    left, right = page.convert("L").crop((2, 2, 26, 38)), page.convert("L").crop((34, 2, 58, 38))
    assert max(left.tobytes()) < 45
    assert min(right.tobytes()) > 215


@pytest.mark.parametrize("name", SHAPES)
async def test_what_was_brought_into_one_shape_stays_as_it_is(name: str) -> None:
    once = await normalise_picture(SHAPES[name]())
    assert await normalise_picture(once.content) == once


async def test_a_profile_of_other_colours_is_applied() -> None:
    target = io.BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"tXYZ").replace(b"gXYZ", b"rXYZ").replace(b"tXYZ", b"gXYZ")
    Image.new("RGB", (20, 20), (200, 30, 40)).save(target, format="PNG", icc_profile=swapped)
    with Image.open(io.BytesIO((await normalise_picture(target.getvalue())).content)) as image:
        pixel = image.getpixel((5, 5))
    assert isinstance(pixel, tuple)
    assert pixel[0] < 100
    assert pixel[1] > 150  # red and green have changed places


async def test_of_millions_of_frames_only_the_first_is_decoded() -> None:
    assert (await check_picture(gif_of_frames(1_000_000))).width == 60


async def test_a_jpeg_of_endless_scans_is_refused_without_being_decoded() -> None:
    with pytest.raises(UnusableContentError, match="more than 100 scans"):
        await check_picture(jpeg_of_scans(200, side=200))


async def test_a_picture_too_large_for_a_png_is_kept_as_a_jpeg() -> None:
    noise = Image.effect_noise((3000, 3000), 100)
    image = Image.merge("RGB", [noise, noise.rotate(90), noise.rotate(180)])
    target = io.BytesIO()
    image.save(target, format="JPEG", quality=90)
    picture = await normalise_picture(target.getvalue())
    assert picture.info.format == "jpeg"
    assert (picture.info.width, picture.info.height) == (3000, 3000)
    assert len(picture.content) < 20 * 2**20


async def test_a_picture_that_takes_too_much_time_ends_its_decoder_only() -> None:
    with pytest.raises(UnusableContentError, match="more than 1 s of computing"):
        await DECODERS.ask(
            jpeg_of_scans(88, side=2500), {"output": "facts", **LIMITS, "seconds": 1}
        )
    assert (await check_picture(draw(60, 40))).width == 60


async def test_a_picture_that_takes_too_much_memory_is_refused() -> None:
    with pytest.raises(UnusableContentError, match="more than 320 MB of memory"):
        await DECODERS.ask(make_png_bomb(6_320), {"output": "facts", **LIMITS, "memory": 320})
    assert (await check_picture(draw(60, 40))).width == 60


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "TIFF", "GIF"])
async def test_the_largest_picture_fits_into_the_memory(kind: str) -> None:
    image = Image.new("RGB", (8000, 5000))
    image.paste((200, 0, 0), (4000, 0, 8000, 5000))
    options = {"speed": 10} if kind == "AVIF" else {"method": 0} if kind == "WEBP" else {}
    content = encode(image, kind, **options)
    assert (await check_picture(content)).width == 8000


async def test_a_decoding_that_is_given_up_ends_its_process() -> None:
    slow = jpeg_of_scans(88)
    DECODERS.close_idle()
    before = set(psutil.Process().children())
    task = asyncio.create_task(normalise_picture(slow))
    while not (begun := set(psutil.Process().children()) - before):
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    _, alive = await asyncio.to_thread(psutil.wait_procs, begun, 60)
    assert alive == []


async def test_a_decoder_that_was_killed_while_idle_is_replaced() -> None:
    await check_picture(draw(60, 40))
    for process in psutil.Process().children():
        if "adspark.media.decoder" in process.cmdline():
            process.kill()
            process.wait()
    assert (await check_picture(draw(60, 40))).width == 60


async def test_a_decoder_has_none_of_the_secrets_of_its_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    DECODERS.close_idle()
    monkeypatch.setenv("ADSPARK_SERPAPI_KEY", "secret")
    await check_picture(draw(60, 40))
    (decoder,) = [
        one for one in psutil.Process().children() if "adspark.media.decoder" in one.cmdline()
    ]
    assert "secret" not in decoder.environ().values()
