"""Sign in and out, and on a machine of one's own the choice of the user."""

import hashlib
from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from adspark.db.rate_limits import release_slot, try_acquire_slot
from adspark.users.accounts import (
    SESSION_DAYS,
    account_key,
    begin_session,
    check_password,
    end_session,
)
from adspark.users.store import list_users, parse_number
from deployments.gallery.access.sign_in import SESSION_COOKIE
from deployments.gallery.access.visitor import USER_COOKIE, YEAR, VisitorDep
from deployments.gallery.forms import FormDep
from deployments.gallery.notices import lead_to, own_address
from deployments.gallery.resources import Gallery, GalleryDep, SessionDep

router = APIRouter(include_in_schema=False)

# Attempts in a quarter of an hour: for one name, and from one address.
_WINDOW = 900.0
_OF_NAME, _OF_ADDRESS = 10, 50
_BUCKETS = 1024  # over which names and addresses are spread, so that few rows count them


@router.get("/sign-in")
async def show_sign_in(request: Request, gallery: GalleryDep) -> HTMLResponse:
    """The form for name and password."""
    return _page(request, gallery, back=request.query_params.get("back", "/"))


@router.post("/sign-in")
async def sign_in(request: Request, gallery: GalleryDep, form: FormDep) -> Response:
    """Sign in, where name and password are right."""
    name, back = form.written("name").strip(), form.written("back") or "/"
    limits = _limits_of(request, name)
    if wait := await _wait_of(gallery, limits):
        return _page(request, gallery, back=back, name=name, minutes=int(wait // 60) + 1)
    async with gallery.database.session() as session:
        found = await check_password(session, name=name, password=form.written("password"))
        if found is None:
            return _page(request, gallery, back=back, name=name, is_wrong=True)
        token = await begin_session(session, user_id=found.user_id)
        for limit in limits:  # which counts wrong attempts only
            await release_slot(session, name=limit)
        await session.commit()
    response = lead_to(back)
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=SESSION_DAYS * 86_400,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


@router.post("/sign-out")
async def sign_out(request: Request, session: SessionDep, form: FormDep) -> Response:
    """End the session of this browser."""
    if token := request.cookies.get(SESSION_COOKIE):
        await end_session(session, token=token)
        await session.commit()
    response = lead_to("/sign-in")
    response.delete_cookie(SESSION_COOKIE)
    return response


@router.get("/user")
async def show_users(
    request: Request, gallery: GalleryDep, session: SessionDep, visitor: VisitorDep
) -> HTMLResponse:
    """The users whose boards, tags and notes can be looked at on a machine of one's own; where one
    has to sign in, who has."""
    users = [] if visitor.name else await list_users(session)
    return gallery.templates.page(request, "users.html", users=users)


@router.post("/user")
async def choose_user(visitor: VisitorDep, form: FormDep) -> Response:
    """Look at the pages as another user, where nobody has to sign in."""
    if visitor.name:
        return lead_to("/user")
    response = lead_to("/")
    number = parse_number(form.text("user"))
    response.set_cookie(USER_COOKIE, str(number or 1), max_age=YEAR, httponly=True, samesite="lax")
    return response


def _limits_of(request: Request, name: str) -> dict[str, int]:
    """Wrong attempts that are allowed, by the name of the limit that counts them."""
    address = request.client.host if request.client else ""
    of_all = (("name", account_key(name), _OF_NAME), ("address", address, _OF_ADDRESS))
    return {f"sign-in {kind} {_bucket(value)}": most for kind, value, most in of_all}


def _bucket(value: str) -> int:
    return int(hashlib.sha256(value.encode("utf-8", "replace")).hexdigest(), 16) % _BUCKETS


async def _wait_of(gallery: Gallery, limits: Mapping[str, int]) -> float:
    """Seconds until the next attempt may be made; 0 where this one may."""
    for name, most in limits.items():
        if wait := await try_acquire_slot(gallery.database, name=name, limit=most, window=_WINDOW):
            return wait
    return 0.0


def _page(
    request: Request,
    gallery: Gallery,
    *,
    back: str,
    name: str = "",
    is_wrong: bool = False,
    minutes: int = 0,
) -> HTMLResponse:
    status = 429 if minutes else 401 if is_wrong else 200
    return gallery.templates.page(
        request,
        "sign_in.html",
        status=status,
        back=own_address(back),
        name=name,
        is_wrong=is_wrong,
        minutes=minutes,
        is_ended="ended" in request.query_params,
    )
