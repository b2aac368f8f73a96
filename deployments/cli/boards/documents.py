"""What `adspark board` prints with `--json`."""

from datetime import datetime

from pydantic import Field

from adspark.creatives.boards import BoardAd, BoardRow
from deployments.terminal.documents import Document


class BoardList(Document, shape="board-list/1", commands=("board list",)):
    """A user's boards."""

    boards: list[BoardRow]


class BoardReport(Document, shape="board/1", commands=("board show",)):
    """A board with its ads, in its order."""

    id: int
    user_id: int
    name: str
    created_at: datetime
    ads: list[BoardAd]


class BoardCreated(Document, shape="board-created/1", commands=("board create",)):
    """A board that was made."""

    name: str
    user_id: int


class BoardChanged(Document, shape="board-changed/1", commands=("board add", "board remove")):
    """A board to which ads were added, or from which they were removed."""

    board_id: int
    name: str
    changed: list[str] = Field(description="Ads that were added or removed.")
    unchanged: list[str] = Field(description="Ads that were on it already, or were not on it.")


class BoardDeleted(Document, shape="board-deleted/1", commands=("board delete",)):
    """A board that was deleted; its ads stay."""

    board_id: int
    name: str
    ads: int
