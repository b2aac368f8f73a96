"""How complete the looks of a watch were, so that "nothing new" is said only where it is known."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, Field

from adspark.models import Coverage

OVERDUE_AFTER = timedelta(hours=1)
"""How long after it is due a watch is looked at late: two sweeps have passed it over."""


class LookState(StrEnum):
    """What is known of the time since a moment.

    Only COMPLETE allows to say that nothing is new. WAITING: complete, but before that moment.
    """

    PAUSED = "paused"
    NEVER = "never"
    FAILED = "failed"
    PARTIAL = "partial"
    WAITING = "waiting"
    COMPLETE = "complete"


class WatchLooks(BaseModel):
    """How the looks of a watch went; see the table `watch`."""

    is_active: bool
    next_look: datetime | None = Field(
        description="None: never, for it is paused or its budget is 0."
    )
    checked_at: datetime | None
    coverage: Coverage | None
    problem: str | None
    baseline_at: datetime | None
    complete_at: datetime | None = Field(description="Start of the last complete look.")
    has_gaps: bool

    @property
    def is_overdue(self) -> bool:
        """Whether nobody looks at it though it is due."""
        return self.next_look is not None and self.next_look < datetime.now(UTC) - OVERDUE_AFTER

    def begins_after(self, since: datetime) -> bool:
        """Whether it was first looked at only after that moment."""
        return self.baseline_at is not None and self.baseline_at > since

    def state(self, since: datetime | None = None) -> LookState:
        """What is known of the time since then; None: as of the last look."""
        if not self.is_active:
            return LookState.PAUSED
        if self.checked_at is None or self.coverage is None:
            return LookState.NEVER
        if self.coverage is Coverage.NONE:
            return LookState.FAILED
        if self.coverage is Coverage.PARTIAL or self.complete_at is None:
            return LookState.PARTIAL
        if since is not None and self.complete_at < since:
            return LookState.WAITING
        return LookState.COMPLETE
