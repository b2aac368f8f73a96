"""The boards of the user for programs."""

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from adspark.creatives.boards import BoardAd, BoardRow, list_boards, read_ads
from deployments.gallery.access.visitor import VisitorDep
from deployments.gallery.numbers import Number
from deployments.gallery.resources import SessionDep

router = APIRouter(tags=["boards"])


class BoardContents(BaseModel):
    """A board with its ads."""

    board: BoardRow
    ads: list[BoardAd] = Field(description="The latest added first.")


@router.get("/boards")
async def list_own(session: SessionDep, visitor: VisitorDep) -> list[BoardRow]:
    """The user's boards, by name."""
    return await list_boards(session, user_id=visitor.user_id)


@router.get("/boards/{board_id}")
async def read_one(session: SessionDep, visitor: VisitorDep, board_id: Number) -> BoardContents:
    """One of the user's boards with all its ads."""
    own = await list_boards(session, user_id=visitor.user_id)
    board = next((one for one in own if one.id == board_id), None)
    if board is None:
        raise HTTPException(404, f"The user has no board {board_id}.")
    return BoardContents(board=board, ads=await read_ads(session, board_id=board_id))
