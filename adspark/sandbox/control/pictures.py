"""Placeholder pictures: a PNG of an ad's size that says whose ad it stands for, and SANDBOX.

Where the ad's copy is on record, it is written on it, so that there are words to read.
"""

import colorsys
import hashlib
import io
from dataclasses import dataclass
from functools import lru_cache
from textwrap import wrap

from PIL import Image, ImageDraw

from adspark.sandbox.control.lettering import Colour, fit_text, pick_font, write_text
from adspark.sandbox.library.catalogue import AdCopy, Row

DEFAULT_SIZE = (380, 200)  # pixels, where the size was not recorded
LARGEST = 2000  # pixels of a side
_KEPT = 256  # pictures
_SMALLEST = 6  # pixels of text
_SMALL_MARK = 12  # pixels, beside words that are to be read
_WHITE = (255, 255, 255)
_INK = (32, 33, 36)
_GREY = (95, 99, 104)


@dataclass(frozen=True)
class Placard:
    """What a picture shows."""

    advertiser: str
    creative_id: str
    format: str
    width: int
    height: int
    copy: AdCopy | None


def draw_picture(row: Row, copy: AdCopy | None = None) -> bytes:
    """The PNG for a row, with the ad's copy where it is given."""
    width, height = (
        min(LARGEST, max(1, int(row.get(side, usual))))
        for side, usual in zip(("width", "height"), DEFAULT_SIZE, strict=True)
    )
    return _draw(
        Placard(
            str(row["advertiser"]),
            str(row["ad_creative_id"]),
            str(row["format"]),
            width,
            height,
            copy,
        )
    )


@lru_cache(maxsize=_KEPT)
def _draw(placard: Placard) -> bytes:
    width, height = placard.width, placard.height
    strong, pale = _colours(placard.advertiser)
    image = Image.new("RGB", (width, height), _WHITE)
    pen = ImageDraw.Draw(image)
    margin = max(4, min(width, height) // 16)
    band = max(16, min(44, height // 5))
    pen.rectangle((0, 0, width, band), fill=strong)
    mark = band * 3 // 5 if placard.copy is None else min(_SMALL_MARK, band * 3 // 5)
    _write(pen, "SANDBOX", (margin, band // 2), (width * 2 // 3, mark), _WHITE)
    foot = max(17, min(26, height // 8))
    _draw_stripes(image, (0, band, width, height - foot), pale)
    body = (margin, band, width - margin, height - foot)
    if placard.copy is None:
        _draw_name(pen, placard, body, strong)
    else:
        _draw_copy(pen, placard.copy, body, strong)
    pen.rectangle((0, height - foot, width, height), fill=pale)
    label = f"{placard.format} ad {placard.creative_id}"
    room = (width - 2 * margin, foot * 3 // 5)
    _write(pen, label, (margin, height - foot // 2), room, _GREY)
    pen.rectangle((0, 0, width - 1, height - 1), outline=strong, width=max(1, margin // 8))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _colours(name: str) -> tuple[Colour, Colour]:
    """A strong and a pale colour, the same for the same advertiser."""
    hue = hashlib.sha256(name.encode()).digest()[0] / 256
    return mix_colour(hue, 0.40, 0.55), mix_colour(hue, 0.95, 0.60)


def mix_colour(hue: float, lightness: float, saturation: float) -> Colour:
    """A colour of shares from 0 to 1.

    Args:
        hue: share of the circle of colours.
        lightness: 0 is black, 1 is white.
        saturation: 0 is grey.
    """
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _draw_stripes(image: Image.Image, box: tuple[int, int, int, int], colour: Colour) -> None:
    """Slanted stripes, so that nobody takes the picture for an ad."""
    left, top, right, bottom = box
    area = Image.new("RGB", (max(1, right - left), max(1, bottom - top)), _WHITE)
    pen = ImageDraw.Draw(area)
    for x in range(-area.height, area.width, 24):
        pen.line((x, area.height, x + area.height, 0), fill=colour, width=8)
    image.paste(area, (left, top))


def _draw_name(
    pen: ImageDraw.ImageDraw, placard: Placard, box: tuple[int, int, int, int], colour: Colour
) -> None:
    """The advertiser's name on as many lines as it takes, with a note below."""
    left, top, right, bottom = box
    name = " ".join(placard.advertiser.split())
    length = max(8, (right - left) // 11)
    lines = wrap(name, length, break_long_words=False, break_on_hyphens=False) or [""]
    height = (bottom - top) * 4 // 5 // (len(lines) + 1)
    line_height = max(9, min(34, height))
    y = top + (bottom - top - line_height * (len(lines) + 1)) // 2 + line_height // 2
    room = (right - left, line_height * 4 // 5)
    size = min(_fit(pen, line, room) for line in lines)
    for line in lines:
        _write(pen, line, (left, y), (room[0], size), _INK)
        y += line_height
    room = (right - left, min(14, line_height * 3 // 5))
    _write(pen, "placeholder, not the real ad", (left, y), room, colour)


def _draw_copy(
    pen: ImageDraw.ImageDraw, copy: AdCopy, box: tuple[int, int, int, int], colour: Colour
) -> None:
    """The headline above the body, and what to do at the end, each as large as there is room."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    for text, ink, largest, smallest, share in (
        (copy.headline, _INK, 30, 14, 0.36),
        (copy.body, _INK, 20, 11, 0.44),
        (copy.action, colour, 16, 11, 0.2),
    ):
        room = (width, round(height * share))
        written = text.replace("—", " - ")  # the font has none
        lettering = fit_text(written, room, largest=largest, smallest=smallest)
        write_text(pen, lettering, (left, top), ink)
        top += room[1]


def _write(
    pen: ImageDraw.ImageDraw,
    text: str,
    place: tuple[int, int],
    room: tuple[int, int],
    colour: Colour,
) -> None:
    """Text as large as it fits into `room` (width, height), its left middle at `place`."""
    pen.text(place, text, fill=colour, font=pick_font(_fit(pen, text, room)), anchor="lm")


def _fit(pen: ImageDraw.ImageDraw, text: str, room: tuple[int, int]) -> int:
    size = max(_SMALLEST, room[1])
    while size > _SMALLEST and pen.textlength(text, pick_font(size)) > room[0]:
        size -= 1
    return size
