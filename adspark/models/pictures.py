"""Versions of the pictures of ads, and the words read from them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from adspark.models import columns


class PictureStatus(StrEnum):
    """How far the archiving of a picture is."""

    PENDING = "pending"
    STORED = "stored"
    FAILED = "failed"
    REMOVED = "removed"


class ReadingStatus(StrEnum):
    """How far the reading of a picture's words is."""

    PENDING = "pending"
    READ = "read"
    FAILED = "failed"


class NewVersion(SQLModel, table=True):
    """A version of a creative's picture that a page has stored, until the archive enqueues it.

    It is written with the page, so that no version is missed and none is looked for among all ads;
    without an index but its key, so that it costs the page next to nothing.
    """

    __tablename__ = "new_version"

    id: int = columns.key(BigInteger)
    ad_creative_id: str = Field(sa_type=Text)
    content_hash: str = Field(sa_type=Text)
    source_url: str = Field(sa_type=Text)
    is_preview: bool = columns.flag("The address is that of a preview script.")
    seen_at: datetime = columns.now()


class PictureVersion(SQLModel, table=True):
    """One version of a creative's picture: what it looked like under one `content_hash`.

    The row is made when the version is first seen and holds the address of it, which the creative
    loses when it changes; it outlives the creative. `attempts` is counted when the picture is
    claimed, so that a run that dies counts too, and is the fencing token: only the newest claim
    may write.
    """

    __tablename__ = "picture_version"
    __table_args__ = (
        UniqueConstraint("ad_creative_id", "content_hash"),
        columns.one_of("status", PictureStatus),
        CheckConstraint(
            "(status = 'stored') = (path IS NOT NULL AND thumbnail_path IS NOT NULL)", name="path"
        ),
        Index(
            "ix_picture_version_pending",
            "first_seen_at",
            "id",
            postgresql_where=text("status = 'pending'"),
        ),
        # With what is counted of each, so that the table is not read for that.
        Index(
            "ix_picture_version_stored",
            "sha256",
            postgresql_where=text("status = 'stored'"),
            postgresql_include=["picture_bytes", "thumbnail_bytes"],
        ),
        Index(
            "ix_picture_version_oldest",
            "stored_at",
            "id",
            postgresql_where=text("status = 'stored'"),
        ),
        Index("ix_picture_version_removed", "sha256", postgresql_where=text("status = 'removed'")),
    )

    id: int = columns.key(BigInteger)
    ad_creative_id: str = Field(sa_type=Text)
    content_hash: str = Field(sa_type=Text)
    status: PictureStatus = columns.choice(
        PictureStatus, nullable=False, default=PictureStatus.PENDING
    )
    source_url: str | None = columns.optional_text(
        "Of the picture or the preview script; None: never known."
    )
    is_preview: bool = columns.flag("The address is that of a preview script.")
    sha256: str | None = columns.optional_text("Of the picture as it was downloaded or rendered.")
    path: str | None = columns.optional_text("In the media store.")
    thumbnail_path: str | None = columns.optional_text("In the media store; WebP.")
    width: int | None = Field(default=None, description="Pixels.")
    height: int | None = Field(default=None, description="Pixels.")
    perceptual_hash: str | None = columns.optional_text("64 hexadecimal digits.")
    picture_bytes: int | None = None
    thumbnail_bytes: int | None = None
    attempts: int = columns.whole_number(0)
    next_attempt_at: datetime = columns.now()
    failure: str | None = columns.optional_text("The cause of the last attempt's failure.")
    first_seen_at: datetime = columns.now()
    stored_at: datetime | None = columns.moment()


class PictureWords(SQLModel, table=True):
    """The words that were read from a picture, once, whichever ads and versions show it.

    The row is made when the picture is in the archive and no copy of its ads was bought. `attempts`
    are as of `PictureVersion`.
    """

    __tablename__ = "picture_words"
    __table_args__ = (
        columns.one_of("status", ReadingStatus),
        CheckConstraint("(status = 'read') = (read_at IS NOT NULL)", name="read_at"),
        CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
        Index(
            "ix_picture_words_pending",
            "seen_at",
            "sha256",
            postgresql_where=text("status = 'pending'"),
        ),
    )

    sha256: str = Field(primary_key=True, sa_type=Text, description="Of the picture.")
    status: ReadingStatus = columns.choice(
        ReadingStatus, nullable=False, default=ReadingStatus.PENDING
    )
    lines: list[str] = columns.texts(
        "From top to bottom; none: it has no words, or none that were read."
    )
    headline: str | None = columns.optional_text("The lines with the largest letters: a guess.")
    language: str | None = columns.optional_text("ISO 639, as `en`; NULL: it cannot be told.")
    script: str | None = columns.optional_text(
        "As `latin`; where most lines were not read, theirs, or `unknown`."
    )
    unread_lines: int = columns.whole_number(0, "That could not be read.")
    confidence: float | None = Field(default=None, description="How sure, from 0 to 1.")
    engine: str | None = columns.optional_text("That read them, with its version.")
    attempts: int = columns.whole_number(0)
    next_attempt_at: datetime = columns.now()
    failure: str | None = columns.optional_text("The cause of the last attempt's failure.")
    seen_at: datetime = columns.now()
    read_at: datetime | None = columns.moment()
