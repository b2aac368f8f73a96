"""A board for whoever has a link to it: to look at, and nothing else, until the link expires."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from adspark.creatives.board_links import find_linked_board, has_linked_picture
from adspark.media.paths import is_thumbnail
from deployments.gallery.resources import GalleryDep, PagesDep
from deployments.gallery.routes.boards.content import read_board_ads
from deployments.gallery.routes.files import send_picture

router = APIRouter(prefix="/shared", include_in_schema=False)


@router.get("/{token}")
async def show_shared_board(pages: PagesDep, token: str) -> HTMLResponse:
    """The board that a link leads to; HTTPException (404) where it has expired or was ended."""
    board = await find_linked_board(pages.session, token=token)
    if board is None:
        raise HTTPException(404)
    ads = await read_board_ads(pages.session, board_id=board.board_id, user_id=None)
    media = f"/shared/{token}/media/"
    page = pages.page("shared_board.html", board=board, ads=ads, media=media)
    page.headers["X-Robots-Tag"] = "noindex, nofollow"
    return page


@router.get("/{token}/media/{path:path}")
async def send_shared_picture(gallery: GalleryDep, token: str, path: str) -> Response:
    """A picture of an ad on that board."""
    if not is_thumbnail(path):
        raise HTTPException(404)
    async with gallery.database.session() as session:
        is_on_board = await has_linked_picture(session, token=token, path=path)
    if not is_on_board:
        raise HTTPException(404)
    return await send_picture(gallery, path)
