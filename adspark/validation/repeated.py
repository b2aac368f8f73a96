"""Parameters of addresses that are taken once, or several times."""

from collections.abc import Iterable, Sequence

from adspark.errors import InvalidQueryError


def check_once(name: str, given: Sequence[str]) -> None:
    """Raise InvalidQueryError where a parameter that is taken once has several texts."""
    if len(given) > 1:
        raise InvalidQueryError(name, "is given more than once; leave one out.")


def group_by_name(items: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The texts of each name, in order; Starlette's `getlist` looks at all of them for each."""
    grouped: dict[str, list[str]] = {}
    for name, text in items:
        grouped.setdefault(name, []).append(text)
    return grouped
