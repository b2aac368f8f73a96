"""What a command is called with: text, and nothing that no text can hold."""

from collections.abc import Iterable

from adspark.errors import InvalidQueryError
from adspark.text.storable import UNSTORABLE

_MOST_SHOWN = 60  # characters of an argument that is refused


def check_arguments(arguments: Iterable[str]) -> None:
    """Refuse what the shell gave in bytes that are not UTF-8, before anything begins.

    Raises:
        InvalidQueryError: an argument holds such bytes; the message shows it.
    """
    for place, argument in enumerate(arguments, 1):
        if UNSTORABLE.search(argument):
            raise InvalidQueryError(f"argument {place}", f"{show(argument)} is not UTF-8 text.")


def show(argument: str) -> str:
    """The beginning of an argument, with escapes in place of what no terminal shows."""
    return repr(argument[:_MOST_SHOWN]) + ("…" if argument[_MOST_SHOWN:] else "")
