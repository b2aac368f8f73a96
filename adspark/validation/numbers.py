"""Whole numbers as they are typed."""

_MOST_DIGITS = 40  # no bound is that far off, so that the beginning of a longer one is enough


def read_whole(written: str) -> int | None:
    """The whole number, or of one with very many digits one that is out of all bounds as well;
    None where it is none."""
    digits = written.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()):
        return None
    number = int(digits.lstrip("0")[:_MOST_DIGITS] or "0")
    return -number if digits != written else number
