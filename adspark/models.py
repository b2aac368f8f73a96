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
    ForeignKeyConstraint,
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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
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
"""The user of what is made without naming one."""

DEFAULT_WEIGHT = 1
"""The weight of a user who was given none, in the sharing of searches."""


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
    """How far a fetch is; a running or failed one can be resumed."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    ABANDONED = "abandoned"


class StopReason(StrEnum):
    """Why a fetch stopped."""

    END = "end"
    WATERMARK = "watermark"
    PAGE_LIMIT = "page_limit"
    BUDGET = "budget"
    GAP = "gap"
    ERROR = "error"


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


class VariantStatus(StrEnum):
    """How far a variant is."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class BatchState(StrEnum):
    """What people want of a batch; whether it has ended follows from its variants."""

    RUNNING = "running"
    PAUSED = "paused"
    """Nothing of it is submitted; what was submitted before is fetched."""
    CANCELLED = "cancelled"


class ReviewReason(StrEnum):
    """Why a person approves or rejects a variant."""

    FITS_BRAND = "fits_brand"
    CLEAR_COPY = "clear_copy"
    STRONG_PICTURE = "strong_picture"
    OFF_BRAND = "off_brand"
    UNCLEAR_COPY = "unclear_copy"
    WRONG_CLAIM = "wrong_claim"
    POOR_PICTURE = "poor_picture"
    IGNORES_PROMPT = "ignores_prompt"


class Role(StrEnum):
    """What an account may do in the gallery: look, or change and spend as well."""

    READER = "reader"
    EDITOR = "editor"


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


_MOMENT: Any = DateTime(timezone=True)


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


def _listed(values: type[StrEnum]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({_listed(values)})", name=column)


def _readable(column: str) -> CheckConstraint:
    """That a moment or day is one that Python can read; it has no infinity, and fewer years."""
    bounds = f"{column} >= '0001-01-01 00:00+00' AND {column} < '10000-01-01 00:00+00'"
    return CheckConstraint(bounds, name=column)


# Fields of the kinds that the tables have again and again; all that are not given a value when the
# object is made get one from the database, or NULL.


def _choice(members: type[StrEnum], *, nullable: bool = True, **more: Any) -> Any:  # noqa: ANN401
    column: Column[Any] = Column(_EnumText(members), nullable=nullable, default=more.get("default"))
    return Field(sa_column=column, **more)


def _moment(description: str | None = None, *, index: bool = False) -> Any:  # noqa: ANN401
    """An aware time in UTC."""
    column: Column[Any] = Column(_MOMENT, index=index)
    return Field(default=None, sa_column=column, description=description)


def _now(*, index: bool = False) -> Any:  # noqa: ANN401
    """The time of the transaction that makes the row."""
    column = Column(_MOMENT, nullable=False, server_default=func.now(), index=index)
    return Field(default=None, sa_column=column)


def _whole(default: int, description: str | None = None) -> Any:  # noqa: ANN401
    column = Column(Integer, nullable=False, server_default=text(str(default)))
    return Field(default=default, sa_column=column, description=description)


def _flag(description: str | None = None) -> Any:  # noqa: ANN401
    column = Column(Boolean, nullable=False, server_default=text("false"))
    return Field(default=False, sa_column=column, description=description)


def _text(description: str | None = None, *, index: bool = False) -> Any:  # noqa: ANN401
    """A text that may be missing."""
    return Field(default=None, sa_type=Text, index=index, description=description)


def _texts(description: str | None = None) -> Any:  # noqa: ANN401
    column: Column[Any] = Column(ARRAY(Text), nullable=False, server_default=text("'{}'"))
    return Field(default_factory=list, sa_column=column, description=description)


def _json() -> Any:  # noqa: ANN401
    """A JSON value that may be missing."""
    column: Column[Any] = Column(JSONB(none_as_null=True))
    return Field(default=None, sa_column=column)


def _key(kind: type[Integer] = Integer) -> Any:  # noqa: ANN401
    return Field(default=None, sa_column=Column(kind, Identity(always=True), primary_key=True))


def _of_watch(*, index: bool = True) -> Any:  # noqa: ANN401
    """The key of a watch, as long as that is there."""
    column: Column[Any] = Column(ForeignKey("watch.id", ondelete="SET NULL"), index=index)
    return Field(default=None, sa_column=column)


def _belongs_to(column: str, **more: Any) -> Any:  # noqa: ANN401
    """The key of the row with which this one is deleted."""
    reference = ForeignKey(column, ondelete="CASCADE")
    return Field(sa_column=Column(reference, nullable=False, **more))


class Advertiser(SQLModel, table=True):
    """Who pays for ads, with the first and last day that any stored creative was shown."""

    __table_args__ = (
        Index("ix_search_advertiser_name", text("search_words(name)"), postgresql_using="gin"),
    )

    advertiser_id: str = Field(primary_key=True, sa_type=Text, description="AR and 20 digits.")
    name: str = Field(sa_type=Text, index=True)
    named_at: datetime | None = _moment("last_shown of the ad that it is named by.")
    first_seen_at: datetime | None = _moment()
    last_seen_at: datetime | None = _moment()
    created_at: datetime = _now()
    updated_at: datetime = _now()


class Creative(SQLModel, table=True):
    """One ad of the Transparency Center.

    `content_hash` is made by the database from what a person would call the ad. What moves by
    itself (last_shown, total_days_shown, view counts), what depends on the search that found the
    row (target_domain, regions, platforms, first_shown) and the size, which some answers leave
    out and which follows from the picture, is left out of it.
    """

    __table_args__ = (
        _one_of("format", CreativeFormat),
        _readable("first_shown"),
        _readable("last_shown"),
        Index(None, "advertiser_id", "format"),
        # Whole in the index, so that a list of the newest reads only the ads that it shows.
        Index("ix_creative_newest", "first_shown", "ad_creative_id", postgresql_include=["format"]),
        Index("ix_creative_domain", "target_domain", postgresql_include=["ad_creative_id"]),
        Index("ix_creative_days_running", text("(last_shown - first_shown)")),
        Index("ix_creative_regions", "regions", postgresql_using="gin"),
    )

    ad_creative_id: str = Field(primary_key=True, sa_type=Text, description="CR and 20 digits.")
    advertiser_id: str = Field(foreign_key="advertiser.advertiser_id", sa_type=Text)
    format: CreativeFormat = _choice(CreativeFormat, nullable=False)
    image_url: str | None = _text()
    video_link: str | None = _text("Preview script, without its nonces.")
    width: int | None = Field(default=None, description="Pixels.")
    height: int | None = Field(default=None, description="Pixels.")
    target_domain: str | None = _text()
    first_shown: datetime | None = _moment()
    last_shown: datetime | None = _moment(index=True)
    total_days_shown: int | None = Field(default=None, description="Days on which it was shown.")
    details_link: str | None = _text()
    views_min: int | None = Field(default=None, sa_type=BigInteger, description="Political only.")
    views_max: int | None = Field(default=None, sa_type=BigInteger, description="Political only.")
    budget_min: str | None = _text('As sent: "400 USD".')
    budget_max: str | None = _text('As sent: "400 USD".')
    regions: list[str] = _texts()
    platforms: list[str] = _texts()
    dropped_fields: list[str] = _texts()
    """Fields of the last answer that could not be read, with the reason."""
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
    created_at: datetime = _now()
    updated_at: datetime = _now()


class Watch(SQLModel, table=True):
    """A saved search that is swept again and again, and how far the sweeps have come.

    A change of its search resets it: `baseline_at` is empty, no creatives are linked.
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

    id: int = _key()
    user_id: int
    name: str = Field(sa_type=Text)
    advertiser_ids: list[str] = _texts()
    text: str | None = _text()
    region: str | None = _text("SerpApi code.")
    platform: Platform | None = _choice(Platform, default=None)
    creative_format: CreativeFormat | None = _choice(CreativeFormat, default=None)
    political_ads: bool = False
    is_active: bool = True
    interval_minutes: int = _whole(60)
    max_pages: int = _whole(5, "Searches a sweep, at most.")
    monthly_budget: int | None = None
    """Billed searches a calendar month (UTC); None: no bound."""
    ended_after_days: int = _whole(7, "An ad not shown for so long has ended.")
    details_per_sweep: int = _whole(0, "New ads looked up in detail, one search each.")
    due_at: datetime = _now()
    baseline_at: datetime | None = _moment()
    """Start of the fetch whose ads count as known from the start."""
    complete_at: datetime | None = _moment()
    """Start of the last fetch that reached the end or the watermark."""
    has_gaps: bool = _flag()
    """Some ads of the search may never have been seen; only launches count as new."""
    checked_at: datetime | None = _moment()
    coverage: Coverage | None = _choice(
        Coverage, default=None, description="Of the last check, as is `problem`."
    )
    problem: str | None = _text()
    digested_at: datetime | None = _moment("When a digest last reported it.")
    created_at: datetime = _now()
    updated_at: datetime = _now()


class Fetch(SQLModel, table=True):
    """The ledger: one fetch of one query, committed page by page. Source of all fetch figures."""

    __table_args__ = (
        _one_of("status", FetchStatus),
        _one_of("stop_reason", StopReason),
        Index(None, "query_hash", "started_at"),
        Index("ix_fetch_of_watch", "watch_id", "started_at"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    query: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    query_hash: str = Field(sa_type=Text)
    watch_id: int | None = _of_watch(index=False)
    flow_run_id: UUID | None = Field(default=None, index=True)
    is_dry_run: bool = _flag("Paid for, and none of its ads stored.")
    attempt: int = _whole(1, "Fencing token: each resume adds one, and only the newest may write.")
    status: FetchStatus = _choice(FetchStatus, nullable=False, default=FetchStatus.RUNNING)
    pages: int = 0
    searches_billed: int = 0
    searches_cached: int = 0
    search_ids: list[str] = _texts("SerpApi's ids, one a page.")
    next_page_token: str | None = _text()
    token_hashes: list[str] = _texts("Of every token it has followed.")
    shown_to: datetime | None = _moment("last_shown of its last row, if known.")
    total_results: int | None = Field(default=None, description="What SerpApi last claimed.")
    is_refreshed: bool = _flag()
    """It has paid for a fresh first page, since the cached one led nowhere."""
    new_count: int = 0
    changed_count: int = 0
    unchanged_count: int = 0
    rejected_count: int = 0
    stop_reason: StopReason | None = _choice(StopReason, default=None)
    error: str | None = _text()
    started_at: datetime = _now(index=True)
    updated_at: datetime = _now()
    finished_at: datetime | None = _moment()

    @property
    def listed(self) -> int:
        """Rows of all its pages, also those that could not be read."""
        return self.new_count + self.changed_count + self.unchanged_count + self.rejected_count


class RejectedRow(SQLModel, table=True):
    """A row of a page that could not be stored, with the reason; the rest of its page was."""

    __tablename__ = "rejected_row"

    id: int = _key()
    fetch_id: UUID = _belongs_to("fetch.id", index=True)
    reason: str = Field(sa_type=Text)
    row_key: str | None = _text("The same for the same row later.", index=True)
    payload: Any = Field(sa_column=Column(JSONB, nullable=False))
    created_at: datetime = _now()


class RateSlot(SQLModel, table=True):
    """One use of a rate-limited service, kept as long as it counts against its limit."""

    __tablename__ = "rate_slot"
    __table_args__ = (Index(None, "name", "taken_at"),)

    id: int = _key(BigInteger)
    name: str = Field(sa_type=Text)
    taken_at: datetime = Field(sa_type=_MOMENT)


class WatchCreative(SQLModel, table=True):
    """A creative as a watch knows it: when it matched, and in which state it last saw it.

    It stays when the creative is cleaned up, as long as the watch has this search: the source
    keeps listing old ads, which are no news.
    """

    __tablename__ = "watch_creative"
    __table_args__ = (_readable("last_shown"),)

    watch_id: int = _belongs_to("watch.id", primary_key=True)
    ad_creative_id: str = Field(sa_column=Column(Text, primary_key=True, index=True))
    advertiser_id: str | None = _text("Of the creative, for news of one that is removed.")
    first_matched_at: datetime = _now()
    last_matched_at: datetime = _now()
    content_hash: str = Field(
        sa_column=Column(Text, nullable=False, server_default=text("''")),
        description="The creative's, when this watch last saw it.",
    )
    last_shown: datetime | None = _moment("The latest that this watch has seen.")
    ended_at: datetime | None = _moment("When it was found ended; empty: it runs.")
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
        _one_of("kind", EventKind),
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

    id: int = _key()
    watch_id: int = _belongs_to("watch.id")
    ad_creative_id: str = Field(sa_column=Column(Text, nullable=False, index=True))
    kind: EventKind = _choice(EventKind, nullable=False)
    content_hash: str = Field(sa_type=Text)
    occurred_at: datetime = _now()
    announced_at: datetime | None = _moment()
    notified_at: datetime | None = _moment()


class CreativeDetail(SQLModel, table=True):
    """What the ad-details engine said of a creative; fetched once, for one watch or by hand.

    The row is made before the search is, so that a lost answer is fetched again (free from
    SerpApi's cache) and counted once; it is claimed until the search has to be over. It was paid,
    so it outlives the creative.
    """

    __tablename__ = "creative_detail"
    __table_args__ = (
        # With what is read of each, so that the table is not read for that.
        Index(
            "ix_creative_detail_landing_host", "landing_host", postgresql_include=["ad_creative_id"]
        ),
    )

    ad_creative_id: str = Field(primary_key=True, sa_type=Text)
    watch_id: int | None = _of_watch()
    asked_at: datetime = _now(index=True)
    attempts: int = _whole(1, "Searches that were made for it.")
    claimed_until: datetime | None = _moment(
        "Until when what a run asked may not be in SerpApi's cache yet."
    )
    answered_at: datetime | None = _moment()
    search_id: str | None = _text()
    searches_billed: int = _whole(0)
    searches_cached: int = _whole(0)
    headline: str | None = _text("Of the first variation.")
    snippet: str | None = _text()
    call_to_action: str | None = _text()
    landing_url: str | None = _text()
    landing_host: str | None = Field(
        sa_column=Column(
            Text,
            Computed(
                "regexp_replace(substring(lower(landing_url) FROM '^https?://([^/?#:]+)'), "
                "'^www[.]', '')",
                persisted=True,
            ),
        ),
        description="Of the landing page, without `www.`.",
    )
    funded_by: str | None = _text("Who paid, if known.")
    variations: list[dict[str, Any]] = Field(
        default_factory=list,
        sa_column=Column(JSONB, nullable=False, server_default=text("'[]'")),
        description="Every variation of the creative, as the service sent it.",
    )
    error: str | None = _text()


class CreativeRegion(SQLModel, table=True):
    """A country that a creative was shown in, by the ad-details engine; stays with its details."""

    __tablename__ = "creative_region"
    __table_args__ = (_readable("first_shown"), _readable("last_shown"))

    ad_creative_id: str = Field(primary_key=True, sa_type=Text)
    region: str = Field(primary_key=True, index=True, sa_type=Text, description="SerpApi code.")
    first_shown: date | None = Field(default=None, sa_column=Column(Date))
    last_shown: date | None = Field(default=None, sa_column=Column(Date))
    times_shown: str | None = _text('As sent: "0 - 1000".')
    first_seen_at: datetime = _now()


class NewVersion(SQLModel, table=True):
    """A version of a creative's picture that a page has stored, until the archive enqueues it.

    It is written with the page, so that no version is missed and none is looked for among all ads;
    without an index but its key, so that it costs the page next to nothing.
    """

    __tablename__ = "new_version"

    id: int = _key(BigInteger)
    ad_creative_id: str = Field(sa_type=Text)
    content_hash: str = Field(sa_type=Text)
    source_url: str = Field(sa_type=Text)
    is_preview: bool = _flag("The address is that of a preview script.")
    seen_at: datetime = _now()


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
        _one_of("status", PictureStatus),
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

    id: int = _key(BigInteger)
    ad_creative_id: str = Field(sa_type=Text)
    content_hash: str = Field(sa_type=Text)
    status: PictureStatus = _choice(PictureStatus, nullable=False, default=PictureStatus.PENDING)
    source_url: str | None = _text("Of the picture or the preview script; None: never known.")
    is_preview: bool = _flag("The address is that of a preview script.")
    sha256: str | None = _text("Of the picture as it was downloaded or rendered.")
    path: str | None = _text("In the media store.")
    thumbnail_path: str | None = _text("In the media store; WebP.")
    width: int | None = Field(default=None, description="Pixels.")
    height: int | None = Field(default=None, description="Pixels.")
    perceptual_hash: str | None = _text("64 hexadecimal digits.")
    picture_bytes: int | None = None
    thumbnail_bytes: int | None = None
    attempts: int = _whole(0)
    next_attempt_at: datetime = _now()
    failure: str | None = _text("The cause of the last attempt's failure.")
    first_seen_at: datetime = _now()
    stored_at: datetime | None = _moment()


class PictureWords(SQLModel, table=True):
    """The words that were read from a picture, once, whichever ads and versions show it.

    The row is made when the picture is in the archive and no copy of its ads was bought. `attempts`
    are as of `PictureVersion`.
    """

    __tablename__ = "picture_words"
    __table_args__ = (
        _one_of("status", ReadingStatus),
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
    status: ReadingStatus = _choice(ReadingStatus, nullable=False, default=ReadingStatus.PENDING)
    lines: list[str] = _texts("From top to bottom; none: it has no words, or none that were read.")
    headline: str | None = _text("The lines with the largest letters: a guess.")
    language: str | None = _text("ISO 639, as `en`; NULL: it cannot be told.")
    script: str | None = _text("As `latin`; where most lines were not read, theirs, or `unknown`.")
    unread_lines: int = _whole(0, "That could not be read.")
    confidence: float | None = Field(default=None, description="How sure, from 0 to 1.")
    engine: str | None = _text("That read them, with its version.")
    attempts: int = _whole(0)
    next_attempt_at: datetime = _now()
    failure: str | None = _text("The cause of the last attempt's failure.")
    seen_at: datetime = _now()
    read_at: datetime | None = _moment()


class Board(SQLModel, table=True):
    """A user's named collection of stored ads."""

    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: int = _key()
    user_id: int
    name: str = Field(sa_type=Text)
    created_at: datetime = _now()


class BoardCreative(SQLModel, table=True):
    """An ad on a board. It stays at clean-up, so its creative is never deleted beneath it."""

    __tablename__ = "board_creative"

    board_id: int = _belongs_to("board.id", primary_key=True)
    ad_creative_id: str = Field(
        sa_column=Column(ForeignKey("creative.ad_creative_id"), primary_key=True, index=True)
    )
    added_at: datetime = _now()
    place: int = _whole(0, "Smaller ones are shown first.")
    note: str | None = _text()


class BoardLink(SQLModel, table=True):
    """A link by which whoever has it sees a board until it expires."""

    __tablename__ = "board_link"

    id: int = _key()
    board_id: int = _belongs_to("board.id", index=True)
    token_hash: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    created_at: datetime = _now()
    expires_at: datetime = Field(sa_column=Column(_MOMENT, nullable=False))


class AppUser(SQLModel, table=True):
    """The name of a user, whose number all data bears; numbers without a name are users too."""

    __tablename__ = "app_user"
    __table_args__ = (
        CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="name"),
        CheckConstraint("name_key !~ '^[+-]?[0-9]*$'", name="name_key"),
    )

    user_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    name: str = Field(sa_type=Text)
    name_key: str = Field(
        sa_column=Column(Text, nullable=False, unique=True),
        description="The same for names that differ in case only.",
    )
    created_at: datetime = _now()


class SearchShare(SQLModel, table=True):
    """A user's weight: their share of the searches of sweeps, where these are too few for all.

    A user who has none here has the weight 1, named or not.
    """

    __tablename__ = "search_share"
    __table_args__ = (CheckConstraint("weight BETWEEN 1 AND 100", name="weight"),)

    user_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    weight: int


class Account(SQLModel, table=True):
    """How a user signs in to the gallery: a password, kept as its Argon2 hash, and a role."""

    __table_args__ = (_one_of("role", Role),)

    user_id: int = Field(
        sa_column=Column(
            Integer,
            ForeignKey("app_user.user_id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        )
    )
    password_hash: str = Field(sa_type=Text)
    role: Role = _choice(Role, nullable=False)
    locked_at: datetime | None = _moment()
    updated_at: datetime = _now()


class AccountSession(SQLModel, table=True):
    """A browser in which an account is signed in, by the hash of its cookie."""

    __tablename__ = "account_session"

    token_hash: str = Field(primary_key=True, sa_type=Text)
    user_id: int = _belongs_to("account.user_id", index=True)
    expires_at: datetime = Field(sa_column=Column(_MOMENT, nullable=False))


class UserTag(SQLModel, table=True):
    """A tag that a user has on any ad, in the one way that it is written.

    The database makes the row with the tag's first ad, and writes the tag of each further ad in the
    same way: tags that differ in case only are one.
    """

    __tablename__ = "user_tag"
    __table_args__ = (Index("uq_user_tag_key", "user_id", text("tag_key(tag)"), unique=True),)

    user_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    tag: str = Field(primary_key=True, sa_type=Text)
    created_at: datetime = _now()


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
    created_at: datetime = _now()


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
    created_at: datetime = _now()


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
    title: str | None = _text()
    note: str | None = _text()
    is_title_shared: bool = _flag("All users see it.")
    is_note_shared: bool = _flag("All users see it.")
    created_at: datetime = _now()


class AdvertiserDomain(SQLModel, table=True):
    """A domain that any stored ad of an advertiser has led to; written with the ads."""

    __tablename__ = "advertiser_domain"
    __table_args__ = (
        Index("ix_search_advertiser_domain", text("search_domain(domain)"), postgresql_using="gin"),
    )

    domain: str = Field(primary_key=True, sa_type=Text)
    advertiser_id: str = _belongs_to("advertiser.advertiser_id", primary_key=True, index=True)


class SearchDocument(SQLModel, table=True):
    """What a search finds an ad by, where more is known of it than its own row says.

    Made by triggers (migration 0010) from details, domain and tags; the advertiser and the tags
    are in it as keys.
    """

    __tablename__ = "search_document"

    ad_creative_id: str = Field(primary_key=True, sa_type=Text)
    number: int = Field(
        default=None,
        sa_column=Column(BigInteger, Identity(always=True), nullable=False, index=True),
        description="Greater for what was learned later.",
    )
    document: str = Field(
        sa_column=Column(TSVECTOR, nullable=False),
        description="Weights: A headlines, B other copy, C advertiser, D domains and tags.",
    )
    has_words: bool = Field(description="Its copy is known, not only where it leads or a tag.")

    __table_args__ = (Index(None, "document", postgresql_using="gin"),)


class SearchWord(SQLModel, table=True):
    """A word of any document: what a misspelled one is compared with."""

    __tablename__ = "search_word"

    word: str = Field(primary_key=True, sa_type=Text)


class Message(SQLModel, table=True):
    """The outbox: a message to one receiver, which is written once and never sent twice.

    It goes in as many chunks (`parts`) as the receiver's service wants; how many are delivered is
    noted with each. `sending_at` is set before a chunk is sent. A message that has it and is
    neither delivered nor failed met a crash on the way: nobody knows whether that chunk was
    delivered, so it is not sent again.
    """

    __table_args__ = (Index(None, "created_at", postgresql_where=text("delivered_at IS NULL")),)

    id: int = _key()
    subject: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text, description="Markdown.")
    recipient: str = Field(sa_type=Text, description="Hash of the address, which is a secret.")
    parts: list[dict[str, Any]] | None = _json()
    """Title and body of each, fixed before the first is sent."""
    parts_delivered: int = _whole(0)
    created_at: datetime = _now()
    attempts: int = _whole(0)
    sending_at: datetime | None = _moment()
    delivered_at: datetime | None = _moment()
    error: str | None = _text()


class AdVariant(SQLModel, table=True):
    """A generated variant of a creative, from request to result.

    Only who holds the lock of a variant works on it; `processing` without a holder is what a dead
    run left behind. `asked_at` is set before the generation is submitted, `receipt_*` as soon as
    the generator has named it: whoever comes later looks there before it submits, and pays, again.
    """

    __tablename__ = "ad_variant"
    __table_args__ = (
        _one_of("status", VariantStatus),
        CheckConstraint("confidence_score BETWEEN 0 AND 1", name="confidence_score"),
        CheckConstraint("attempt > 0", name="attempt"),
        CheckConstraint("failed_rules >= 0", name="failed_rules"),
        Index(None, "status", "requested_at"),
        Index(
            "ix_ad_variant_without_thumbnail",
            "id",
            postgresql_where=text("image_path IS NOT NULL AND thumbnail_path IS NULL"),
        ),
        Index(
            "ix_ad_variant_figures",
            "user_id",
            "id",
            postgresql_include=[
                "status",
                "wants_review",
                "is_too_close",
                "started_at",
                "completed_at",
            ],
        ),
        Index(
            "ix_ad_variant_to_review",
            "id",
            postgresql_where=text("status = 'completed' AND wants_review"),
        ),
        Index(
            "ix_ad_variant_unsubmitted",
            "user_id",
            postgresql_where=text("status IN ('pending', 'processing') AND asked_at IS NULL"),
        ),
    )

    id: int = _key()
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
    original_version: str | None = _text("The content hash of the ad as it was rendered.")
    parent_id: int | None = Field(
        default=None,
        sa_column=Column(ForeignKey("ad_variant.id", ondelete="SET NULL"), index=True),
        description="The variant that it is a variant of; None: of the ad itself.",
    )
    batch_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("variant_batch.id"), index=True)
    )
    user_id: int
    workspace_id: int | None = None
    status: VariantStatus = _choice(VariantStatus, nullable=False, default=VariantStatus.PENDING)
    prompt: str = Field(sa_type=Text)
    wants_review: bool = _flag()
    attempt: int = _whole(1, "Each may be paid for once.")
    requested_by: UUID | None = Field(
        default=None,
        sa_column=Column(Uuid, unique=True),
        description="The flow run that made the row; its retry finds it.",
    )
    flow_run_id: UUID | None = Field(default=None, description="The run that works on it.")
    review_run_id: UUID | None = Field(default=None, description="The run that waits for a review.")
    generator: str | None = _text()
    asked_at: datetime | None = _moment()
    receipt_run_id: str | None = _text("Dify's run.")
    receipt_task_id: str | None = _text("Dify's task.")
    generated: dict[str, Any] | None = _json()
    """What the generation gave, until it is all fetched and kept."""
    title: str | None = _text()
    description: str | None = _text("The copy.")
    original_path: str | None = _text("In the media store.")
    original_sha256: str | None = _text()
    image_path: str | None = _text("In the media store.")
    image_sha256: str | None = _text()
    thumbnail_path: str | None = _text("In the media store; None: there is no picture, or not yet.")
    picture_similarity: float | None = None
    text_similarity: float | None = None
    is_too_close: bool = _flag()
    confidence_score: float | None = None
    response_metadata: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default=text("'{}'"))
    )
    rule_check: dict[str, Any] | None = _json()
    """Of `adspark.rules.verdicts`; None: there were no rules when it was completed."""
    failed_rules: int = _whole(0, "Of them; approving it wants a reason.")
    problem: str | None = _text("What a completed variant lacks, and why.")
    error: str | None = _text()
    error_kind: str | None = _text("Of adspark.errors.")
    requested_at: datetime = _now()
    started_at: datetime | None = _moment()
    completed_at: datetime | None = _moment()

    @property
    def workflow(self) -> str | None:
        """The workflow or model that made it, where the service says it."""
        return _said(self.response_metadata, "workflow_id") or _said(
            self.response_metadata, "model"
        )

    @property
    def seed(self) -> str | None:
        """The seed that the workflow drew from, where it says it."""
        return _said(self.response_metadata, "seed")


class VariantBatch(SQLModel, table=True):
    """Variants that were requested together: each of its prompts for each of its ads."""

    __tablename__ = "variant_batch"
    __table_args__ = (
        _one_of("state", BatchState),
        CheckConstraint("already_there >= 0", name="already_there"),
    )

    id: int = _key()
    key: UUID = Field(
        sa_column=Column(Uuid, nullable=False, unique=True),
        description="Of the request, so that it is made once.",
    )
    user_id: int
    state: BatchState = _choice(BatchState, nullable=False, default=BatchState.RUNNING)
    already_there: int = _whole(0, "Variants that were left out, for there are such already.")
    created_at: datetime = _now()


class GenerationBudget(SQLModel, table=True):
    """How many generations a user may have in a month, by UTC; who has none here has no bound."""

    __tablename__ = "generation_budget"
    __table_args__ = (CheckConstraint("monthly >= 0", name="monthly"),)

    user_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    monthly: int


class GenerationUse(SQLModel, table=True):
    """A generation that was submitted, and so may be paid: one for each attempt of a variant.

    It outlives its variant.
    """

    __tablename__ = "generation_use"
    __table_args__ = (Index(None, "user_id", "used_at"),)

    variant_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    attempt: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    user_id: int
    used_at: datetime = _now()


def _said(metadata: dict[str, Any], name: str) -> str | None:
    """What a service said under this name; None where it did not."""
    value = metadata.get(name)
    return str(value) if isinstance(value, str | int) and str(value) else None


class VariantFeedback(SQLModel, table=True):
    """What a person thought of a variant, one each."""

    __tablename__ = "variant_feedback"
    __table_args__ = (
        UniqueConstraint("variant_id", "user_id"),
        Index(
            "ix_variant_feedback_latest",
            "variant_id",
            text("updated_at DESC"),
            text("id DESC"),
            postgresql_include=["is_approved", "rating"],
        ),
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
        CheckConstraint(f"reasons <@ ARRAY[{_listed(ReviewReason)}]", name="reasons"),
        CheckConstraint("overrule_reason ~ '[^[:space:]]'", name="overrule_reason"),
    )

    id: int = _key()
    variant_id: int = _belongs_to("ad_variant.id")
    user_id: int
    is_approved: bool | None = Field(default=None, description="None while open.")
    rating: int | None = None
    comment: str | None = _text()
    accepts_closeness: bool = _flag("Knows that it is close to the original.")
    reasons: list[str] = _texts()
    overrule_reason: str | None = _text("Why it is approved although it breaks rules.")
    created_at: datetime = _now()
    updated_at: datetime = _now()


class RuleVersion(SQLModel, table=True):
    """A file of brand rules as it was set; the latest of a user, and of the workspace, counts."""

    __tablename__ = "rule_version"
    __table_args__ = (
        UniqueConstraint("user_id", "version", postgresql_nulls_not_distinct=True),
        CheckConstraint("version > 0", name="version"),
    )

    id: int = _key()
    user_id: int | None = Field(default=None, description="None: the workspace's.")
    version: int
    source: str = Field(sa_type=Text, description="YAML.")
    created_at: datetime = _now()
