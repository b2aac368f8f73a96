"""Fits text into boxes: as large as it goes, wrapped, and cut with an ellipsis at the worst."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from PIL import ImageDraw, ImageFont

_LEADING = 1.22  # height of a line over the size of its letters
_NO_CHARACTER = "\U0010ffff"  # no font has it
_ELLIPSIS = "…"
_LONGEST = 300  # characters of a text; nobody reads more on an ad
_BOLD_FROM = 22  # pixels; the font has no bold, and smaller letters with a stroke run together

Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@lru_cache(maxsize=64)
def pick_font(size: int) -> Font:
    """The one font there is, at a size in pixels."""
    return ImageFont.load_default(size)


@dataclass(frozen=True)
class Box:
    """A place on a picture, in pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return max(0, self.right - self.left)

    @property
    def height(self) -> int:
        return max(0, self.bottom - self.top)


@dataclass(frozen=True)
class Lettering:
    """Text as it will be written; no lines at all where nothing fits."""

    lines: tuple[str, ...]
    size: int
    is_bold: bool
    is_cut: bool = False

    @property
    def height(self) -> int:
        return len(self.lines) * _line_height(self.size)

    @property
    def width(self) -> int:
        return max((_measure(line, self.size, self.is_bold) for line in self.lines), default=0)


def fit_text(
    text: str,
    room: tuple[int, int],
    *,
    largest: int,
    smallest: int,
    most_lines: int = 12,
    is_bold: bool = False,
) -> Lettering:
    """The largest letters with which a text fits into `room` (width, height).

    Args:
        text: of any length; what does not fit in the smallest letters is cut.
        room: width and height, in pixels.
        largest: size of letters, in pixels.
        smallest: size of letters, in pixels.
        most_lines: how many at most.
        is_bold: whether in bold letters.
    """
    shown = "".join(one for one in text[:_LONGEST] if one.isspace() or _is_drawable(one))
    words = shown.strip(" :,").split()
    width, height = room
    for size in range(max(largest, smallest), smallest - 1, -1):
        if any(_measure(word, size, is_bold) > width for word in words):
            continue
        lines = list(_wrap(words, width, size, is_bold))
        if len(lines) <= _count_lines(height, size, most_lines):
            return Lettering(tuple(lines), size, is_bold)
    lines = list(_wrap(words, width, smallest, is_bold))
    count = _count_lines(height, smallest, most_lines)
    if len(lines) <= count:
        return Lettering(tuple(lines), smallest, is_bold)
    kept = lines[:count]
    if kept:
        kept[-1] = _cut(kept[-1], width, smallest, is_bold)
    return Lettering(tuple(kept), smallest, is_bold, is_cut=True)


def write_text(
    pen: ImageDraw.ImageDraw, lettering: Lettering, place: tuple[int, int], colour: Colour
) -> None:
    """Write it with its top left corner at `place`.

    Args:
        pen: of the picture.
        lettering: as `fit_text` gave it.
        place: from the left and from the top, in pixels.
        colour: red, green, blue.
    """
    x, y = place
    step = _line_height(lettering.size)
    stroke = _stroke(lettering.size, lettering.is_bold)
    font = pick_font(lettering.size)
    for line in lettering.lines:
        middle = (x + stroke, y + step // 2)
        pen.text(middle, line, fill=colour, font=font, anchor="lm", stroke_width=stroke)
        y += step


def _wrap(words: list[str], width: int, size: int, is_bold: bool) -> Iterator[str]:
    """Lines of words; a word that is wider than a line goes over several."""
    line = ""
    for word in words:
        longer = f"{line} {word}".strip()
        if _measure(longer, size, is_bold) <= width:
            line = longer
            continue
        if line:
            yield line
        line = word
        while len(line) > 1 and _measure(line, size, is_bold) > width:
            end = 1
            while _measure(line[: end + 1], size, is_bold) <= width:
                end += 1
            yield line[:end]
            line = line[end:]
    if line:
        yield line


def _cut(line: str, width: int, size: int, is_bold: bool) -> str:
    while line and _measure(f"{line}{_ELLIPSIS}", size, is_bold) > width:
        line = line[:-1].rstrip(" ,;:.")
    return f"{line}{_ELLIPSIS}"


def _count_lines(height: int, size: int, most: int) -> int:
    return min(most, height // _line_height(size))


def _line_height(size: int) -> int:
    return round(size * _LEADING)


def _stroke(size: int, is_bold: bool) -> int:
    return max(1, size // 40) if is_bold and size >= _BOLD_FROM else 0


def _measure(text: str, size: int, is_bold: bool) -> int:
    return round(pick_font(size).getlength(text) + 0.5) + 2 * _stroke(size, is_bold)


@lru_cache(maxsize=4096)
def _is_drawable(character: str) -> bool:
    """Whether the font has it, and does not show a box in its stead."""
    font = pick_font(20)
    return bytes(font.getmask(character)) != bytes(font.getmask(_NO_CHARACTER))
