"""What a command is called with: text, and nothing that no text can hold."""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress

from adspark.errors import InvalidQueryError
from adspark.text.storable import UNSTORABLE
from adspark.validation.stored import clean_ad_id, is_ad_id

_MOST_SHOWN = 60  # characters of an argument that is refused


def check_arguments(arguments: Iterable[str]) -> None:
    """Refuse what the shell gave in bytes that are not UTF-8, before anything begins.

    Raises:
        InvalidQueryError: an argument holds such bytes, which the message shows, or cannot be read
            in the locale's encoding.
    """
    for place, argument in enumerate(arguments, 1):
        if not UNSTORABLE.search(argument):
            continue
        wrong = f"{show(argument)} is not UTF-8 text."
        with suppress(UnicodeError):
            written = os.fsencode(argument).decode()
            wrong = f"{show(written)} cannot be read in this locale; set LC_ALL=C.UTF-8."
        raise InvalidQueryError(f"argument {place}", wrong)


def show(argument: str) -> str:
    """The beginning of an argument, with escapes in place of what no terminal shows."""
    return repr(argument[:_MOST_SHOWN]) + ("…" if argument[_MOST_SHOWN:] else "")


def check_ad_first(ad: str, text: str | None) -> None:
    """Refuse an ad and what is written on it in the wrong order.

    Raises:
        InvalidQueryError: only the text is the id of an ad.
    """
    if not is_ad_id(ad) and text is not None and is_ad_id(found := clean_ad_id(text)):
        raise InvalidQueryError("ad", f"{show(ad)} is not an ad, but {found} is; write it first.")


def check_name_first(field: str, name: str, ads: Sequence[str]) -> None:
    """Refuse the name of something and the ads that belong to it in the wrong order.

    Args:
        field: what is named.
        name: of it.
        ads: their ids.

    Raises:
        InvalidQueryError: only the name is the id of an ad.
    """
    if ads and not any(map(is_ad_id, ads)) and is_ad_id(found := clean_ad_id(name)):
        raise InvalidQueryError(
            field, f"{found} is an ad, and {show(ads[0])} is none; write the {field} first."
        )
