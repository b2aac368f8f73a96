"""The tables, and the enums that are their vocabulary. Times are aware UTC, durations seconds."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention

DEFAULT_USER = 1
"""Whose things are that nobody names a user for."""


class CreativeFormat(StrEnum):
    """Formats of the Transparency Center."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"


class Platform(StrEnum):
    """Google's surfaces; they overlap, so their counts do not sum to the whole."""

    PLAY = "PLAY"
    MAPS = "MAPS"
    SEARCH = "SEARCH"
    SHOPPING = "SHOPPING"
    YOUTUBE = "YOUTUBE"


class FetchStatus(StrEnum):
    """How far a fetch is; only a running one can be taken up again."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    ABANDONED = "abandoned"


class StopReason(StrEnum):
    """Why a fetch asked for no further page."""

    END = "end"
    WATERMARK = "watermark"
    PAGE_LIMIT = "page_limit"
    BUDGET = "budget"
    GAP = "gap"
    ERROR = "error"


class EventKind(StrEnum):
    """What happened to a creative in the eyes of a watch."""

    BASELINE = "baseline"
    NEW = "new"
    CHANGED = "changed"
    REACTIVATED = "reactivated"
    ENDED = "ended"


class Coverage(StrEnum):
    """How much of a watch's search was looked at, so that silence can be trusted or not."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    NONE = "none"


class VariantStatus(StrEnum):
    """The life of a variant."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


def _one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class _EnumText(TypeDecorator[StrEnum]):
    """Text in the database, a member of an enum in Python."""

    impl = Text
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__()
        self.members = members

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        return None if value is None else self.members(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.members(value)


def _choice(members: type[StrEnum], *, nullable: bool = False) -> Column[StrEnum]:
    return Column(_EnumText(members), nullable=nullable)


def _moment(*, nullable: bool = True, now: bool = False) -> Column[datetime]:
    """A column of aware UTC; `now` gives the time of its transaction as default."""
    return Column(
        DateTime(timezone=True), nullable=nullable, server_default=func.now() if now else None
    )


def _whole(default: int) -> Column[int]:
    return Column(Integer, nullable=False, server_default=text(str(default)))


def _flag() -> Column[bool]:
    return Column(Boolean, nullable=False, server_default=text("false"))


def _texts() -> Column[list[str]]:
    return Column(ARRAY(Text), nullable=False, server_default=text("'{}'"))


def _key() -> Column[int]:
    return Column(Integer, Identity(always=True), primary_key=True)


class Advertiser(SQLModel, table=True):
    """Who pays for ads, with the first and last day that any stored creative was shown."""

    advertiser_id: str = Field(primary_key=True, sa_type=Text, description="AR and 20 digits.")
    name: str = Field(sa_type=Text, index=True)
    named_at: datetime | None = Field(
        default=None, sa_column=_moment(), description="last_shown of the ad that it is named by."
    )
    first_seen_at: datetime | None = Field(default=None, sa_column=_moment())
    last_seen_at: datetime | None = Field(default=None, sa_column=_moment())
    created_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))
    updated_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))


class Creative(SQLModel, table=True):
    """One ad of the Transparency Center.

    `content_hash` is made by the database from what a person would call the ad. What moves by
    itself (last_shown, total_days_shown, view counts), what depends on the search that found the
    row (target_domain, regions, platforms, first_shown) and the size, which some answers leave
    out and which follows from the picture, is left out of it.
    """

    __table_args__ = (
        _one_of("format", CreativeFormat),
        Index(None, "advertiser_id", "format"),
        Index(None, "first_shown", "last_shown"),
    )

    ad_creative_id: str = Field(primary_key=True, sa_type=Text, description="CR and 20 digits.")
    advertiser_id: str = Field(foreign_key="advertiser.advertiser_id", sa_type=Text)
    format: CreativeFormat = Field(sa_column=_choice(CreativeFormat))
    image_url: str | None = Field(default=None, sa_type=Text)
    video_link: str | None = Field(
        default=None, sa_type=Text, description="Preview script, without its nonces."
    )
    width: int | None = Field(default=None, description="Pixels.")
    height: int | None = Field(default=None, description="Pixels.")
    target_domain: str | None = Field(default=None, sa_type=Text, index=True)
    first_shown: datetime | None = Field(default=None, sa_column=_moment())
    last_shown: datetime | None = Field(
        default=None, sa_column=Column(DateTime(timezone=True), index=True)
    )
    total_days_shown: int | None = Field(default=None, description="Days on which it was shown.")
    details_link: str | None = Field(default=None, sa_type=Text)
    views_min: int | None = Field(default=None, sa_type=BigInteger, description="Political only.")
    views_max: int | None = Field(default=None, sa_type=BigInteger, description="Political only.")
    budget_min: str | None = Field(default=None, sa_type=Text, description='As sent: "400 USD".')
    budget_max: str | None = Field(default=None, sa_type=Text, description='As sent: "400 USD".')
    regions: list[str] = Field(default_factory=list, sa_column=_texts())
    platforms: list[str] = Field(default_factory=list, sa_column=_texts())
    dropped_fields: list[str] = Field(
        default_factory=list,
        sa_column=_texts(),
        description="Fields of the last answer that could not be read, with the reason.",
    )
    content_hash: str = Field(
        sa_column=Column(
            Text,
            Computed(
                "md5(format || '|' || coalesce(image_url, '') || '|' || coalesce(video_link, ''))",
                persisted=True,
            ),
            nullable=False,
        )
    )
    created_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))
    updated_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))


class Watch(SQLModel, table=True):
    """A saved search that is swept again and again, and how far the sweeps have come.

    Its past begins anew (`baseline_at` empty, no linked creatives) when its search is changed.
    """

    __table_args__ = (
        UniqueConstraint("user_id", "name"),
        _one_of("platform", Platform),
        _one_of("creative_format", CreativeFormat),
        _one_of("coverage", Coverage),
        CheckConstraint("advertiser_ids <> '{}' OR text IS NOT NULL", name="query"),
        CheckConstraint("interval_minutes > 0", name="interval_minutes"),
        CheckConstraint("max_pages > 0", name="max_pages"),
        CheckConstraint("monthly_budget >= 0", name="monthly_budget"),
        CheckConstraint("ended_after_days > 0", name="ended_after_days"),
        CheckConstraint("details_per_sweep >= 0", name="details_per_sweep"),
        Index(None, "due_at", postgresql_where=text("is_active")),
    )

    id: int = Field(default=None, sa_column=_key())
    user_id: int
    name: str = Field(sa_type=Text)
    advertiser_ids: list[str] = Field(default_factory=list, sa_column=_texts())
    text: str | None = Field(default=None, sa_type=Text)
    region: str | None = Field(default=None, sa_type=Text, description="SerpApi code.")
    platform: Platform | None = Field(default=None, sa_column=_choice(Platform, nullable=True))
    creative_format: CreativeFormat | None = Field(
        default=None, sa_column=_choice(CreativeFormat, nullable=True)
    )
    political_ads: bool = False
    is_active: bool = True
    interval_minutes: int = Field(default=60, sa_column=_whole(60))
    max_pages: int = Field(default=5, sa_column=_whole(5), description="Searches a sweep, at most.")
    monthly_budget: int | None = Field(
        default=None, description="Billed searches a calendar month (UTC); None: no bound."
    )
    ended_after_days: int = Field(
        default=7, sa_column=_whole(7), description="An ad not shown for so long has ended."
    )
    details_per_sweep: int = Field(
        default=0, sa_column=_whole(0), description="New ads looked up in detail, one search each."
    )
    due_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))
    baseline_at: datetime | None = Field(
        default=None,
        sa_column=_moment(),
        description="Start of the fetch whose ads count as known from the start.",
    )
    complete_at: datetime | None = Field(
        default=None,
        sa_column=_moment(),
        description="Start of the last fetch that reached the end or the watermark.",
    )
    has_gaps: bool = Field(
        default=False,
        sa_column=_flag(),
        description="Some ads of the search may never have been seen; only launches count as new.",
    )
    checked_at: datetime | None = Field(default=None, sa_column=_moment())
    coverage: Coverage | None = Field(
        default=None,
        sa_column=_choice(Coverage, nullable=True),
        description="Of the last check, as is `problem`.",
    )
    problem: str | None = Field(default=None, sa_type=Text)
    digested_at: datetime | None = Field(
        default=None, sa_column=_moment(), description="When a digest last told of it."
    )
    created_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))
    updated_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))


class Fetch(SQLModel, table=True):
    """The ledger: one fetch of one query, committed page by page. Source of all fetch figures."""

    __table_args__ = (
        _one_of("status", FetchStatus),
        _one_of("stop_reason", StopReason),
        Index(None, "query_hash", "started_at"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    query: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    query_hash: str = Field(sa_type=Text)
    watch_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("watch.id", ondelete="SET NULL"), index=True)
    )
    flow_run_id: UUID | None = Field(default=None, index=True)
    is_dry_run: bool = Field(
        default=False, sa_column=_flag(), description="Paid for, and none of its ads stored."
    )
    attempt: int = Field(
        default=1,
        sa_column=_whole(1),
        description="Fencing token: each resume adds one, and only the newest may write.",
    )
    status: FetchStatus = Field(default=FetchStatus.RUNNING, sa_column=_choice(FetchStatus))
    pages: int = 0
    searches_billed: int = 0
    searches_cached: int = 0
    search_ids: list[str] = Field(
        default_factory=list, sa_column=_texts(), description="SerpApi's ids, one a page."
    )
    next_page_token: str | None = Field(default=None, sa_type=Text)
    token_hashes: list[str] = Field(
        default_factory=list, sa_column=_texts(), description="Of every token it has followed."
    )
    shown_to: datetime | None = Field(
        default=None, sa_column=_moment(), description="last_shown of its last row, if known."
    )
    total_results: int | None = Field(default=None, description="What SerpApi last claimed.")
    is_refreshed: bool = Field(
        default=False,
        sa_column=_flag(),
        description="It has paid for a fresh first page, since the cached one led nowhere.",
    )
    new_count: int = 0
    changed_count: int = 0
    unchanged_count: int = 0
    rejected_count: int = 0
    stop_reason: StopReason | None = Field(
        default=None, sa_column=_choice(StopReason, nullable=True)
    )
    error: str | None = Field(default=None, sa_type=Text)
    started_at: datetime = Field(
        default=None,
        sa_column=Column(
            DateTime(timezone=True), nullable=False, server_default=func.now(), index=True
        ),
    )
    updated_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))
    finished_at: datetime | None = Field(default=None, sa_column=_moment())


class RejectedRow(SQLModel, table=True):
    """A row of a page that could not be stored, with the reason; the rest of its page was."""

    __tablename__ = "rejected_row"

    id: int = Field(default=None, sa_column=_key())
    fetch_id: UUID = Field(
        sa_column=Column(ForeignKey("fetch.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    reason: str = Field(sa_type=Text)
    row_key: str | None = Field(
        default=None, sa_type=Text, index=True, description="The same for the same row later."
    )
    payload: Any = Field(sa_column=Column(JSONB, nullable=False))
    created_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))


class RateSlot(SQLModel, table=True):
    """One use of a rate-limited service, kept as long as it counts against its limit."""

    __tablename__ = "rate_slot"
    __table_args__ = (Index(None, "name", "taken_at"),)

    id: int = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    name: str = Field(sa_type=Text)
    taken_at: datetime = Field(sa_column=_moment(nullable=False))


class WatchCreative(SQLModel, table=True):
    """A creative as a watch knows it: when it matched, and in which state it last saw it.

    It stays when the creative is cleaned up, as long as the watch has this search: the source
    goes on listing old ads, which are no news.
    """

    __tablename__ = "watch_creative"

    watch_id: int = Field(
        sa_column=Column(ForeignKey("watch.id", ondelete="CASCADE"), primary_key=True)
    )
    ad_creative_id: str = Field(sa_column=Column(Text, primary_key=True, index=True))
    advertiser_id: str | None = Field(
        default=None, sa_type=Text, description="Of the creative, for news of one that is removed."
    )
    first_matched_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))
    last_matched_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))
    content_hash: str = Field(
        sa_column=Column(Text, nullable=False, server_default=text("''")),
        description="The creative's, when this watch last saw it.",
    )
    last_shown: datetime | None = Field(
        default=None, sa_column=_moment(), description="The latest that this watch was told."
    )
    ended_at: datetime | None = Field(
        default=None, sa_column=_moment(), description="When it was found ended; empty: it runs."
    )
    undated_fetch_id: UUID | None = Field(
        default=None, description="The last fetch that listed it without a readable day."
    )


class CreativeEvent(SQLModel, table=True):
    """Something that a watch noticed about a creative, once.

    `announced_at` is set when the event was handed to Prefect, `notified_at` when it went into a
    digest. Baseline events are both from the start: they are nobody's news. An event that nobody
    was told of outlives its creative.
    """

    __tablename__ = "creative_event"
    __table_args__ = (
        _one_of("kind", EventKind),
        Index("ix_creative_event_unannounced", "id", postgresql_where=text("announced_at IS NULL")),
        Index(
            "ix_creative_event_unnotified",
            "watch_id",
            "id",
            postgresql_where=text("notified_at IS NULL"),
        ),
    )

    id: int = Field(default=None, sa_column=_key())
    watch_id: int = Field(
        sa_column=Column(ForeignKey("watch.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    ad_creative_id: str = Field(sa_column=Column(Text, nullable=False, index=True))
    kind: EventKind = Field(sa_column=_choice(EventKind))
    content_hash: str = Field(sa_type=Text)
    occurred_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))
    announced_at: datetime | None = Field(default=None, sa_column=_moment())
    notified_at: datetime | None = Field(default=None, sa_column=_moment())


class CreativeDetail(SQLModel, table=True):
    """What the ad-details engine said of a creative; asked once, on behalf of one watch.

    The row is made before the search is, so that an answer that was lost is asked for again
    (free from SerpApi's cache) and counted once. It was paid, so it outlives the creative.
    """

    __tablename__ = "creative_detail"

    ad_creative_id: str = Field(primary_key=True, sa_type=Text)
    watch_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("watch.id", ondelete="SET NULL"), index=True)
    )
    asked_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))
    attempts: int = Field(
        default=1, sa_column=_whole(1), description="Searches that were made for it."
    )
    answered_at: datetime | None = Field(default=None, sa_column=_moment())
    search_id: str | None = Field(default=None, sa_type=Text)
    searches_billed: int = Field(default=0, sa_column=_whole(0))
    searches_cached: int = Field(default=0, sa_column=_whole(0))
    headline: str | None = Field(default=None, sa_type=Text, description="Of the first variation.")
    snippet: str | None = Field(default=None, sa_type=Text)
    call_to_action: str | None = Field(default=None, sa_type=Text)
    landing_url: str | None = Field(default=None, sa_type=Text)
    funded_by: str | None = Field(default=None, sa_type=Text, description="Who paid, if told.")
    variations: list[dict[str, Any]] = Field(
        default_factory=list,
        sa_column=Column(JSONB, nullable=False, server_default=text("'[]'")),
        description="Every variation of the creative, as the service sent it.",
    )
    error: str | None = Field(default=None, sa_type=Text)


class CreativeRegion(SQLModel, table=True):
    """A country that a creative was shown in, by the ad-details engine; stays with its details."""

    __tablename__ = "creative_region"

    ad_creative_id: str = Field(primary_key=True, sa_type=Text)
    region: str = Field(primary_key=True, sa_type=Text, description="SerpApi code.")
    first_shown: date | None = Field(default=None, sa_column=Column(Date))
    last_shown: date | None = Field(default=None, sa_column=Column(Date))
    times_shown: str | None = Field(default=None, sa_type=Text, description='As sent: "0 - 1000".')
    first_seen_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))


class Board(SQLModel, table=True):
    """A user's named collection of stored ads."""

    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: int = Field(default=None, sa_column=_key())
    user_id: int
    name: str = Field(sa_type=Text)
    created_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))


class BoardCreative(SQLModel, table=True):
    """An ad on a board. It stays at clean-up, so its creative is never deleted beneath it."""

    __tablename__ = "board_creative"

    board_id: int = Field(
        sa_column=Column(ForeignKey("board.id", ondelete="CASCADE"), primary_key=True)
    )
    ad_creative_id: str = Field(
        sa_column=Column(ForeignKey("creative.ad_creative_id"), primary_key=True, index=True)
    )
    added_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))


class Message(SQLModel, table=True):
    """The outbox: a message to one receiver, which is written once and never sent twice.

    It goes in as many parts as the receiver's service wants, one after the other; how many have
    arrived is noted with each. `sending_at` is set before a part is handed over. A message that has
    it and is neither delivered nor failed met a crash on the way: nobody knows whether that part
    arrived, so it is not sent again.
    """

    __table_args__ = (Index(None, "created_at", postgresql_where=text("delivered_at IS NULL")),)

    id: int = Field(default=None, sa_column=_key())
    subject: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text, description="Markdown.")
    recipient: str = Field(sa_type=Text, description="Hash of the address, which is a secret.")
    parts: list[dict[str, str]] | None = Field(
        default=None,
        sa_column=Column(JSONB(none_as_null=True)),
        description="Title and body of each, fixed before the first is sent.",
    )
    parts_delivered: int = Field(default=0, sa_column=_whole(0))
    created_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))
    attempts: int = Field(default=0, sa_column=_whole(0))
    sending_at: datetime | None = Field(default=None, sa_column=_moment())
    delivered_at: datetime | None = Field(default=None, sa_column=_moment())
    error: str | None = Field(default=None, sa_type=Text)


class AdVariant(SQLModel, table=True):
    """A generated variant of a creative, from request to result.

    Only who holds the lock of a variant works on it; `processing` without a holder is what a dead
    run left behind. `asked_at` is set before the generator is asked, `receipt_*` as soon as it has
    named the generation: whoever comes later looks there before it asks, and pays, again.
    """

    __tablename__ = "ad_variant"
    __table_args__ = (
        _one_of("status", VariantStatus),
        CheckConstraint("confidence_score BETWEEN 0 AND 1", name="confidence_score"),
        CheckConstraint("attempt > 0", name="attempt"),
        Index(None, "status", "requested_at"),
    )

    id: int = Field(default=None, sa_column=_key())
    token: UUID = Field(
        default_factory=uuid4,
        sa_column=Column(
            Uuid, nullable=False, unique=True, server_default=text("gen_random_uuid()")
        ),
        description="Names it to the generator, which other databases use too.",
    )
    original_ad_id: str = Field(
        sa_column=Column(ForeignKey("creative.ad_creative_id"), nullable=False, index=True)
    )
    user_id: int
    workspace_id: int | None = None
    status: VariantStatus = Field(default=VariantStatus.PENDING, sa_column=_choice(VariantStatus))
    prompt: str = Field(sa_type=Text)
    wants_review: bool = Field(default=False, sa_column=_flag())
    attempt: int = Field(default=1, sa_column=_whole(1), description="Each may be paid for once.")
    requested_by: UUID | None = Field(
        default=None,
        sa_column=Column(Uuid, unique=True),
        description="The flow run that made the row; its retry finds it.",
    )
    flow_run_id: UUID | None = Field(default=None, description="The run that works on it.")
    review_run_id: UUID | None = Field(default=None, description="The run that waits for a review.")
    generator: str | None = Field(default=None, sa_type=Text)
    asked_at: datetime | None = Field(default=None, sa_column=_moment())
    receipt_run_id: str | None = Field(default=None, sa_type=Text, description="Dify's run.")
    receipt_task_id: str | None = Field(default=None, sa_type=Text, description="Dify's task.")
    generated: dict[str, Any] | None = Field(
        default=None,
        sa_column=Column(JSONB(none_as_null=True)),
        description="What the generation gave, until it is all fetched and kept.",
    )
    title: str | None = Field(default=None, sa_type=Text)
    description: str | None = Field(default=None, sa_type=Text, description="The copy.")
    original_path: str | None = Field(default=None, sa_type=Text, description="In the media store.")
    original_sha256: str | None = Field(default=None, sa_type=Text)
    image_path: str | None = Field(default=None, sa_type=Text, description="In the media store.")
    image_sha256: str | None = Field(default=None, sa_type=Text)
    picture_similarity: float | None = None
    text_similarity: float | None = None
    is_too_close: bool = Field(default=False, sa_column=_flag())
    confidence_score: float | None = None
    response_metadata: dict[str, Any] = Field(
        default_factory=dict,
        sa_column=Column(JSONB, nullable=False, server_default=text("'{}'")),
    )
    problem: str | None = Field(
        default=None, sa_type=Text, description="What a completed variant lacks, and why."
    )
    error: str | None = Field(default=None, sa_type=Text)
    error_kind: str | None = Field(default=None, sa_type=Text, description="Of adspark.errors.")
    requested_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))
    started_at: datetime | None = Field(default=None, sa_column=_moment())
    completed_at: datetime | None = Field(default=None, sa_column=_moment())


class VariantFeedback(SQLModel, table=True):
    """What a person thought of a variant, one each."""

    __tablename__ = "variant_feedback"
    __table_args__ = (
        UniqueConstraint("variant_id", "user_id"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
    )

    id: int = Field(default=None, sa_column=_key())
    variant_id: int = Field(
        sa_column=Column(ForeignKey("ad_variant.id", ondelete="CASCADE"), nullable=False)
    )
    user_id: int
    is_approved: bool | None = Field(default=None, description="None while open.")
    rating: int | None = None
    comment: str | None = Field(default=None, sa_type=Text)
    accepts_closeness: bool = Field(
        default=False, sa_column=_flag(), description="Knows that it is close to the original."
    )
    created_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))
    updated_at: datetime = Field(default=None, sa_column=_moment(nullable=False, now=True))
