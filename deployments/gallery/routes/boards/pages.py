"""Boards: the list of them, one with its ads, and the same as a file."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from adspark.creatives.boards import find_or_create_board, list_boards, read_board
from adspark.errors import InvalidQueryError
from deployments.gallery.access.visitor import ChangerDep, VisitorDep
from deployments.gallery.failures import NotThereError
from deployments.gallery.forms import TypedFormDep
from deployments.gallery.notices import lead_to
from deployments.gallery.numbers import Number
from deployments.gallery.resources import GalleryDep, PagesDep, VisitorPages
from deployments.gallery.routes.boards.archive import send_archive
from deployments.gallery.routes.boards.content import read_board_ads
from deployments.gallery.routes.boards.view import BoardPagesDep

router = APIRouter(prefix="/boards", include_in_schema=False)


@router.get("")
async def show_boards(pages: PagesDep) -> HTMLResponse:
    """The visitor's boards."""
    return await _boards_page(pages)


@router.post("")
async def make_board(pages: PagesDep, _: ChangerDep, form: TypedFormDep) -> Response:
    """Make an empty board, and lead to it; also to one that is there already, as after a second
    click on the button."""
    try:
        board, is_new = await find_or_create_board(
            pages.session, user_id=pages.visitor.user_id, name=form.text("name")
        )
    except InvalidQueryError as error:
        await pages.session.rollback()
        return await _boards_page(pages, form.written("name"), error.sentence)
    done = lead_to(
        f"/boards/{board.id}", "board_made" if is_new else "board_there", board=board.name
    )
    await pages.session.commit()
    return done


@router.get("/{board_id}")
async def show_board(pages: BoardPagesDep, board_id: Number) -> HTMLResponse:
    """A board: its ads in their order, with notes."""
    return await pages.show(board_id)


@router.get("/{board_id}/archive")
async def send_board(gallery: GalleryDep, visitor: VisitorDep, board_id: Number) -> Response:
    """The board as a ZIP file with a page that opens without a network."""
    async with gallery.database.session() as session:
        board = await read_board(session, user_id=visitor.user_id, board_id=board_id)
        if board is None:
            raise NotThereError("no_board", "/boards")
        ads = await read_board_ads(session, board_id=board.id, user_id=None)
        name = board.name
    return await send_archive(gallery, name, ads)


async def _boards_page(pages: VisitorPages, name: str = "", problem: str = "") -> HTMLResponse:
    return pages.page(
        "boards.html",
        status=422 if problem else 200,
        boards=await list_boards(pages.session, user_id=pages.visitor.user_id),
        name=name,
        problem=problem,
    )
