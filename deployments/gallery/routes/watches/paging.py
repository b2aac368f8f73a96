"""Pages that are numbered in the address."""

import re
from dataclasses import dataclass

from fastapi import Request
from starlette.exceptions import HTTPException

from adspark.errors import InvalidQueryError


@dataclass(frozen=True)
class Place:
    """A page by its number, from 1 on, of `size` things."""

    number: int
    size: int

    @property
    def offset(self) -> int:
        """How many things stand on the pages before."""
        return (self.number - 1) * self.size

    def is_last(self, total: int) -> bool:
        """Whether no page of so many things comes after it."""
        return self.offset + self.size >= total


def read_place(request: Request, size: int) -> Place:
    """The page that the address names, else the first.

    Raises:
        HTTPException: it is no number (404).
        InvalidQueryError: it is named as on pages that are not numbered.
    """
    if "after" in request.query_params:
        raise InvalidQueryError("after", "is no parameter here; pages are numbered, as page=2.")
    written = request.query_params.get("page", "1")
    if not re.fullmatch("[1-9][0-9]{0,5}", written):
        raise HTTPException(404)
    return Place(int(written), size)
