"""Boards of ads, and the links by which they are shared."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from adspark.models import columns


class Board(SQLModel, table=True):
    """A user's named collection of stored ads."""

    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: int = columns.key()
    user_id: int
    name: str = Field(sa_type=Text)
    created_at: datetime = columns.now()


class BoardCreative(SQLModel, table=True):
    """An ad on a board. It stays at clean-up, so its creative is never deleted beneath it."""

    __tablename__ = "board_creative"

    board_id: int = columns.belongs_to("board.id", primary_key=True)
    ad_creative_id: str = Field(
        sa_column=Column(ForeignKey("creative.ad_creative_id"), primary_key=True, index=True)
    )
    added_at: datetime = columns.now()
    place: int = columns.whole_number(0, "Smaller ones are shown first.")
    note: str | None = columns.optional_text()


class BoardLink(SQLModel, table=True):
    """A link by which whoever has it sees a board until it expires."""

    __tablename__ = "board_link"

    id: int = columns.key()
    board_id: int = columns.belongs_to("board.id", index=True)
    token_hash: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    created_at: datetime = columns.now()
    expires_at: datetime = Field(sa_column=Column(columns.MOMENT, nullable=False))
