"""Keep what was typed into a form over the sign-in, where the session has ended meanwhile.

The page of the sign-in carries it in a hidden field, so that it is stored nowhere and stands in no
address. Once its writer has signed in again, their browser is led back to where the form was sent,
with the same content (307); there it is shown, and not carried out, however often it is sent so.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from deployments.gallery.access.visitor import TOKEN, is_form_token
from deployments.gallery.notices import own_address, page_before, path_of

KEPT = "kept"
"""Name of the hidden field."""

_LONGEST = 100_000  # characters of its content; of more, nothing is kept
# Browsers send none. By others of Python's a text may hold halves of characters, or take minutes.
_CHARSETS = (b"utf-8", b"utf8", b"us-ascii")
_MOST_OF_A_NAME = 5000  # a selection has one for each ad
_MOST_FIELDS = _MOST_OF_A_NAME + 100  # what a form has beside its ads


@dataclass(frozen=True)
class KeptForm:
    """What was sent, to which of our addresses, and the page on which the form stands."""

    address: str
    back: str
    fields: dict[str, list[str]]

    def written(self) -> str:
        """The content of the hidden field."""
        return json.dumps([self.address, self.back, self.fields])

    def is_of(self, request: Request, *, user_id: int) -> bool:
        """Whether the form was written for this browser while this user was signed in."""
        return is_form_token(request, self.fields.get(TOKEN, [""])[-1], user_id=user_id)


async def read_fields(request: Request) -> dict[str, list[str]]:
    """The fields of the form of a request, each with its texts in order.

    Raises:
        HTTPException: it is no form, or not in UTF-8 (400), or too large (413).
    """
    _, options = parse_options_header(request.headers.get("content-type"))
    if options.get(b"charset", b"utf-8").lower() not in _CHARSETS:
        raise HTTPException(HTTPStatus.BAD_REQUEST)
    try:
        form = await request.form(max_files=0, max_fields=_MOST_FIELDS)
    except HTTPException as error:
        if error.detail.startswith("Too many fields"):
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE) from error
        raise
    fields: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            raise HTTPException(HTTPStatus.BAD_REQUEST)
        fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    if any(len(values) > _MOST_OF_A_NAME for values in fields.values()):
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return fields


async def keep_form(request: Request) -> KeptForm | None:
    """The form of a request that nobody has signed in for; None where it cannot be kept."""
    try:
        fields = await read_fields(request)
    except HTTPException:
        return None
    before = read_kept(fields)  # it was kept before, and the session has ended again
    kept = before or KeptForm(path_of(request.url), page_before(request) or "/", fields)
    is_kept = TOKEN in kept.fields and len(kept.written()) <= _LONGEST
    return kept if is_kept else None


def read_kept(fields: dict[str, list[str]]) -> KeptForm | None:
    """The form that the page of the sign-in carried; None where it carried none."""
    written = (fields.get(KEPT) or [""])[-1]
    if not written or len(written) > _LONGEST:
        return None
    try:
        address, back, kept = json.loads(written)
        are_texts = all(isinstance(one, str) for values in kept.values() for one in values)
        if not (are_texts and isinstance(address, str) and isinstance(back, str)):
            return None
        return KeptForm(own_address(address), own_address(back), {k: list(kept[k]) for k in kept})
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
