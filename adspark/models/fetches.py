"""Fetches, the rows that they rejected, and the slots of rate limits."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Column, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from adspark.models import columns


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


class Fetch(SQLModel, table=True):
    """The ledger: one fetch of one query, committed page by page. Source of all fetch figures."""

    __table_args__ = (
        columns.one_of("status", FetchStatus),
        columns.one_of("stop_reason", StopReason),
        Index(None, "query_hash", "started_at"),
        Index("ix_fetch_of_watch", "watch_id", "started_at"),
        Index(
            "ix_fetch_running",
            "query_hash",
            "watch_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("status = 'running' AND NOT is_dry_run"),
        ),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    query: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    query_hash: str = Field(sa_type=Text)
    watch_id: int | None = columns.of_watch(index=False)
    flow_run_id: UUID | None = Field(default=None, index=True)
    is_dry_run: bool = columns.flag("Paid for, and none of its ads stored.")
    attempt: int = columns.whole_number(
        1, "Fencing token: each resume adds one, and only the newest may write."
    )
    status: FetchStatus = columns.choice(FetchStatus, nullable=False, default=FetchStatus.RUNNING)
    pages: int = 0
    searches_billed: int = 0
    searches_cached: int = 0
    search_ids: list[str] = columns.texts("SerpApi's ids, one a page.")
    next_page_token: str | None = columns.optional_text()
    token_hashes: list[str] = columns.texts("Of every token it has followed.")
    shown_to: datetime | None = columns.moment("last_shown of its last row, if known.")
    total_results: int | None = Field(default=None, description="What SerpApi last claimed.")
    is_refreshed: bool = columns.flag()
    """It has paid for a fresh first page, since the cached one led nowhere."""
    new_count: int = 0
    changed_count: int = 0
    unchanged_count: int = 0
    rejected_count: int = 0
    stop_reason: StopReason | None = columns.choice(StopReason, default=None)
    error: str | None = columns.optional_text()
    started_at: datetime = columns.now(index=True)
    updated_at: datetime = columns.now()
    finished_at: datetime | None = columns.moment()

    @property
    def listed(self) -> int:
        """Rows of all its pages, also those that could not be read."""
        return self.new_count + self.changed_count + self.unchanged_count + self.rejected_count


class RejectedRow(SQLModel, table=True):
    """A row of a page that could not be stored, with the reason; the rest of its page was."""

    __tablename__ = "rejected_row"

    id: int = columns.key()
    fetch_id: UUID = columns.belongs_to("fetch.id", index=True)
    reason: str = Field(sa_type=Text)
    row_key: str | None = columns.optional_text("The same for the same row later.", index=True)
    payload: Any = Field(sa_column=Column(JSONB, nullable=False))
    created_at: datetime = columns.now()


class RateSlot(SQLModel, table=True):
    """One use of a rate-limited service, kept as long as it counts against its limit."""

    __tablename__ = "rate_slot"
    __table_args__ = (Index(None, "name", "taken_at"),)

    id: int = columns.key(BigInteger)
    name: str = Field(sa_type=Text)
    taken_at: datetime = Field(sa_type=columns.MOMENT)
