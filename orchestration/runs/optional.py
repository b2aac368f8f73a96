"""Read from Prefect's server what may not be there."""

from collections.abc import Awaitable
from typing import TypeVar

from httpx import HTTPStatusError
from prefect.exceptions import ObjectNotFound

_Found = TypeVar("_Found")


async def read_optional(reading: Awaitable[_Found]) -> _Found | None:
    """What a client's call reads; None where Prefect's server has no such thing.

    Raises:
        ObjectNotFound: something before the server says so, as a proxy does while that is replaced.
    """
    try:
        return await reading
    except ObjectNotFound as error:
        if not is_from_prefect(error):
            raise
        return None


def is_from_prefect(error: ObjectNotFound) -> bool:
    """Whether Prefect's server itself has said that there is no such thing: by a JSON object."""
    refused = error.http_exc
    if not isinstance(refused, HTTPStatusError):
        return False
    kind = refused.response.headers.get("content-type", "")
    words = (b'"detail"', b'"exception_message"')  # of a route, and of what it has called
    return kind.startswith("application/json") and any(
        one in refused.response.content for one in words
    )
