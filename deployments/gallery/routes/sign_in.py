"""Sign in and out, and on a machine of one's own the choice of the user."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from adspark.users.accounts import SESSION_DAYS, begin_session, end_session
from adspark.users.store import list_users, parse_number
from deployments.gallery.access.passwords import TooManyAttemptsError, check_attempt
from deployments.gallery.access.sign_in import SESSION_COOKIE
from deployments.gallery.access.visitor import USER_COOKIE, YEAR, VisitorDep
from deployments.gallery.forms import FormDep
from deployments.gallery.notices import lead_to, own_address
from deployments.gallery.resources import Gallery, GalleryDep, SessionDep

router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
async def show_sign_in(request: Request, gallery: GalleryDep) -> HTMLResponse:
    """The form for name and password."""
    return _page(request, gallery, back=request.query_params.get("back", "/"))


@router.post("/sign-in")
async def sign_in(
    request: Request, gallery: GalleryDep, session: SessionDep, form: FormDep
) -> Response:
    """Sign in, where name and password are right."""
    name, back = form.written("name").strip(), form.written("back") or "/"
    try:
        found = await check_attempt(request, gallery, name=name, password=form.written("password"))
    except TooManyAttemptsError as error:
        return _page(request, gallery, back=back, name=name, minutes=error.minutes)
    if found is None:
        return _page(request, gallery, back=back, name=name, is_wrong=True)
    token = await begin_session(session, user_id=found.user_id)
    await session.commit()
    response = lead_to(back)
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=SESSION_DAYS * 86_400,
        httponly=True,
        samesite="lax",
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
