"""What a command is called with: text, and nothing that no text can hold."""

import os
from collections.abc import Iterable
from contextlib import suppress

from adspark.errors import InvalidQueryError
from adspark.text.storable import UNSTORABLE

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
