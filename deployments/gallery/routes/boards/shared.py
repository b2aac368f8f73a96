"""A board for whoever has a link to it: to look at, and nothing else, until the link expires."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from adspark.creatives.board_links import LinkedBoard, find_linked_board
from deployments.gallery.resources import GalleryDep, SessionDep
from deployments.gallery.routes.boards.content import read_board_ads
from deployments.gallery.routes.files import send_picture

router = APIRouter(prefix="/shared", include_in_schema=False)


@router.get("/{token}")
async def show_shared_board(
    request: Request, gallery: GalleryDep, session: SessionDep, token: str
) -> HTMLResponse:
    """The board that a link leads to."""
    board = await _find(session, token)
    ads = await read_board_ads(session, board_id=board.board_id, user_id=board.user_id)
    page = gallery.templates.page(
        request, "shared_board.html", board=board, ads=ads, media=f"/shared/{token}/media/"
    )
    page.headers["X-Robots-Tag"] = "noindex, nofollow"
    return page


@router.get("/{token}/media/{path:path}")
async def send_shared_picture(
    gallery: GalleryDep, session: SessionDep, token: str, path: str
) -> Response:
    """A picture of an ad on that board."""
    board = await _find(session, token)
    ads = await read_board_ads(session, board_id=board.board_id, user_id=board.user_id)
    if path not in {one.ad.thumbnail for one in ads}:
        raise HTTPException(404)
    return await send_picture(gallery, path)


async def _find(session: SessionDep, token: str) -> LinkedBoard:
    board = await find_linked_board(session, token=token)
    if board is None:
        raise HTTPException(404)
    return board
