"""What `adspark board` prints with `--json`."""

from datetime import datetime

from pydantic import Field

from adspark.creatives.boards import BoardAd, BoardRow
from deployments.terminal.documents import Document


class BoardList(Document):
    """A user's boards."""

    SHAPE = "board-list/1"
    COMMANDS = ("board list",)

    boards: list[BoardRow]


class BoardReport(Document):
    """A board with its ads, in its order."""

    SHAPE = "board/1"
    COMMANDS = ("board show",)

    id: int
    user_id: int
    name: str
    created_at: datetime
    ads: list[BoardAd]


class BoardCreated(Document):
    """A board that was made."""

    SHAPE = "board-created/1"
    COMMANDS = ("board create",)

    name: str
    user_id: int


class BoardChanged(Document):
    """A board to which ads were added, or from which they were removed."""

    SHAPE = "board-changed/1"
    COMMANDS = ("board add", "board remove")

    board_id: int
    name: str
    changed: list[str] = Field(description="Ads that were added or removed.")
    unchanged: list[str] = Field(description="Ads that were on it already, or were not on it.")


class BoardDeleted(Document):
    """A board that was deleted; its ads stay."""

    SHAPE = "board-deleted/1"
    COMMANDS = ("board delete",)

    board_id: int
    name: str
    ads: int
