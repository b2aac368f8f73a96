"""Draws a variant as a finished display ad, with a small ribbon that says SANDBOX."""

import hashlib
import io
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw

from adspark.sandbox.control.lettering import Box, Colour, Lettering, fit_text, write_text
from adspark.sandbox.control.pictures import mix_colour
from adspark.sandbox.dify.content.copywriting import Copy

_KEPT = 256  # pictures
_WHITE = (255, 255, 255)
_WIDE = 2.2  # times wider than high: text beside the button, not above it
_SMALLEST = 7  # pixels of letters
_READABLE = 9  # pixels; rather the tagline than a body in smaller letters
_FINE = 4  # times larger that shapes are drawn, for smooth edges
_RIBBON = "SANDBOX"


@dataclass(frozen=True)
class Poster:
    """What a picture shows.

    Attributes:
        copy: whose tagline stands in for the body where that has no room.
        hue: of the background, from 0 to 1.
    """

    copy: Copy
    hue: float
    width: int
    height: int


def choose_hue(prompt: str, brand: str) -> float:
    """A colour's place on the wheel, the same for the same prompt and brand."""
    digest = hashlib.sha256(f"{prompt}\0{brand}".encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32


@lru_cache(maxsize=_KEPT)
def draw_poster(poster: Poster) -> bytes:
    """The PNG; the same poster gives the same bytes."""
    image = _draw_background(poster)
    ribbon = _draw_ribbon(image, poster)
    if poster.width > _WIDE * poster.height:
        _draw_wide(image, poster, ribbon)
    else:
        _draw_high(image, poster, ribbon)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _draw_background(poster: Poster) -> Image.Image:
    """A slanted gradient with two pale discs, dark enough for white letters."""
    size = (poster.width, poster.height)
    # A turned square has corners without gradient; what is left within it has none.
    slope = Image.linear_gradient("L").rotate(45, Image.Resampling.BICUBIC)
    mask = slope.crop((38, 38, 218, 218)).resize(size, Image.Resampling.BICUBIC)
    dark = mix_colour(poster.hue, 0.19, 0.60)
    light = mix_colour((poster.hue + 0.09) % 1, 0.36, 0.62)
    image = Image.composite(Image.new("RGB", size, light), Image.new("RGB", size, dark), mask)
    across = min(max(size) * 3 // 5, 2 * min(size))
    x, y = poster.width - across * 3 // 5, poster.height - across // 2
    _blend(image, Box(x, y, x + across, y + across), across // 2, _WHITE, 0.07)
    x, y, across = x - across // 4, y + across // 2, across // 2
    _blend(image, Box(x, y, x + across, y + across), across // 2, _WHITE, 0.07)
    return image


def _draw_ribbon(image: Image.Image, poster: Poster) -> Box:
    """In the upper right corner, with the variant's number where there is room for it."""
    size = max(_SMALLEST, min(20, min(image.size) // 18))
    room = (image.width * 2 // 3, size * 2)
    text = f"{_RIBBON}  {poster.copy.number}" if image.width >= size * 26 else _RIBBON
    lettering = fit_text(text, room, largest=size, smallest=5, most_lines=1)
    pad = max(3, size // 2)
    width, height = lettering.width + 2 * pad, lettering.height + max(2, pad // 2)
    box = Box(max(0, image.width - width), 0, image.width, min(height, image.height))
    pen = ImageDraw.Draw(image)
    pen.rectangle((box.left, box.top, box.right, box.bottom), fill=(255, 196, 0))
    top = (box.height - lettering.height) // 2
    write_text(pen, lettering, (box.left + pad, top), (40, 30, 0))
    return box


def _draw_wide(image: Image.Image, poster: Poster, ribbon: Box) -> None:
    """Words on the left, the button on the right below the ribbon."""
    margin = max(3, image.height // 8)
    right, foot = image.width - margin, image.height - margin // 2
    column = Box(right - max(ribbon.width, image.width // 3), ribbon.bottom, right, foot)
    height = min(column.height, max(14, min(column.height * 3 // 4, image.height // 3)))
    top = (column.top + column.bottom - height) // 2
    room = Box(column.left, top, column.right, top + height)
    button = _draw_button(image, poster, room, is_right=True)
    words = Box(margin * 3 // 2, margin // 2, min(button.left, ribbon.left) - margin, foot)
    _draw_words(image, poster, words)


def _draw_high(image: Image.Image, poster: Poster, ribbon: Box) -> None:
    """Words below the ribbon, the button at the foot."""
    margin = max(3, min(image.size) // 12)
    height = max(12, min(64, image.height // 7, image.width // 3))
    foot = image.height - margin
    button = Box(margin, foot - height, image.width - margin, foot)
    _draw_button(image, poster, button)
    top = ribbon.bottom + margin // 2
    _draw_words(image, poster, Box(margin, top, image.width - margin, button.top - margin // 2))


def _draw_words(image: Image.Image, poster: Poster, room: Box) -> None:
    """Headline and body, one below the other in the middle of their room."""
    gap = max(2, min(room.height // 14, 24))
    largest = max(_SMALLEST, min(84, room.height // 3, room.width // 6))
    headline = fit_text(
        poster.copy.headline,
        (room.width, room.height * 11 // 20),
        largest=max(largest, min(room.height // 2, 20)),
        smallest=_SMALLEST,
        most_lines=4,
        is_bold=True,
    )
    body = _fit_body(poster, (room.width, room.height - headline.height - 2 * gap), headline.size)
    height = headline.height + (body.height + 2 * gap if body.lines else 0)
    top = room.top + max(0, (room.height - height) // 2)
    pen = ImageDraw.Draw(image)
    write_text(pen, headline, (room.left, top), _WHITE)
    if not body.lines:
        return
    line = top + headline.height + gap
    if gap >= 4:
        accent = mix_colour((poster.hue + 0.5) % 1, 0.68, 0.85)
        length = min(room.width, max(24, room.width // 5))
        thick = max(2, gap // 5)
        pen.rectangle((room.left, line, room.left + length, line + thick - 1), fill=accent)
    write_text(pen, body, (room.left, line + gap), (236, 240, 245))


def _fit_body(poster: Poster, room: tuple[int, int], headline_size: int) -> Lettering:
    """The body if it can be read, else its tagline."""
    largest = max(_SMALLEST, min(headline_size * 2 // 3, 34))
    body = fit_text(poster.copy.body, room, largest=largest, smallest=_SMALLEST)
    if not body.is_cut and body.size >= _READABLE:
        return body
    return fit_text(poster.copy.tagline, room, largest=largest, smallest=_SMALLEST)


def _draw_button(image: Image.Image, poster: Poster, room: Box, *, is_right: bool = False) -> Box:
    """Rounded and just as wide as its words need, at the left or right of its room."""
    pad = max(4, room.height * 2 // 5)
    call = fit_text(
        poster.copy.call,
        (room.width - 2 * pad, room.height),
        largest=max(_SMALLEST, min(28, room.height * 11 // 20)),
        smallest=_SMALLEST,
        most_lines=1,
        is_bold=True,
    )
    width = min(room.width, call.width + 2 * pad)
    left = room.right - width if is_right else room.left
    button = Box(left, room.top, left + width, room.bottom)
    _blend(image, button, room.height // 2, _WHITE, 1.0)
    place = (left + (width - call.width) // 2, button.top + (button.height - call.height) // 2)
    write_text(ImageDraw.Draw(image), call, place, mix_colour(poster.hue, 0.26, 0.65))
    return button


def _blend(image: Image.Image, box: Box, radius: int, colour: Colour, opacity: float) -> None:
    """A rounded rectangle, or a disc, with smooth edges."""
    if not box.width or not box.height:
        return
    fine = 1 if max(box.width, box.height) > 1000 else _FINE
    mask = Image.new("L", (box.width * fine, box.height * fine))
    ImageDraw.Draw(mask).rounded_rectangle(
        (0, 0, mask.width - 1, mask.height - 1), radius * fine, fill=round(255 * opacity)
    )
    smooth = mask.resize((box.width, box.height), Image.Resampling.BOX)
    image.paste(colour, (box.left, box.top), smooth)
