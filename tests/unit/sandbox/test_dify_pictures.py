"""The pictures of the sandbox's variants."""

import io
from dataclasses import replace

import pytest
from PIL import Image

from adspark.sandbox.control.lettering import fit_text
from adspark.sandbox.dify.content.copywriting import Copy
from adspark.sandbox.dify.content.drawing import Poster, choose_hue, draw_poster

COPY = Copy(
    headline="Summer with lululemon",
    body="Lightweight, breathable running hats. Made for long, bright days.",
    tagline="Made for long, bright days.",
    call="Shop summer",
    idea="summer",
    number="C8FDEF",
)
POSTER = Poster(COPY, hue=0.6, width=380, height=200)
SIZES = [(380, 199), (380, 434), (300, 250), (300, 50), (728, 90), (160, 600), (2000, 2000)]
ODD_SIZES = [(16, 16), (16, 600), (600, 16), (50, 50), (88, 31)]


def draw(poster: Poster) -> Image.Image:
    return Image.open(io.BytesIO(draw_poster(poster)))


@pytest.mark.parametrize("size", [*SIZES, *ODD_SIZES])
def test_a_picture_has_the_size_asked_for_and_a_ribbon(size: tuple[int, int]) -> None:
    image = draw(replace(POSTER, width=size[0], height=size[1]))
    assert (image.format, image.size) == ("PNG", size)
    colours = {image.getpixel((x, 0)) for x in range(image.width)}
    assert (255, 196, 0) in colours, "the ribbon is in the upper right corner"
    assert (255, 255, 255) in {colour for _, colour in image.getcolors(2**24) or []}, (
        "the button is white"
    )


def test_the_same_poster_gives_the_same_bytes_and_another_one_others() -> None:
    first = draw_poster(POSTER)
    draw_poster.cache_clear()
    assert draw_poster(POSTER) == first
    others = [
        replace(POSTER, hue=0.1),
        replace(POSTER, copy=replace(COPY, number="000000")),
        replace(POSTER, copy=replace(COPY, body="Else.")),
    ]
    assert len({first, *map(draw_poster, others)}) == 4


def test_hues_differ_by_prompt_and_brand() -> None:
    hues = {choose_hue(prompt, brand) for prompt in "ab" for brand in ("x", "y")}
    assert len(hues) == 4
    assert all(0 <= hue < 1 for hue in hues)


@pytest.mark.parametrize(
    "words", ["", "漢字", "x" * 500, "many words " * 100, "® ™ 😀", "line\nbreak"]
)
def test_any_words_can_be_drawn(words: str) -> None:
    for width, height in ((300, 50), (160, 600), (16, 16)):
        copy = replace(COPY, headline=words, body=words, tagline=words, call=words)
        poster = replace(POSTER, copy=copy, width=width, height=height)
        assert draw(poster).size == (width, height)


@pytest.mark.parametrize("room", [(300, 40), (80, 200), (20, 20), (500, 500), (5, 5), (0, 0)])
@pytest.mark.parametrize("is_bold", [False, True])
def test_letters_stay_within_their_room(room: tuple[int, int], is_bold: bool) -> None:
    for text in ("Summer with lululemon", "Donaudampfschifffahrtsgesellschaft is one word"):
        lettering = fit_text(text, room, largest=60, smallest=7, is_bold=is_bold)
        if lettering.lines and room[0] > 10:
            assert lettering.width <= room[0]
        assert lettering.height <= room[1]
        if not lettering.is_cut:
            assert "".join(lettering.lines).replace(" ", "") == text.replace(" ", "")


def test_what_has_no_room_is_cut_with_an_ellipsis() -> None:
    lettering = fit_text("one two three four five six", (40, 20), largest=20, smallest=7)
    assert lettering.is_cut
    assert lettering.lines[-1].endswith("…")
