"""Saved searches, the events of their ads, and the messages that are to be sent."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from adspark.models import columns
from adspark.models.creatives import CreativeFormat, Platform


class EventKind(StrEnum):
    """What a watch noticed about a creative."""

    BASELINE = "baseline"
    """Found by the first check, or first shown before the last complete look and no longer shown;
    nobody is alerted."""
    NEW = "new"
    """Not known to the watch before. If the first check could not see everything (page bound,
    budget, unreadable rows, an empty or broken answer), only what was first shown since then."""
    CHANGED = "changed"
    """Another picture, script or format; not a new date, count or order."""
    REACTIVATED = "reactivated"
    """Shown again after it had ended."""
    ENDED = "ended"
    """Not shown for the watch's `ended_after_days`; not merely missing from a page."""


class Coverage(StrEnum):
    """How much of a watch's search was covered, so whether "nothing new" can be trusted."""

    COMPLETE = "complete"
    """Everything since the last complete check was fetched: nothing new means nothing new."""
    PARTIAL = "partial"
    """Something is out of sight, or an answer is not believed; the reason is beside it."""
    NONE = "none"
    """Not checked: a failure, a spent budget, no searches left; it stays due or says when."""


class Watch(SQLModel, table=True):
    """A saved search that is swept again and again, and how far the sweeps have come.

    A change of its search resets it: `baseline_at` is empty, no creatives are linked.
    """

    __table_args__ = (
        UniqueConstraint("user_id", "name"),
        columns.one_of("platform", Platform),
        columns.one_of("creative_format", CreativeFormat),
        columns.one_of("coverage", Coverage),
        CheckConstraint("advertiser_ids <> '{}' OR text IS NOT NULL", name="query"),
        CheckConstraint("interval_minutes > 0", name="interval_minutes"),
        CheckConstraint("max_pages > 0", name="max_pages"),
        CheckConstraint("monthly_budget >= 0", name="monthly_budget"),
        CheckConstraint("ended_after_days > 0", name="ended_after_days"),
        CheckConstraint("details_per_sweep >= 0", name="details_per_sweep"),
        Index(None, "due_at", postgresql_where=text("is_active")),
    )

    id: int = columns.key()
    user_id: int
    name: str = Field(sa_type=Text)
    advertiser_ids: list[str] = columns.texts()
    text: str | None = columns.optional_text()
    region: str | None = columns.optional_text("SerpApi code.")
    platform: Platform | None = columns.choice(Platform, default=None)
    creative_format: CreativeFormat | None = columns.choice(CreativeFormat, default=None)
    political_ads: bool = False
    is_active: bool = True
    interval_minutes: int = columns.whole_number(60)
    max_pages: int = columns.whole_number(5, "Searches a sweep, at most.")
    monthly_budget: int | None = None
    """Billed searches a calendar month (UTC); None: no bound."""
    ended_after_days: int = columns.whole_number(7, "An ad not shown for so long has ended.")
    details_per_sweep: int = columns.whole_number(
        0, "New ads looked up in detail, one search each."
    )
    due_at: datetime = columns.now()
    baseline_at: datetime | None = columns.moment()
    """Start of the fetch whose ads count as known from the start."""
    complete_at: datetime | None = columns.moment()
    """Start of the last fetch that reached the end or the watermark."""
    has_gaps: bool = columns.flag()
    """Some ads of the search may never have been seen; only launches count as new."""
    checked_at: datetime | None = columns.moment()
    coverage: Coverage | None = columns.choice(
        Coverage, default=None, description="Of the last check, as is `problem`."
    )
    problem: str | None = columns.optional_text()
    digested_at: datetime | None = columns.moment("When a digest last reported it.")
    created_at: datetime = columns.now()
    updated_at: datetime = columns.now()


class WatchCreative(SQLModel, table=True):
    """A creative as a watch knows it: when it matched, and in which state it last saw it.

    It stays when the creative is cleaned up, as long as the watch has this search: the source
    keeps listing old ads, which are no news.
    """

    __tablename__ = "watch_creative"
    __table_args__ = (columns.readable("last_shown"),)

    watch_id: int = columns.belongs_to("watch.id", primary_key=True)
    ad_creative_id: str = Field(sa_column=Column(Text, primary_key=True, index=True))
    advertiser_id: str | None = columns.optional_text(
        "Of the creative, for news of one that is removed."
    )
    first_matched_at: datetime = columns.now()
    last_matched_at: datetime = columns.now()
    content_hash: str = Field(
        sa_column=Column(Text, nullable=False, server_default=text("''")),
        description="The creative's, when this watch last saw it.",
    )
    last_shown: datetime | None = columns.moment("The latest that this watch has seen.")
    ended_at: datetime | None = columns.moment("When it was found ended; empty: it runs.")
    undated_fetch_id: UUID | None = None
    """The last fetch that listed it without a readable day."""


class CreativeEvent(SQLModel, table=True):
    """Something that a watch noticed about a creative, once.

    `announced_at` is set when the event was handed to Prefect, `notified_at` when it went into a
    digest. Baseline events have both from the start: they are no news. An unannounced event
    outlives its creative.
    """

    __tablename__ = "creative_event"
    __table_args__ = (
        columns.one_of("kind", EventKind),
        # Also of the watch alone.
        Index("ix_creative_event_of_watch", "watch_id", "kind", "occurred_at"),
        Index("ix_creative_event_unannounced", "id", postgresql_where=text("announced_at IS NULL")),
        Index(
            "ix_creative_event_unnotified",
            "watch_id",
            "id",
            postgresql_where=text("notified_at IS NULL"),
        ),
        Index(
            "ix_creative_event_changed",
            "occurred_at",
            "ad_creative_id",
            postgresql_where=text("kind = 'changed'"),
        ),
    )

    id: int = columns.key()
    watch_id: int = columns.belongs_to("watch.id")
    ad_creative_id: str = Field(sa_column=Column(Text, nullable=False, index=True))
    kind: EventKind = columns.choice(EventKind, nullable=False)
    content_hash: str = Field(sa_type=Text)
    occurred_at: datetime = columns.now()
    announced_at: datetime | None = columns.moment()
    notified_at: datetime | None = columns.moment()


class Message(SQLModel, table=True):
    """The outbox: a message to one receiver, which is written once and never sent twice.

    It goes in as many chunks (`parts`) as the receiver's service wants; how many are delivered is
    noted with each. `sending_at` is set before a chunk is sent. A message that has it and is
    neither delivered nor failed met a crash on the way, or, if it has an error, a service that did
    not answer: nobody knows whether that chunk was delivered, so it is not sent again.
    """

    __table_args__ = (Index(None, "created_at", postgresql_where=text("delivered_at IS NULL")),)

    id: int = columns.key()
    subject: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text, description="Markdown.")
    recipient: str = Field(sa_type=Text, description="Hash of the address, which is a secret.")
    parts: list[dict[str, Any]] | None = columns.optional_json()
    """Title and body of each, fixed before the first is sent."""
    parts_delivered: int = columns.whole_number(0)
    created_at: datetime = columns.now()
    attempts: int = columns.whole_number(0)
    sending_at: datetime | None = columns.moment()
    delivered_at: datetime | None = columns.moment()
    error: str | None = columns.optional_text()
