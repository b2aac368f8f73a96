"""Boards: the list of them, one with its ads, their order and notes, and links to it."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException

from adspark.creatives.board_links import LINK_DAYS, create_link, delete_link, list_links
from adspark.creatives.boards import (
    create_board,
    delete_board,
    list_boards,
    lock_board,
    move_ad,
    remove_ads,
    rename_board,
    write_board_note,
)
from adspark.errors import InvalidQueryError
from adspark.models import Board
from deployments.gallery.access.public_address import public_url
from deployments.gallery.access.visitor import ChangerDep, VisitorDep
from deployments.gallery.forms import Form, FormDep
from deployments.gallery.notices import lead_to
from deployments.gallery.resources import GalleryDep, SessionDep
from deployments.gallery.routes.boards.archive import send_archive
from deployments.gallery.routes.boards.content import read_board_ads

router = APIRouter(prefix="/boards", include_in_schema=False)


@router.get("")
async def show_boards(
    request: Request, gallery: GalleryDep, session: SessionDep, visitor: VisitorDep
) -> HTMLResponse:
    """The visitor's boards."""
    return await _boards_page(request, gallery, session, visitor.user_id)


@router.post("")
async def make_board(
    request: Request, gallery: GalleryDep, session: SessionDep, visitor: ChangerDep, form: FormDep
) -> Response:
    """Make an empty board."""
    name = form.text("name")
    try:
        kept = await create_board(session, user_id=visitor.user_id, name=name)
    except InvalidQueryError as error:
        problem = error.reason
        return await _boards_page(request, gallery, session, visitor.user_id, name, problem)
    await session.commit()
    return lead_to("/boards", "board_made", board=kept)


@router.get("/{board_id}")
async def show_board(
    request: Request, gallery: GalleryDep, session: SessionDep, visitor: VisitorDep, board_id: int
) -> HTMLResponse:
    """A board: its ads in their order, with notes."""
    board = await _find(session, visitor.user_id, board_id)
    return gallery.templates.page(
        request,
        "board.html",
        board=board,
        ads=await read_board_ads(session, board_id=board.id, user_id=visitor.user_id),
        links=await list_links(session, board_id=board.id),
        link_days=LINK_DAYS,
    )


@router.post("/{board_id}")
async def change_board(
    request: Request,
    gallery: GalleryDep,
    session: SessionDep,
    visitor: ChangerDep,
    board_id: int,
    form: FormDep,
) -> RedirectResponse:
    """What a button of the board's page asks for."""
    board = await _find(session, visitor.user_id, board_id)
    here = f"/boards/{board.id}"
    try:
        done = await _change(session, board, form, public_url(request, gallery))
    except InvalidQueryError as error:
        return lead_to(here, "refused", reason=error)
    await session.commit()
    return done


@router.get("/{board_id}/archive")
async def send_board(
    gallery: GalleryDep, session: SessionDep, visitor: VisitorDep, board_id: int
) -> Response:
    """The board as a ZIP file with a page that opens without a network."""
    board = await _find(session, visitor.user_id, board_id)
    ads = await read_board_ads(session, board_id=board.id, user_id=visitor.user_id)
    return await send_archive(gallery, board.name, ads)


async def _change(
    session: AsyncSession, board: Board, form: Form, address: str
) -> RedirectResponse:
    here = f"/boards/{board.id}"
    ad = form.text("ad")
    match form.text("do"):
        case "move":
            await move_ad(session, board_id=board.id, ad=ad, before=form.text("before") or None)
            return lead_to(here)
        case "note":
            await write_board_note(session, board_id=board.id, ad=ad, note=form.text("note"))
            return lead_to(here, "note_kept")
        case "remove":
            await remove_ads(session, board_id=board.id, ids=[ad])
            return lead_to(here, "off_board", ad=ad)
        case "rename":
            name = await rename_board(session, board_id=board.id, name=form.text("name"))
            return lead_to(here, "board_renamed", board=name)
        case "delete":
            await delete_board(session, board_id=board.id)
            return lead_to("/boards", "board_deleted", board=board.name)
        case "link":
            token = await create_link(session, board_id=board.id, days=_days(form))
            return lead_to(here, "link_made", link=f"{address}/shared/{token}")
        case "unlink":
            await delete_link(session, board_id=board.id, link_id=_number(form, "link"))
            return lead_to(here, "link_ended")
    raise HTTPException(400)


def _days(form: Form) -> int:
    days = _number(form, "days")
    LINK_DAYS.check("days", days)
    return days


def _number(form: Form, name: str) -> int:
    written = form.text(name)
    if not (written.isascii() and written.isdecimal() and len(written) < 10):
        raise InvalidQueryError(name, f"{written[:20]!r} is not a number.")
    return int(written)


async def _find(session: AsyncSession, user_id: int, board_id: int) -> Board:
    """The visitor's board, locked until the transaction's end; HTTPException (404) else."""
    if not 0 < board_id < 2**31:
        raise HTTPException(404)
    board = await lock_board(session, user_id=user_id, board_id=board_id)
    if board is None:
        raise HTTPException(404)
    return board


async def _boards_page(
    request: Request,
    gallery: GalleryDep,
    session: AsyncSession,
    user_id: int,
    name: str = "",
    problem: str = "",
) -> HTMLResponse:
    return gallery.templates.page(
        request,
        "boards.html",
        status=422 if problem else 200,
        boards=await list_boards(session, user_id=user_id),
        name=name,
        problem=problem,
    )
