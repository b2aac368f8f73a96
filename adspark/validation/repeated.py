"""Parameters of addresses that are taken once."""

from collections.abc import Sequence

from adspark.errors import InvalidQueryError


def check_once(name: str, given: Sequence[str]) -> None:
    """Raise InvalidQueryError where a parameter that is taken once has several texts."""
    if len(given) > 1:
        raise InvalidQueryError(name, "is given more than once; leave one out.")
