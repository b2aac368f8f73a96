"""Names that people give, without invisible characters; and a key that like names share."""

import re
import unicodedata

from adspark.errors import InvalidQueryError
from adspark.text.lookalikes import CAPITALS, SMALL
from adspark.text.normalized import normalize
from adspark.text.quotes import in_quotes
from adspark.text.visible import FLAG, visible

# Letters and marks that are drawn as nothing, beside the format characters (category Cf).
_BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
_VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_NOT_ON_A_LINE = {"Cc", "Cs", "Zl", "Zp"}  # control, half characters, line and paragraph breaks
_LONGEST_NAME = 100  # characters
_ISOLATES = re.compile("[\u2068\u2069]")
_FLAG = re.compile(f"({FLAG})")


def clean_name(written: str) -> str:
    """The name in Unicode's composed form (NFC), without blanks and invisible characters around."""
    name = normalize("NFC", written)
    start, end = 0, len(name)
    while start < end and _is_invisible(name[start]):
        start += 1
    after_flags = max((flag.end() for flag in _FLAG.finditer(name)), default=0)
    while max(start, after_flags) < end and _is_invisible(name[end - 1]):
        end -= 1
    return name[start:end]


def check_name(written: str, thing: str) -> str:
    """The name as it is kept: without blanks and invisible characters around it.

    Raises:
        InvalidQueryError: it is empty, too long or holds control characters; `thing` says whose
            name it is.
    """
    check_line("name", written)
    name = clean_name(written)
    if not name:
        raise InvalidQueryError("name", f"is empty; name the {thing}.")
    if len(name) > _LONGEST_NAME:
        raise InvalidQueryError(
            "name", f"has {len(name)} characters; shorten it to {_LONGEST_NAME}."
        )
    return name


def check_new_name(written: str, thing: str) -> str:
    """The same of a name that is given now: nothing invisible may stand within it either. One that
    was stored before this was refused is still found by `check_name`.

    Raises:
        InvalidQueryError: as `check_name`, or it holds invisible characters.
    """
    name = check_name(written, thing)
    check_visible("name", name)
    return name


def check_line(field: str, written: str) -> None:
    """Raise InvalidQueryError where a text holds control characters, line breaks included."""
    for character in written.strip():
        if unicodedata.category(character) in _NOT_ON_A_LINE:
            raise InvalidQueryError(
                field, f"holds a control character ({character!a}); write it on one line without."
            )


def check_visible(field: str, written: str) -> None:
    """Raise InvalidQueryError where a text holds what is not seen, or turns what follows it."""
    if visible(written) != written or _ISOLATES.search(written):
        raise InvalidQueryError(
            field, f"holds invisible characters ({in_quotes(written[:40])}); write it without."
        )


def clean_value(written: str) -> str:
    """A value that is no name: without any invisible character, and with plain blanks."""
    value = normalize("NFC", written)
    seen = "".join(one for one in value if one.isspace() or not _is_invisible(one))
    return " ".join(seen.split())


def name_key(name: str) -> str:
    """The same key for names that differ in case, blanks and invisible characters only."""
    folded = normalize("NFKC", normalize("NFKC", name).casefold())
    parts = _FLAG.split(folded)  # every second one is a flag, which ends with what is not seen
    seen = "".join(part if place % 2 else _seen(part) for place, part in enumerate(parts))
    return _VARIATION_SELECTORS.sub("", seen)


def likeness_key(name: str) -> str:
    """The same key for names that look the same too, as with a Cyrillic letter among Latin ones."""
    return name_key(name.translate(CAPITALS).translate(SMALL))


def _seen(text: str) -> str:
    return "".join(one for one in text if not _is_invisible(one))


def _is_invisible(character: str) -> bool:
    is_format = unicodedata.category(character) == "Cf"
    return is_format or character.isspace() or character in _BLANKS
