"""Sweep: check every due watch, the most overdue first, many at once.

One watch's failure stops no other. What failed for the moment is tried again after a while, others
going on meanwhile. A sweep starts no search that the account has none left for, and none that it
has no time for; whatever waits for that stays due and is the first next time.
"""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.checking import Checker, WatchSummary
from adspark.errors import (
    AdSparkError,
    BusyError,
    DatabaseUnavailableError,
    InvalidCredentialsError,
    PermanentError,
    PostponedError,
    QuotaExhaustedError,
    UnknownWatchError,
)
from adspark.models import Coverage
from adspark.serpapi import Gate, no_gate
from adspark.serpapi_payloads import AccountPayload
from adspark.watch_events import EventCounts

AT_ONCE = 30
"""Watches that are checked at the same time: more than searches are under way at once (see
`serpapi.AT_ONCE`), so that no search waits for the database's work on another watch."""
SAMPLE_SIZE = 50
"""Watches that a summary names; the database has them all."""

# A watch that falls due in a moment is taken along, or it would wait for the next sweep. Not
# earlier than it is due: SerpApi would answer from its cache, which has no news.
_LOOK_AHEAD = "1 minute"

_DUE = text(f"""
    SELECT id, greatest(0, extract(epoch FROM due_at - now()))::float8 AS wait FROM watch
    WHERE is_active AND due_at <= now() + interval '{_LOOK_AHEAD}'
    ORDER BY due_at, id
""")  # noqa: S608  (put together from constants)
# What is left of a part of a sweep: watches that are still due and were not tried since.
_LEFT = text(f"""
    SELECT id, greatest(0, extract(epoch FROM due_at - now()))::float8 AS wait FROM watch
    WHERE is_active AND due_at <= now() + interval '{_LOOK_AHEAD}' AND id = ANY (:watch_ids)
        AND (checked_at IS NULL OR checked_at < :since)
    ORDER BY due_at, id
""")  # noqa: S608  (put together from constants)
_GATHER = text("""
    WITH mine AS (
        SELECT id, problem, coverage, is_active, coverage = 'none' AS is_blind,
            checked_at >= :since IS TRUE AS is_tried,
            due_at >= date_trunc('month', now(), 'UTC') + interval '1 month' AS is_over_budget
        FROM watch WHERE id = ANY (:watch_ids)
    ), ledger AS (
        SELECT pages, searches_billed, searches_cached, 0 AS details FROM "fetch"
        WHERE watch_id = ANY (:watch_ids) AND updated_at >= :since
        UNION ALL
        SELECT 0, searches_billed, searches_cached, 1 FROM creative_detail
        WHERE watch_id = ANY (:watch_ids) AND answered_at >= :since
    )
    SELECT
        (SELECT json_build_object(
            'checked', count(*) FILTER (WHERE is_tried AND NOT is_blind),
            'partial', count(*) FILTER (WHERE is_tried AND coverage = 'partial'),
            'over_budget', count(*) FILTER (WHERE is_tried AND is_blind AND is_over_budget),
            'failed', count(*) FILTER (WHERE is_tried AND is_blind AND NOT is_over_budget),
            'waiting', count(*) FILTER (WHERE NOT is_tried AND is_active)
        ) FROM mine) AS counts,
        (SELECT json_build_object(
            'pages', coalesce(sum(pages), 0), 'details', coalesce(sum(details), 0),
            'searches_billed', coalesce(sum(searches_billed), 0),
            'searches_cached', coalesce(sum(searches_cached), 0)
        ) FROM ledger) AS costs,
        (SELECT coalesce(json_object_agg(kind, number), '{}') FROM (
            SELECT kind, count(*) AS number FROM creative_event
            WHERE watch_id = ANY (:watch_ids) AND occurred_at >= :since GROUP BY kind
        ) AS counted) AS events,
        (SELECT coalesce(json_agg(json_build_object('watch_id', id, 'reason', problem)), '[]')
         FROM (SELECT * FROM mine WHERE is_tried AND is_blind ORDER BY id LIMIT :sample) AS blind
        ) AS problems,
        (SELECT coalesce(json_object_agg(problem, number), '{}') FROM (
            SELECT problem, count(*) AS number FROM mine WHERE is_tried AND is_blind GROUP BY 1
        ) AS counted) AS reasons
""")
_POSTPONE = text("""
    UPDATE watch SET checked_at = now(), coverage = 'none', problem = :problem
    WHERE id = ANY (:watch_ids) AND is_active
""")


class Due(NamedTuple):
    """A watch that is due, or will be in `wait` seconds."""

    watch_id: int
    wait: float = 0.0


class Problem(BaseModel):
    """A watch that could not be looked at, or not fully, and why."""

    watch_id: int
    reason: str


class SweepSummary(BaseModel):
    """What a sweep came to; `due` is the sum of `checked`, `failed`, `waiting` and `skipped`.

    Attributes:
        checked: looked at; of these `partial` not fully.
        failed: for a reason of their own, after all retries.
        waiting: for searches, time or their budget.
        skipped: in another run's hands, paused or deleted meanwhile.
        reasons: how often each reason came up among those that failed or wait.
        problems: the first watches of those, by name of the reason.
    """

    due: int = 0
    checked: int = 0
    partial: int = 0
    failed: int = 0
    waiting: int = 0
    over_budget: int = 0
    skipped: int = 0
    retried: int = 0
    pages: int = 0
    searches_billed: int = 0
    searches_cached: int = 0
    details: int = 0
    events: EventCounts = Field(default_factory=EventCounts)
    reasons: dict[str, int] = Field(default_factory=dict)
    problems: list[Problem] = Field(default_factory=list)
    sandbox: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether every due watch was looked at, or waits for nothing but its own budget."""
        return self.failed == 0 and self.waiting == self.over_budget

    @property
    def headline(self) -> str:
        """The summary in one line."""
        parts = [f"{self.checked} of {self.due} due watches checked: {self.events}"]
        for number, words in (
            (self.failed, "failed"),
            (self.waiting, "wait"),
            (self.partial, "only in part"),
            (self.skipped, "skipped"),
        ):
            if number:
                parts.append(f"{number} {words}")
        if self.reasons:
            told = sorted(self.reasons.items(), key=lambda item: -item[1])
            parts.append("; ".join(f"{number} × {reason}" for reason, number in told[:3]))
        parts.append(f"searches: {self.searches_billed} billed, {self.searches_cached} cached")
        return ". ".join(parts) + "."

    def count(self, checked: WatchSummary) -> None:
        """Add a watch that was checked, or that waits for its budget."""
        self.pages += checked.pages
        self.searches_billed += checked.searches_billed
        self.searches_cached += checked.searches_cached
        self.details += checked.details.found if checked.details else 0
        self.events.add(checked.events)
        self.sandbox = self.sandbox or checked.sandbox
        if checked.coverage is Coverage.NONE:
            self.waiting += 1
            self.over_budget += 1
            self.explain(checked.watch_id, "their month's budget is spent")
            return
        self.checked += 1
        if checked.coverage is Coverage.PARTIAL:
            self.partial += 1

    def explain(self, watch_id: int, reason: str) -> None:
        """Note why a watch could not be looked at."""
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        if len(self.problems) < SAMPLE_SIZE:
            self.problems.append(Problem(watch_id=watch_id, reason=reason))


def searches_left(account: AccountPayload) -> tuple[int | None, str]:
    """How many searches the account allows just now, and what stands against more.

    Returns:
        None where it does not say.
    """
    bounds = []
    if account.total_searches_left is not None:
        bounds.append((account.total_searches_left, "searches left in this month's plan"))
    if account.account_rate_limit_per_hour is not None:
        used = account.this_hour_searches or 0
        left = max(0, account.account_rate_limit_per_hour - used)
        bounds.append((left, f"searches left of {account.account_rate_limit_per_hour} an hour"))
    if not bounds:
        return None, ""
    left, what = min(bounds)
    return left, f"only {left} {what}"


class SweepGate:
    """What stands before the searches of a sweep: its share of searches, its time, the rate limit.

    Args:
        take_slot: waits for the rate limit; asked one at a time, in the order of coming.
        searches: that the account has left; None: not known, so not bounded.
        shortage: why there are no more, for a person.
        seconds: after which no search is begun.
    """

    def __init__(
        self,
        take_slot: Gate = no_gate,
        *,
        searches: int | None = None,
        shortage: str = "",
        seconds: float | None = None,
    ) -> None:
        self._take_slot = take_slot
        self._left = searches
        self._shortage = shortage
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._turn = asyncio.Lock()

    def admit(self) -> "Ticket":
        """Let a watch in, with its first search set aside for it.

        Raises:
            PostponedError: there are no searches or there is no time left for it.
        """
        self.take()
        return Ticket(self)

    def take(self) -> None:
        """Set a search aside.

        Raises:
            PostponedError: there are no searches or there is no time left for it.
        """
        if not self.has_time():
            raise self._out_of_time()
        if self._left is not None:
            if self._left <= 0:
                raise PostponedError(f"no searches left ({self._shortage})")
            self._left -= 1

    def give_back(self, searches: int) -> None:
        """Searches that were set aside and cost nothing after all."""
        if self._left is not None:
            self._left += searches

    async def wait(self) -> None:
        """Wait for the rate limit, first come, first served.

        Raises:
            PostponedError: its turn does not come in the time of the sweep.
        """
        left = None if self._deadline is None else self._deadline - time.monotonic()
        try:
            async with asyncio.timeout(left), self._turn:
                await self._take_slot()
        except TimeoutError:
            raise self._out_of_time() from None

    def has_time(self, delay: float = 0.0) -> bool:
        """Whether a search may still be begun in `delay` seconds."""
        return self._deadline is None or time.monotonic() + delay < self._deadline

    @staticmethod
    def _out_of_time() -> PostponedError:
        return PostponedError("no time left in this sweep (limit on searches a minute)")


class Ticket:
    """One watch's way through the gate; awaited before each of its searches."""

    def __init__(self, gate: SweepGate) -> None:
        self._gate = gate
        self._is_new = True
        self.taken = 1

    async def __call__(self) -> None:
        """Let a search through.

        Raises:
            PostponedError: as `SweepGate.take` and `SweepGate.wait`.
        """
        if not self._is_new:
            self._gate.take()
            self.taken += 1
        self._is_new = False
        await self._gate.wait()

    def settle(self, billed: int) -> None:
        """Give back what was set aside and not billed; what an earlier run paid is not ours."""
        self._gate.give_back(max(0, self.taken - billed))


@dataclass(order=True)
class _Turn:
    """A watch in the queue: when it may be tried, and which it is in the order of need."""

    not_before: float
    place: int
    watch_id: int = field(compare=False)
    attempt: int = field(default=0, compare=False)


OnCheck = Callable[[WatchSummary], Awaitable[None]]
OnProgress = Callable[[SweepSummary], Awaitable[None]]


async def _ignore(_: object) -> None:
    """For a caller that wants no reports."""


class Sweep:
    """One sweep over watches in the order given.

    Args:
        retry_delays: seconds before each further try of what failed for the moment.
        at_once: watches at the same time.
        on_check: told of each watch that was checked.
        on_progress: told of the summary so far, after each watch.
    """

    def __init__(
        self,
        checker: Checker,
        gate: SweepGate,
        *,
        retry_delays: Sequence[float] = (),
        at_once: int = AT_ONCE,
        on_check: OnCheck = _ignore,
        on_progress: OnProgress = _ignore,
    ) -> None:
        self._checker = checker
        self._gate = gate
        self._retry_delays = retry_delays
        self._at_once = at_once
        self._on_check = on_check
        self._on_progress = on_progress
        self._queue: list[_Turn] = []
        self._stop: AdSparkError | None = None
        self._postponed: dict[str, list[int]] = {}
        self._summary = SweepSummary()

    async def run(self, due: Sequence[Due]) -> SweepSummary:
        """Check them all.

        Raises:
            DatabaseUnavailableError: Postgres went away; what was stored stays.
        """
        now = time.monotonic()
        self._queue = [
            _Turn(now + one.wait if one.wait else 0.0, place, one.watch_id)
            for place, one in enumerate(due)
        ]
        self._summary.due = len(due)
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(min(self._at_once, len(due))):
                    workers.create_task(self._work())
        except ExceptionGroup as group:  # the first one ended the others
            raise group.exceptions[0] from None
        await self._note_postponed()
        return self._summary

    async def _work(self) -> None:
        while self._queue:
            wait = self._queue[0].not_before - time.monotonic()
            if wait > 0 and self._stop is None:
                await asyncio.sleep(wait)
                continue
            turn = heapq.heappop(self._queue)
            await self._take(turn)
            await self._on_progress(self._summary)

    async def _take(self, turn: _Turn) -> None:
        """Check one watch and enter what came of it; only a lost database gets out."""
        try:
            if self._stop:
                raise self._stop
            checked = await self._check(turn.watch_id)
        except PostponedError as error:
            self._summary.waiting += 1
            self._summary.explain(turn.watch_id, str(error))
            self._postponed.setdefault(str(error), []).append(turn.watch_id)
        except (BusyError, UnknownWatchError):
            self._summary.skipped += 1
        except DatabaseUnavailableError:
            raise
        except AdSparkError as error:
            self._fail(turn, error)
        else:
            self._summary.count(checked)
            await self._on_check(checked)

    async def _check(self, watch_id: int) -> WatchSummary:
        ticket = self._gate.admit()
        try:
            checked = await self._checker.check(watch_id, before_search=ticket)
        except AdSparkError:
            ticket.settle(ticket.taken - 1)  # the last one failed or was not made, so it was free
            raise
        ticket.settle(checked.searches_billed)
        return checked

    def _fail(self, turn: _Turn, error: AdSparkError) -> None:
        """Try again later where that can help. A refused search costs nothing, so an account that
        seems empty is asked once more as well, before everybody else is made to wait for it."""
        ends_all = isinstance(error, QuotaExhaustedError | InvalidCredentialsError)
        can_pass = not isinstance(error, PermanentError) or isinstance(error, QuotaExhaustedError)
        if can_pass and turn.attempt < len(self._retry_delays):
            delay = self._retry_delays[turn.attempt]
            if self._gate.has_time(delay):
                turn.not_before = time.monotonic() + delay
                turn.attempt += 1
                self._summary.retried += 1
                heapq.heappush(self._queue, turn)
                return
        if ends_all:
            self._stop = PostponedError(str(error))
        self._summary.failed += 1
        self._summary.explain(turn.watch_id, str(error))

    async def _note_postponed(self) -> None:
        async with self._checker.database.session() as session:
            for problem, watch_ids in self._postponed.items():
                await session.execute(_POSTPONE, {"problem": problem, "watch_ids": watch_ids})
            await session.commit()


async def read_due(session: AsyncSession) -> list[Due]:
    """The watches that are due, the most overdue first."""
    return [Due(row.id, row.wait) for row in await session.execute(_DUE)]


async def read_left(
    session: AsyncSession, *, watch_ids: Collection[int], since: datetime
) -> list[Due]:
    """Those of the watches that are still due and that nobody has tried since then."""
    values = {"watch_ids": list(watch_ids), "since": since}
    return [Due(row.id, row.wait) for row in await session.execute(_LEFT, values)]


async def gather_sweep(
    session: AsyncSession, *, watch_ids: Sequence[int], since: datetime
) -> SweepSummary:
    """What became of the watches of a sweep that began then, whoever checked them."""
    values = {"watch_ids": list(watch_ids), "since": since, "sample": SAMPLE_SIZE}
    found = (await session.execute(_GATHER, values)).one()
    counts = found.counts
    if counts["waiting"]:
        found.reasons["not begun"] = counts["waiting"]
    tried = counts["checked"] + counts["failed"] + counts["over_budget"]
    return SweepSummary(
        due=len(watch_ids),
        checked=counts["checked"],
        partial=counts["partial"],
        failed=counts["failed"],
        waiting=counts["waiting"] + counts["over_budget"],
        over_budget=counts["over_budget"],
        skipped=len(watch_ids) - tried - counts["waiting"],
        **found.costs,
        events=EventCounts(**found.events),
        reasons=found.reasons,
        problems=found.problems,
    )
