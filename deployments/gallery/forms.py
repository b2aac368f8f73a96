"""Forms: their token, their size, and their fields as text."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from adspark.errors import InvalidQueryError
from adspark.validation.stored import check_storable
from deployments.gallery.access.visitor import is_form_token

TOKEN = "form_token"  # noqa: S105  (the name of the field)
_MOST_FIELDS = 5000  # a selection has one for each ad
_LONGEST = 100_000  # characters of a field


class OutdatedFormError(Exception):
    """The form was not written for this browser, or too long ago."""


class Form:
    """The fields of a form, each once or several times.

    Args:
        fields: name and text of each, in order.
    """

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        self._fields = fields

    def text(self, name: str) -> str:
        """The text of a field without blanks around it; empty where the form lacks it.

        Raises:
            InvalidQueryError: it is too long, or holds what no database can.
        """
        values = self.texts(name)
        return values[-1] if values else ""

    def texts(self, name: str) -> list[str]:
        """All texts of a field; those that are empty are left out."""
        values = [value.strip() for value in self._fields.get(name, [])]
        for value in values:
            check_storable(name, value)
            if len(value) > _LONGEST:
                raise InvalidQueryError(name, f"more than {_LONGEST:,} characters; shorten it.")
        return [value for value in values if value]

    def written(self, name: str) -> str:
        """A field as it was typed, to be shown again; unchecked."""
        return (self._fields.get(name) or [""])[-1]

    def __contains__(self, name: str) -> bool:
        """Whether the form has the field, as a ticked box or the button that sent it."""
        return name in self._fields


async def _read_form(request: Request) -> Form:
    """The form of a request.

    Raises:
        OutdatedFormError: its token is not this browser's.
        HTTPException: it is no form (400), or too large (413).
    """
    try:
        form: FormData = await request.form(max_files=0, max_fields=_MOST_FIELDS)
    except HTTPException as error:
        if error.detail.startswith("Too many fields"):
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE) from error
        raise
    fields: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            raise HTTPException(400)
        fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    if not is_form_token(request, (fields.get(TOKEN) or [""])[-1]):
        raise OutdatedFormError
    return Form(fields)


FormDep = Annotated[Form, Depends(_read_form)]
