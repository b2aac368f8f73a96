"""How close a variant is to its original."""

import io
import random
from collections.abc import Callable

import pytest
from PIL import Image, ImageDraw

from adspark.media.similarity import Similarity, compare_pictures, compare_texts, hash_picture


def scene(seed: int) -> Image.Image:
    """A picture with shapes of its own."""
    draws = random.Random(seed)
    image = Image.new("RGB", (600, 400), _colour(draws))
    pen = ImageDraw.Draw(image)
    for _ in range(25):
        left, top = draws.randrange(540), draws.randrange(340)
        box = (left, top, left + draws.randrange(30, 220), top + draws.randrange(30, 220))
        (pen.ellipse if draws.random() < 0.5 else pen.rectangle)(box, fill=_colour(draws))
    return image


def _colour(draws: random.Random) -> tuple[int, int, int]:
    return draws.randrange(256), draws.randrange(256), draws.randrange(256)


def encode(image: Image.Image, picture_format: str = "PNG", **options: int) -> bytes:
    target = io.BytesIO()
    image.save(target, format=picture_format, **options)
    return target.getvalue()


async def alike(one: bytes, other: bytes) -> float:
    """How alike two pictures are."""
    return compare_pictures(await hash_picture(one), await hash_picture(other))


def _with_a_badge(image: Image.Image) -> Image.Image:
    marked = image.copy()
    ImageDraw.Draw(marked).rectangle((560, 360, 599, 399), fill="white")
    return marked


def _cut_out(image: Image.Image) -> Image.Image:
    """Shapes on nothing, whose unseen pixels are black."""
    cut = image.convert("RGBA")
    clear = Image.new("L", cut.size, 255)
    ImageDraw.Draw(clear).rectangle((0, 0, 299, 399), fill=0)
    cut.putalpha(clear)
    return Image.composite(cut, Image.new("RGBA", cut.size, (0, 0, 0, 0)), clear)


def _on_white(image: Image.Image) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda image: encode(image), "the same"),
        (lambda image: encode(image.resize((300, 200))), "half the size"),
        (lambda image: encode(image.resize((1111, 741))), "enlarged"),
        (lambda image: encode(image, "JPEG", quality=30), "recompressed"),
        (lambda image: encode(image.resize((240, 160)), "WEBP", quality=40), "both"),
        (lambda image: encode(image.quantize(32), "GIF"), "few colours"),
        (lambda image: encode(image.point(lambda value: min(255, value + 12))), "brighter"),
    ],
)
async def test_the_same_picture_is_recognized(
    seed: int, change: Callable[[Image.Image], bytes], reason: str
) -> None:
    image = scene(seed)
    assert (await alike(encode(image), change(image))) > 0.9, reason


@pytest.mark.parametrize("seed", range(5))
async def test_a_picture_with_a_badge_is_still_much_like_it(seed: int) -> None:
    image = scene(seed)
    assert (await alike(encode(image), encode(_with_a_badge(image)))) > 0.75


@pytest.mark.parametrize("seed", range(10))
async def test_pictures_that_have_nothing_in_common_are_told_apart(seed: int) -> None:
    assert (await alike(encode(scene(seed)), encode(scene(seed + 100)))) < 0.5


async def test_a_plain_picture_is_like_another_plain_one_and_like_no_rich_one() -> None:
    plain = encode(Image.new("RGB", (300, 200), "navy"))
    assert (await alike(plain, encode(Image.new("RGB", (90, 90), "navy")))) == 1
    assert (await alike(plain, encode(scene(1)))) < 0.5


async def test_what_is_transparent_counts_as_white() -> None:
    cut = _cut_out(scene(3))
    assert (await alike(encode(cut), encode(_on_white(cut)))) > 0.9


async def test_pictures_of_every_mode_have_a_hash() -> None:
    image = scene(1).resize((80, 60))
    paletted = encode(image.quantize(16), "PNG", transparency=3)
    for content in [
        paletted,
        encode(image.convert("L")),
        encode(image.convert("LA")),
        encode(image.convert("1")),
        encode(image.convert("CMYK"), "JPEG"),
        encode(image.convert("I").convert("I;16")),
        encode(Image.new("RGB", (1, 1))),
    ]:
        made = await hash_picture(content)
        assert len(made) == 64
        assert int(made, 16) >= 0


async def test_a_large_picture_is_like_its_small_one() -> None:
    small, large = encode(scene(1)), encode(scene(1).resize((3000, 2000)), "JPEG")
    assert compare_pictures(await hash_picture(small), await hash_picture(large)) > 0.9


AD = "Run further in shoes that weigh nothing. Shop now!"


@pytest.mark.parametrize(
    ("original", "variant", "share", "reason"),
    [
        (AD, AD, 1.0, "the same"),
        (AD, "RUN FURTHER, in shoes that weigh: nothing... shop NOW", 1.0, "case, punctuation"),
        (AD, f"**New!** {AD} Free returns.", 1.0, "all of it, in more"),
        ("one two three four five", "one two three, and no more", 0.5, "half of its pairs"),
        (AD, "Swim faster with fins made of carbon.", 0.0, "nothing of it"),
        (AD, "now shop nothing weigh that shoes in further run", 0.0, "its words, turned round"),
        (AD, "Run!", 0.0, "a variant of one word"),
        ("Straße am Meer", "STRASSE AM MEER", 1.0, "letters of two cases"),
        ("夏の靴 が 軽い です", "夏の靴 が 軽い です", 1.0, "another script"),
        ("Shop now", "Shop now", None, "too short to say anything"),
        ("la la la la", "la la la la", None, "so is one pair, over and over"),
        ("... !!!", "... !!!", None, "no words"),
        (None, AD, None, "the original's words are not known"),
        (AD, None, None, "there is no copy"),
        ("", AD, None, "the original is empty"),
    ],
)
def test_words_are_compared_in_pairs(
    original: str | None, variant: str | None, share: float | None, reason: str
) -> None:
    assert compare_texts(original, variant) == share, reason


@pytest.mark.parametrize(
    ("picture", "text", "highest"),
    [(0.2, 0.9, 0.9), (0.95, None, 0.95), (None, 0.3, 0.3), (0.0, 0.0, 0.0), (None, None, None)],
)
def test_a_copied_picture_or_copied_words_are_enough(
    picture: float | None, text: float | None, highest: float | None
) -> None:
    assert Similarity(picture, text).highest == highest
