"""Every statement on links to boards: whoever has one sees the board until it expires."""

import hashlib
from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.validation.bounds import Range

LINK_DAYS = Range(1, 365)

# A link that has expired or was ended stays as a row: its form, sent again, makes no new one.
_CREATE = text("""
    INSERT INTO board_link AS l (board_id, token_hash, expires_at)
    VALUES (:board_id, :token_hash, now() + make_interval(days => :days))
    ON CONFLICT (token_hash) DO UPDATE SET expires_at = l.expires_at
    RETURNING expires_at > clock_timestamp()
""")
_LIST = text("""
    SELECT id, created_at, expires_at FROM board_link
    WHERE board_id = :board_id AND expires_at > now() ORDER BY expires_at, id
""")
_END = text("""
    UPDATE board_link SET expires_at = now()
    WHERE id = :link_id AND board_id = :board_id AND expires_at > now() RETURNING id
""")
_FIND = text("""
    SELECT b.id AS board_id, b.name, l.expires_at
    FROM board_link l JOIN board b ON b.id = l.board_id
    WHERE l.token_hash = :token_hash AND l.expires_at > now()
""")

_HAS_PICTURE = text("""
    SELECT EXISTS (
        SELECT FROM board_link l JOIN board_creative b USING (board_id)
            JOIN picture_version v USING (ad_creative_id)
        WHERE l.token_hash = :token_hash AND l.expires_at > now()
            AND v.status = 'stored' AND v.thumbnail_path = :path
    )
""")


class BoardLink(BaseModel):
    """A link to a board; its token is shown once, when it is made, and only its hash is kept."""

    id: int
    created_at: datetime
    expires_at: datetime


class LinkedBoard(BaseModel):
    """The board that a link leads to."""

    board_id: int
    name: str
    expires_at: datetime


async def create_link(session: AsyncSession, *, board_id: int, token: str, days: int) -> bool:
    """Make a link to a board; nothing where it is there already. Does not commit.

    False where it was there and has expired or was ended: it stays so.

    Args:
        board_id: of the board.
        token: a secret that nobody can guess; whoever has it sees the board.
        days: after which it leads nowhere.

    Raises:
        InvalidQueryError: the number of days is out of bounds.
    """
    LINK_DAYS.check("days", days)
    values = {"board_id": board_id, "token_hash": _hash(token), "days": days}
    return bool(await session.scalar(_CREATE, values))


async def list_links(session: AsyncSession, *, board_id: int) -> list[BoardLink]:
    """The links that lead to a board now, the first to expire first."""
    rows = await session.execute(_LIST, {"board_id": board_id})
    return [BoardLink.model_validate(row) for row in rows.mappings()]


async def end_link(session: AsyncSession, *, board_id: int, link_id: int) -> bool:
    """End a link; False where the board has no such link now. Does not commit.

    Args:
        board_id: of the board.
        link_id: of the link.
    """
    values = {"board_id": board_id, "link_id": link_id}
    return await session.scalar(_END, values) is not None


async def find_linked_board(session: AsyncSession, *, token: str) -> LinkedBoard | None:
    """The board that a token leads to; None where it has expired or never did."""
    row = (await session.execute(_FIND, {"token_hash": _hash(token)})).mappings().one_or_none()
    return None if row is None else LinkedBoard.model_validate(row)


async def has_linked_picture(session: AsyncSession, *, token: str, path: str) -> bool:
    """Whether a small picture is one of an ad on the board that a token leads to now.

    Args:
        token: of the link's address.
        path: of the picture in the media store.
    """
    values = {"token_hash": _hash(token), "path": path}
    return bool(await session.scalar(_HAS_PICTURE, values))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
