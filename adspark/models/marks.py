"""What users give to ads: tags, titles and notes."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Index, Integer, Text, text
from sqlmodel import Field, SQLModel

from adspark.models import columns


class UserTag(SQLModel, table=True):
    """A tag that a user has on any ad, in the one way that it is written.

    The database makes the row with the tag's first ad, and writes the tag of each further ad in the
    same way: tags that differ in case only are one.
    """

    __tablename__ = "user_tag"
    __table_args__ = (Index("uq_user_tag_key", "user_id", text("tag_key(tag)"), unique=True),)

    user_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    tag: str = Field(primary_key=True, sa_type=Text)
    created_at: datetime = columns.now()


class CreativeTag(SQLModel, table=True):
    """A user's tag on a stored ad, which stays at clean-up as long as it has one."""

    __tablename__ = "creative_tag"
    __table_args__ = (
        ForeignKeyConstraint(["user_id", "tag"], ["user_tag.user_id", "user_tag.tag"]),
    )

    user_id: int = Field(primary_key=True)
    tag: str = Field(primary_key=True, sa_type=Text)
    ad_creative_id: str = Field(
        sa_column=Column(ForeignKey("creative.ad_creative_id"), primary_key=True, index=True)
    )
    created_at: datetime = columns.now()


class SharedTag(SQLModel, table=True):
    """A user's tag that all users see, on whatever ads it is."""

    __tablename__ = "shared_tag"
    __table_args__ = (
        ForeignKeyConstraint(
            ["user_id", "tag"], ["user_tag.user_id", "user_tag.tag"], ondelete="CASCADE"
        ),
    )

    user_id: int = Field(primary_key=True)
    tag: str = Field(primary_key=True, sa_type=Text)
    created_at: datetime = columns.now()


class CreativeNote(SQLModel, table=True):
    """A user's title and note on a stored ad, which stays at clean-up as long as it has one."""

    __tablename__ = "creative_note"
    __table_args__ = (
        Index("ix_search_creative_note", text("search_note(title, note)"), postgresql_using="gin"),
    )

    user_id: int = Field(primary_key=True)
    ad_creative_id: str = Field(
        sa_column=Column(ForeignKey("creative.ad_creative_id"), primary_key=True, index=True)
    )
    title: str | None = columns.optional_text()
    note: str | None = columns.optional_text()
    is_title_shared: bool = columns.flag("All users see it.")
    is_note_shared: bool = columns.flag("All users see it.")
    created_at: datetime = columns.now()
