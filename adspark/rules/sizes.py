"""Sizes of pictures as rules write them: pixels (`1200x628`), or a ratio (`1.91:1`)."""

import re

_SIZE = re.compile(r"([1-9][0-9]{0,4})\s*[x×]\s*([1-9][0-9]{0,4})")
_RATIO = re.compile(r"([1-9][0-9]{0,3}(?:\.[0-9]{1,3})?)\s*:\s*([1-9][0-9]{0,3}(?:\.[0-9]{1,3})?)")
_ABOUT = 0.01  # share by which a ratio may be missed, as by pixels that are whole


def clean_size(written: str) -> str | None:
    """The size without blanks, as `1200x628`; None where it is none."""
    if _SIZE.fullmatch(written) or _RATIO.fullmatch(written):
        return re.sub(r"\s", "", written).replace("×", "x")
    return None


def judge_size(size: str, width: int, height: int) -> bool:
    """Whether a picture has this size.

    Args:
        size: of `clean_size`.
        width: of the picture in pixels.
        height: of the picture in pixels.
    """
    if found := _SIZE.fullmatch(size):
        return (int(found[1]), int(found[2])) == (width, height)
    across, _, down = size.partition(":")
    wanted = float(across) / float(down)
    return abs(width / height - wanted) <= _ABOUT * wanted
