"""How close a variant is to its original: perceptual hashes of pictures, shared words of copy.

The hash is pHash (http://www.hackerfactor.com/blog/?/archives/432-Looks-Like-It.html): which of a
picture's 16 × 16 lowest frequencies are above their median. It survives scaling, recompression and
small changes. Written out, for the known library of it brings SciPy along.
"""

import itertools
import math
import operator
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from adspark.media.images import SIDE, reduce_picture

_KEPT = 16  # frequencies each way
_BITS = _KEPT * _KEPT
_WAVES = [
    [math.cos(math.pi * wave * (2 * place + 1) / (2 * SIDE)) for place in range(SIDE)]
    for wave in range(_KEPT)
]
_WORD = re.compile(r"\w+")
_LEAST_WORDS = 3  # fewer say nothing about being copied


@dataclass(frozen=True)
class Similarity:
    """Shares from 0 (nothing in common) to 1 (the same); None where one side has none."""

    picture: float | None
    text: float | None

    @property
    def highest(self) -> float | None:
        """The share by which a variant is judged: a copied picture or copied words are enough."""
        known = [share for share in (self.picture, self.text) if share is not None]
        return max(known) if known else None


async def hash_picture(content: bytes) -> str:
    """The perceptual hash of a picture: 64 hexadecimal digits; raises as `images` does."""
    return hash_grey(await reduce_picture(content))


def hash_grey(pixels: bytes) -> str:
    """The perceptual hash of a picture's brightness in `SIDE` × `SIDE` pixels, a byte each."""
    rows = [_frequencies(pixels[at : at + SIDE]) for at in range(0, len(pixels), SIDE)]
    waves = [wave for column in zip(*rows, strict=True) for wave in _frequencies(column)]
    # Rounded, so that the errors of floating-point arithmetic in a plain picture decide no bit.
    rounded = [round(wave) for wave in waves[1:]]  # the first is the mean brightness
    middle = statistics.median(rounded)
    bits = sum(1 << place for place, wave in enumerate(rounded) if wave > middle)
    return f"{bits:0{_BITS // 4}x}"


def compare_pictures(one: str, other: str) -> float:
    """How alike two hashes are; pictures that have nothing in common differ in half their bits."""
    differing = (int(one, 16) ^ int(other, 16)).bit_count()
    return round(max(0.0, 1 - 2 * differing / _BITS), 3)


def compare_texts(original: str | None, variant: str | None) -> float | None:
    """The share of the original's pairs of words that the variant repeats."""
    if not original or not variant:
        return None
    pairs = _pairs(original)
    if len(pairs) < _LEAST_WORDS - 1:
        return None
    return round(len(pairs & _pairs(variant)) / len(pairs), 3)


def _frequencies(values: Sequence[float]) -> list[float]:
    """The lowest terms of the discrete cosine transform."""
    return [sum(map(operator.mul, wave, values)) for wave in _WAVES]


def _pairs(text: str) -> set[tuple[str, str]]:
    words = _WORD.findall(text.casefold())
    return set(itertools.pairwise(words))
