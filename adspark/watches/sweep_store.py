"""Every statement on what became of a sweep: which watches wait, and the summary of them all."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.details import WAITING, DetailsSummary
from adspark.models import Coverage
from adspark.text.counts import counted
from adspark.watches.budgets import NEXT_MONTH
from adspark.watches.check import WatchSummary
from adspark.watches.events import EventCounts
from adspark.watches.sharing.due import DueWatch

SEARCHING = 0.9
"""Share of a sweep's time limit in which searches may begin; the rest is for their end."""

SAMPLE_SIZE = 50
"""Watches that a summary names; the database has them all."""

# What waits for its budget is due exactly as the month after its check begins; nothing else is.
_SUMMARISE = text(f"""
    WITH mine AS (
        SELECT id, problem, coverage, is_active, coverage = 'none' AS is_blind,
            (checked_at BETWEEN :since AND now()) IS TRUE AS is_tried,
            due_at = {NEXT_MONTH.replace("now()", "checked_at")} AS is_over_budget
        FROM watch WHERE id = ANY (:watch_ids)
    ), ledger AS (
        SELECT pages, searches_billed, searches_cached, 0 AS details FROM "fetch"
        WHERE watch_id = ANY (:watch_ids) AND updated_at >= :since
        UNION ALL
        SELECT 0, searches_billed, searches_cached,
            (answered_at IS NOT NULL AND error IS NULL)::int
        FROM creative_detail
        WHERE watch_id = ANY (:watch_ids) AND greatest(asked_at, answered_at) >= :since
    )
    SELECT
        (SELECT json_build_object(
            'checked', count(*) FILTER (WHERE is_tried AND NOT is_blind),
            'partial', count(*) FILTER (WHERE is_tried AND coverage = 'partial'),
            'over_budget', count(*) FILTER (WHERE is_tried AND is_blind AND is_over_budget),
            'failed', count(*) FILTER (WHERE is_tried AND is_blind AND NOT is_over_budget),
            'waiting', count(*) FILTER (WHERE CASE WHEN is_tried THEN is_blind AND is_over_budget
                ELSE is_active END),
            'skipped', cardinality(CAST(:watch_ids AS int[]))
                - count(*) FILTER (WHERE is_tried OR is_active)
        ) FROM mine) AS counts,
        (SELECT json_build_object(
            'pages', coalesce(sum(pages), 0), 'details', coalesce(sum(details), 0),
            'searches_billed', coalesce(sum(searches_billed), 0),
            'searches_cached', coalesce(sum(searches_cached), 0)
        ) FROM ledger) AS costs,
        (SELECT count(DISTINCT (e.watch_id, e.ad_creative_id)) {WAITING} AND e.watch_id IN (
            SELECT id FROM watch WHERE id = ANY (:watch_ids) AND is_active AND details_per_sweep > 0
        )) AS details_waiting,
        (SELECT coalesce(json_object_agg(kind, number), '{{}}') FROM (
            SELECT kind, count(*) AS number FROM creative_event
            WHERE watch_id = ANY (:watch_ids) AND occurred_at >= :since GROUP BY kind
        ) AS counted) AS events,
        (SELECT coalesce(json_agg(json_build_object('watch_id', id, 'reason', problem)), '[]')
         FROM (SELECT * FROM mine WHERE is_tried AND is_blind ORDER BY id LIMIT :sample) AS blind
        ) AS problems,
        (SELECT coalesce(json_object_agg(problem, number), '{{}}') FROM (
            SELECT problem, count(*) AS number FROM mine WHERE is_tried AND is_blind GROUP BY 1
        ) AS counted) AS reasons
""")  # noqa: S608  (put together from a constant)
# One that another run has checked meanwhile stays as it is, unless it is due again.
_POSTPONE = text("""
    UPDATE watch SET checked_at = now(), coverage = 'none', problem = :problem
    WHERE id = ANY (:watch_ids) AND is_active
        AND (due_at <= now() OR (checked_at BETWEEN :since AND now()) IS NOT TRUE)
""")


class SweepPlan(BaseModel):
    """The due watches in the order of `read_due`, and the searches that the account has for them.

    These are None where it does not say; `began_at` is by the database's clock.
    """

    began_at: datetime
    due: list[DueWatch]
    searches: int | None = None
    shortage: str = ""


class Problem(BaseModel):
    """A watch that could not be checked, and why."""

    watch_id: int
    reason: str


class SweepSummary(BaseModel):
    """What a sweep came to; `due` is the sum of `checked`, `failed`, `waiting` and `skipped`."""

    due: int = 0
    checked: int = 0  # with coverage
    partial: int = 0  # of these, without all of it
    failed: int = 0  # for a reason of their own, after all retries
    waiting: int = 0  # for searches, time or their budget
    over_budget: int = 0  # of these, for their budget
    skipped: int = 0  # claimed by another run, paused or deleted meanwhile
    retried: int = 0
    pages: int = 0
    searches_billed: int = 0
    searches_cached: int = 0
    details: int = 0  # new ads looked up in detail
    details_waiting: int = 0
    details_given_up: int = 0  # after too many failures
    details_problems: dict[str, int] = Field(default_factory=dict)  # reason to how often
    events: EventCounts = Field(default_factory=EventCounts)
    reasons: dict[str, int] = Field(default_factory=dict)  # of those that failed or wait
    problems: list[Problem] = Field(default_factory=list)  # the first watches of those
    sandbox: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether every due watch was checked, or waits for nothing but its own budget."""
        return self.failed == 0 and self.waiting == self.over_budget

    def with_skipped(self, last: "SweepSummary") -> "SweepSummary":
        """This summary by the database, which does not know what the `last` part of the sweep has:
        watches that another run had claimed wait for nothing, and whether the data are a sandbox's.
        """
        claimed = min(last.skipped, self.waiting - self.over_budget)
        changes = {
            "waiting": self.waiting - claimed,
            "skipped": self.skipped + claimed,
            "retried": last.retried,
            "sandbox": last.sandbox,
        }
        return self.model_copy(update=changes)

    @property
    def headline(self) -> str:
        """The summary in one line."""
        parts = [self._checked]
        outcomes = (
            (self.failed, "failed"),
            (self.waiting, "wait"),
            (self.partial, "with partial coverage"),
            (self.skipped, "skipped"),
        )
        parts += [f"{number} {words}" for number, words in outcomes if number]
        if self.reasons:
            parts.append(_most_frequent(self.reasons))
        if self.details or self.details_waiting or self.details_given_up or self.details_problems:
            parts.append(str(self._all_details))
        parts.append(f"searches: {self.searches_billed} billed, {self.searches_cached} cached")
        return ". ".join(parts) + "."

    @property
    def _checked(self) -> str:
        """How many were checked, and what is new, which nobody knows where none was."""
        if not self.due:
            return "No watch was due"
        checked = f"{self.checked} of {counted(self.due, 'due watch')} checked"
        return f"{checked}: {self.events}" if self.checked else checked

    def count(self, checked: WatchSummary) -> None:
        """Add a watch that was checked, or that waits for its budget."""
        self.pages += checked.pages
        self.searches_billed += checked.searches_billed
        self.searches_cached += checked.searches_cached
        if checked.details:
            self._count_details(checked.details)
        self.events.add(checked.events)
        self.sandbox = self.sandbox or checked.sandbox
        if checked.coverage is Coverage.NONE:
            self.waiting += 1
            self.over_budget += 1
            self.explain(checked.watch_id, "their month's budget is spent")
            return
        self.checked += 1
        self.partial += checked.coverage is Coverage.PARTIAL

    def _count_details(self, details: DetailsSummary) -> None:
        self.details += details.found
        self.details_waiting += details.waiting
        self.details_given_up += details.given_up
        if problem := details.problem:
            self.details_problems[problem] = self.details_problems.get(problem, 0) + 1

    @property
    def _all_details(self) -> DetailsSummary:
        return DetailsSummary(
            found=self.details,
            waiting=self.details_waiting,
            given_up=self.details_given_up,
            problem=_most_frequent(self.details_problems) or None,
        )

    def explain(self, watch_id: int, reason: str) -> None:
        """Note why a watch could not be checked."""
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        if len(self.problems) < SAMPLE_SIZE:
            self.problems.append(Problem(watch_id=watch_id, reason=reason))


async def summarise_sweep(
    session: AsyncSession, *, watch_ids: Sequence[int], since: datetime
) -> SweepSummary:
    """What became of the watches of a sweep that began then, whoever checked them.

    Args:
        watch_ids: of the sweep.
        since: when it began.
    """
    values = {"watch_ids": list(watch_ids), "since": since, "sample": SAMPLE_SIZE}
    found = (await session.execute(_SUMMARISE, values)).one()
    if not_begun := found.counts["waiting"] - found.counts["over_budget"]:
        found.reasons["not begun"] = not_begun
    return SweepSummary(
        due=len(watch_ids),
        **found.counts,
        **found.costs,
        details_waiting=found.details_waiting,
        events=found.events,
        reasons=found.reasons,
        problems=found.problems,
    )


def _most_frequent(reasons: Mapping[str, int]) -> str:
    ordered = sorted(reasons.items(), key=lambda item: -item[1])
    return "; ".join(f"{number} × {reason}" for reason, number in ordered[:3])


async def postpone_watches(
    session: AsyncSession, *, reasons: Mapping[str, Sequence[int]], since: datetime
) -> None:
    """Note on watches why they could not be checked; they stay due. Does not commit.

    Args:
        reasons: numbers of watches by the reason.
        since: when the sweep began; what another run has checked since stays as it is.
    """
    for problem, watch_ids in reasons.items():
        values = {"problem": problem, "watch_ids": list(watch_ids), "since": since}
        await session.execute(_POSTPONE, values)
