"""Forms: their token, their size, and their fields as text."""

import re
from collections.abc import Mapping
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, Request

from adspark.errors import InvalidQueryError
from adspark.validation.stored import check_storable
from deployments.gallery.access.kept_form import KeptForm, read_fields, read_kept
from deployments.gallery.access.visitor import (
    TOKEN,
    changer,
    is_form_token,
    is_of_browser,
    read_visitor,
    spender,
)
from deployments.gallery.resources import Gallery

KEY = "key"
_LONGEST = 100_000  # characters of a field


class OutdatedFormError(Exception):
    """The form was not written for this browser, or too long ago."""


class OtherUsersFormError(OutdatedFormError):
    """The form was written for this browser while another user was chosen, or signed in."""


class KeptFormError(Exception):
    """The form was kept over a sign-in, and holds nothing that would be shown again.

    Args:
        back: the page on which it stands.
    """

    def __init__(self, back: str) -> None:
        super().__init__(back)
        self.back = back


class Form:
    """The fields of a form, each once or several times.

    Args:
        fields: name and text of each, in order.
        not_sent: why it is only shown, as it was kept over a sign-in; None: it is to be carried
            out.
    """

    def __init__(self, fields: Mapping[str, list[str]], *, not_sent: str | None = None) -> None:
        self._fields = fields
        self.not_sent = not_sent

    def text(self, name: str) -> str:
        """The text of a field without blanks around it; empty where the form lacks it.

        Raises:
            InvalidQueryError: it is too long, or holds what no database can; always of a form that
                is only shown.
        """
        values = self.texts(name)
        return values[-1] if values else ""

    def texts(self, name: str) -> list[str]:
        """All texts of a field; those that are empty are left out. Raises as `text` does."""
        if self.not_sent is not None:
            raise InvalidQueryError(name, self.not_sent)
        values = [value.strip() for value in self._fields.get(name, [])]
        for value in values:
            check_storable(name, value)
            if len(value) > _LONGEST:
                raise InvalidQueryError(name, f"more than {_LONGEST:,} characters; shorten it.")
        return [value for value in values if value]

    def opened(self) -> "Form":
        """One that is only shown, to be read for that."""
        return Form(self._fields)

    def written(self, name: str) -> str:
        """A field as it was typed, to be shown again; unchecked, without what no page can show."""
        return (self._fields.get(name) or [""])[-1].replace("\0", "")

    def all_written(self, name: str) -> list[str]:
        """All texts of a field, as `written` gives one."""
        return [one.replace("\0", "") for one in self._fields.get(name, [])]

    def __contains__(self, name: str) -> bool:
        """Whether the form has the field, as a ticked box or the button that sent it."""
        return name in self._fields


def read_key(form: Form) -> str:
    """The key of a form, another one each time that its page is loaded; a new one if it has none.

    What is sent twice has the same, so that a double click does a thing once.
    """
    written = form.written(KEY)
    return written if re.fullmatch("[0-9a-f]{32}", written) else uuid4().hex


async def _read_form(request: Request) -> Form:
    """The form of a request.

    Raises:
        OutdatedFormError: its token is not this browser's, or not this visitor's.
        KeptFormError: it was kept over a sign-in.
        HTTPException: it is no form (400), or too large (413).
    """
    form, kept = await _read_any(request)
    if kept is not None:
        raise KeptFormError(kept.back)
    return form


async def _read_typed_form(request: Request) -> Form:
    """The form of a request, one that was kept over a sign-in too; raises as `_read_form`.

    It stays in the request's state: where it fails, the page that says so shows what was typed.
    """
    try:
        form, _ = await _read_any(request)
    except OtherUsersFormError:
        if not request.app.state.needs_sign_in:  # else it is for its writer's eyes only
            request.state.form = Form(await read_fields(request))
        raise
    request.state.form = form
    return form


async def _read_any(request: Request) -> tuple[Form, KeptForm | None]:
    fields = await read_fields(request)
    kept = read_kept(fields)
    if kept is None:
        return _check_token(request, fields), None
    gallery: Gallery = request.app.state.gallery
    not_sent = gallery.templates.texts("sign_in.not_sent")
    return _check_token(request, kept.fields, not_sent=not_sent), kept


async def _read_nobodys_form(request: Request) -> Form:
    """A form by which a user is chosen or signs in, whoever they were before. It may carry one that
    was kept. Raises as `_read_form`."""
    fields = await read_fields(request)
    if not is_form_token(request, _token(fields), user_id=None):
        raise OutdatedFormError
    return Form(fields)


def _check_token(
    request: Request, fields: Mapping[str, list[str]], *, not_sent: str | None = None
) -> Form:
    """The form of these fields. Raises OutdatedFormError where it was not written for this visitor
    in this browser."""
    token = _token(fields)
    if not is_form_token(request, token, user_id=read_visitor(request).user_id):
        raise OtherUsersFormError if is_of_browser(request, token) else OutdatedFormError
    return Form(fields, not_sent=not_sent)


def _token(fields: Mapping[str, list[str]]) -> str:
    return (fields.get(TOKEN) or [""])[-1]


FormDep = Annotated[Form, Depends(_read_form)]
"""A form of buttons: what was kept of one over a sign-in is not carried out."""

CHANGES = [Depends(changer), Depends(_read_form)]
"""Of a route whose form is a button alone, for those who may change something."""

SPENDS = [Depends(spender), Depends(_read_form)]
"""The same for those who may spend searches and generations."""

TypedFormDep = Annotated[Form, Depends(_read_typed_form)]
"""A form into which something is typed. One that was kept over a sign-in is shown again: every
`text` of it raises InvalidQueryError."""

NobodysFormDep = Annotated[Form, Depends(_read_nobodys_form)]
"""The form of the sign-in, or of the choice of a user."""
