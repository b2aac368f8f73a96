"""Sign in and out, and on a machine of one's own the choice of the user."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.users.accounts import SESSION_DAYS, begin_session, end_session
from adspark.users.store import list_users, parse_number
from deployments.gallery.access.kept_form import KEPT, KeptForm, read_kept
from deployments.gallery.access.passwords import TooManyAttemptsError, check_attempt
from deployments.gallery.access.sign_in import SESSION_COOKIE
from deployments.gallery.access.sign_in_page import write_sign_in
from deployments.gallery.access.visitor import USER_COOKIE, YEAR, VisitorDep, form_token
from deployments.gallery.forms import FormDep, NobodysFormDep
from deployments.gallery.notices import lead_to, send_again_to
from deployments.gallery.resources import GalleryDep, SessionDep

router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
async def show_sign_in(request: Request, gallery: GalleryDep) -> HTMLResponse:
    """The form for name and password."""
    return write_sign_in(request, gallery, back=request.query_params.get("back", "/"))


@router.post("/sign-in")
async def sign_in(
    request: Request, gallery: GalleryDep, session: SessionDep, form: NobodysFormDep
) -> Response:
    """Sign in, where name and password are right; then show what was typed before."""
    name, back = form.written("name").strip(), form.written("back") or "/"
    kept = read_kept({KEPT: form.all_written(KEPT)})
    try:
        found = await check_attempt(request, gallery, name=name, password=form.written("password"))
    except TooManyAttemptsError as error:
        page = write_sign_in(
            request, gallery, back=back, name=name, kept=kept, minutes=error.minutes
        )
        page.headers["Retry-After"] = str(error.seconds)
        return page
    if found is None:
        return write_sign_in(request, gallery, back=back, name=name, kept=kept, is_wrong=True)
    await _end_session(request, session)
    token = await begin_session(session, user_id=found.user_id)
    await session.commit()
    response = _lead_on(request, back, kept, found.user_id)
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
    """End the session of this browser, which forgets the pages that it would show on going back."""
    await _end_session(request, session)
    await session.commit()
    response = lead_to("/sign-in")
    response.delete_cookie(SESSION_COOKIE)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@router.get("/user")
async def show_users(
    request: Request, gallery: GalleryDep, session: SessionDep, visitor: VisitorDep
) -> HTMLResponse:
    """The users whose boards, tags and notes can be looked at on a machine of one's own; where one
    has to sign in, who has."""
    users = [] if visitor.name else await list_users(session)
    return gallery.templates.page(
        request, "users.html", users=users, choice_token=form_token(request, user_id=None)
    )


@router.post("/user")
async def choose_user(visitor: VisitorDep, form: NobodysFormDep) -> Response:
    """Look at the pages as another user, where nobody has to sign in."""
    if visitor.name:
        return lead_to("/user")
    response = lead_to("/")
    number = parse_number(form.text("user"))
    response.set_cookie(USER_COOKIE, str(number or 1), max_age=YEAR, httponly=True, samesite="lax")
    return response


async def _end_session(request: Request, session: AsyncSession) -> None:
    if token := request.cookies.get(SESSION_COOKIE):
        await end_session(session, token=token)


def _lead_on(request: Request, back: str, kept: KeptForm | None, user_id: int) -> RedirectResponse:
    """To the page that was asked for, or to the form that was typed before, if by the same user."""
    if kept is None:
        return lead_to(back)
    if not kept.is_of(request, user_id=user_id):
        return lead_to(back, "form_not_kept")
    return send_again_to(kept.address)  # where the form is shown
