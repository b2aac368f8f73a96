"""Read from Prefect's server what may not be there."""

from collections.abc import Awaitable
from typing import TypeVar

from prefect.exceptions import ObjectNotFound

_Found = TypeVar("_Found")


async def read_optional(reading: Awaitable[_Found]) -> _Found | None:
    """What a client's call reads; None where the server has no such thing."""
    try:
        return await reading
    except ObjectNotFound:
        return None
