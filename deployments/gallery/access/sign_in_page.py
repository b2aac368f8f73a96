"""The page on which one signs in."""

from http import HTTPStatus

from fastapi import Request
from fastapi.responses import HTMLResponse

from deployments.gallery.access.kept_form import KeptForm
from deployments.gallery.access.visitor import form_token
from deployments.gallery.notices import own_address
from deployments.gallery.resources import Gallery


def write_sign_in(
    request: Request,
    gallery: Gallery,
    *,
    back: str,
    name: str = "",
    kept: KeptForm | None = None,
    is_wrong: bool = False,
    minutes: int = 0,
) -> HTMLResponse:
    """The form for name and password.

    Args:
        request: for it, or for what nobody sees who has not signed in.
        gallery: with the templates.
        back: the address to which one comes then.
        name: as it was typed before.
        kept: what was typed into another form, and is shown again then.
        is_wrong: name or password was.
        minutes: until the next attempt may be made; 0: at once.
    """
    status = HTTPStatus.OK
    if minutes:
        status = HTTPStatus.TOO_MANY_REQUESTS
    elif is_wrong or request.url.path != "/sign-in":
        status = HTTPStatus.UNAUTHORIZED
    return gallery.templates.page(
        request,
        "sign_in.html",
        status=status,
        form_token=form_token(request, user_id=None),
        back=own_address(back),
        name=name,
        kept=kept.written() if kept else "",
        is_wrong=is_wrong,
        minutes=minutes,
        is_ended="ended" in request.query_params,
    )
