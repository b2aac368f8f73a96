"""Programs sign in with each request: name and password of the pages, by HTTP Basic."""

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from adspark.models import Role
from adspark.users.accounts import SignedIn
from deployments.gallery.access.passwords import TooManyAttemptsError, check_attempt, read_basic
from deployments.gallery.access.visitor import Visitor
from deployments.gallery.resources import Gallery

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="AdSpark", charset="UTF-8"'}


async def find_program(
    request: Request,
    gallery: Gallery,
    *,
    without: str = "Send name and password (HTTP Basic), or sign in at /sign-in.",
) -> SignedIn | Response:
    """Who a request is from; else the response to it, which says why nobody is let in.

    Args:
        request: of a program.
        gallery: with the database of accounts.
        without: what is said where it brings no name and password.
    """
    sent = read_basic(request)
    if sent is None:
        return _refuse(401, without)
    try:
        found = await check_attempt(request, gallery, name=sent[0], password=sent[1])
    except TooManyAttemptsError as error:
        detail = f"Too many wrong passwords; try again in {error.seconds} s."
        return _refuse(429, detail, {"Retry-After": str(error.seconds)})
    return found or _refuse(401, "Name or password is wrong.")


def visitor_of(found: SignedIn) -> Visitor:
    """What who has signed in may do: readers look, editors change and spend."""
    is_editor = found.role is Role.EDITOR
    return Visitor(found.user_id, found.name, may_change=is_editor, may_spend=is_editor)


def _refuse(status: int, detail: str, headers: dict[str, str] = _CHALLENGE) -> Response:
    return JSONResponse({"detail": detail, "field": None}, status, headers=headers)
