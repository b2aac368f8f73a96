"""Sweep: check every due watch, in the order of the users' shares, many at once.

One watch's failure stops no other, not even an unexpected one. What failed for the moment is
retried after a while, beside the others. A sweep starts no search that the account has none left
for, and none that it has no time for; whatever waits for that stays due.
"""

import asyncio
import heapq
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from adspark.concurrency import all_of
from adspark.db.engine import read_now
from adspark.errors import (
    AdSparkError,
    BusyError,
    DatabaseUnavailableError,
    InvalidCredentialsError,
    PermanentError,
    PostponedError,
    QuotaExhaustedError,
    StatementLimitError,
    UnknownWatchError,
    describe_error,
)
from adspark.watches.admission import SweepGate
from adspark.watches.check import Checker, WatchSummary
from adspark.watches.sharing.due import DueWatch
from adspark.watches.sweep_store import SweepSummary, postpone_watches

_log = logging.getLogger(__name__)

AT_ONCE = 30
"""Watches that are checked at the same time: more than searches are under way at once (see
`serpapi.AT_ONCE`), so that no search waits for the database's work on another watch."""

_MOST_LIMITED = 3  # checks in a row that PostgreSQL ends for their time, after which all wait


@dataclass(order=True)
class _QueuedWatch:
    """A watch in the queue: how often it has failed, and which it is in the order of need."""

    failures: int
    place: int
    watch_id: int = field(compare=False)


OnCheck = Callable[[WatchSummary], Awaitable[None]]
OnProgress = Callable[[SweepSummary], Awaitable[None]]
OnError = Callable[[int, Exception], None]


async def _ignore(_: object) -> None:
    """The hook of a caller that needs none."""


def _log_error(watch_id: int, error: Exception) -> None:
    _log.error("Watch %d failed unexpectedly", watch_id, exc_info=error)


@dataclass
class Sweep:
    """One sweep over watches in the order given, with a gate before its searches."""

    checker: Checker
    gate: SweepGate
    retry_delays: Sequence[float] = ()  # seconds before each retry of what failed for the moment
    at_once: int = AT_ONCE
    on_check: OnCheck = _ignore  # called with each watch that was checked
    on_progress: OnProgress = _ignore  # called with the summary so far, after each watch
    on_error: OnError = _log_error  # called with a watch and its unexpected error
    _ready: list[_QueuedWatch] = field(init=False, default_factory=list)  # a heap
    # A heap of those that may not be tried before a time, with it.
    _waiting: list[tuple[float, _QueuedWatch]] = field(init=False, default_factory=list)
    _stop: AdSparkError | None = field(init=False, default=None)
    _limited: int = field(init=False, default=0)
    _postponed: dict[str, list[int]] = field(init=False, default_factory=dict)
    _summary: SweepSummary = field(init=False, default_factory=SweepSummary)

    async def run(self, due: Sequence[DueWatch]) -> SweepSummary:
        """Check them all.

        Raises:
            DatabaseUnavailableError: Postgres went away; what was stored stays.
        """
        async with self.checker.database.session() as session:
            began_at = await read_now(session)
        now = time.monotonic()
        for place, one in enumerate(due):
            self._enqueue(now + one.wait, _QueuedWatch(0, place, one.watch_id))
        self._summary.due = len(due)
        await all_of(self._work() for _ in range(min(self.at_once, len(due))))
        async with self.checker.database.transaction() as session:
            await postpone_watches(session, reasons=self._postponed, since=began_at)
        return self._summary

    async def _work(self) -> None:
        while self._ready or self._waiting:
            now = time.monotonic()
            while self._waiting and (self._stop or self._waiting[0][0] <= now):
                heapq.heappush(self._ready, heapq.heappop(self._waiting)[1])
            if not self._ready:
                await asyncio.sleep(self._waiting[0][0] - now)
                continue
            queued = heapq.heappop(self._ready)
            await self._try(queued)
            await self._report(queued.watch_id, self.on_progress(self._summary))

    def _enqueue(self, not_before: float, queued: _QueuedWatch) -> None:
        heapq.heappush(self._waiting, (not_before, queued))

    async def _try(self, queued: _QueuedWatch) -> None:
        """Check one watch and count the outcome; only a lost database is raised."""
        try:
            if self._stop:
                raise self._stop
            checked = await self._check(queued.watch_id)
        except PostponedError as error:
            self._summary.waiting += 1
            self._summary.explain(queued.watch_id, str(error))
            self._postponed.setdefault(str(error), []).append(queued.watch_id)
        except (BusyError, UnknownWatchError):
            self._summary.skipped += 1
        except StatementLimitError as error:
            self._fail(queued, error)
        except DatabaseUnavailableError:
            raise
        except AdSparkError as error:
            self._fail(queued, error)
        except Exception as error:  # of one watch, which says so and is checked next time
            self.on_error(queued.watch_id, error)
            self._summary.failed += 1
            self._summary.explain(queued.watch_id, describe_error(error))
        else:
            self._limited = 0
            self._summary.count(checked)
            await self._report(queued.watch_id, self.on_check(checked))

    async def _report(self, watch_id: int, hook: Awaitable[None]) -> None:
        """Await a hook, whose failure does not stop the sweep."""
        try:
            await hook
        except Exception as error:  # as of a server that is away
            self.on_error(watch_id, error)

    async def _check(self, watch_id: int) -> WatchSummary:
        reservation = self.gate.reserve()
        billed = 0
        try:
            checked = await self.checker.check(
                watch_id, before_search=reservation, may_wait=self.gate.has_time
            )
            billed = checked.searches_billed
        except (BusyError, PostponedError):
            billed = reservation.made
            raise
        except Exception:
            billed = reservation.made - 1  # the last one failed, so it was free
            raise
        finally:
            reservation.settle(billed)
        return checked

    def _fail(self, queued: _QueuedWatch, error: AdSparkError) -> None:
        """Retry later where that can help. A refused search costs nothing, so an account that seems
        empty is retried as well, before all other watches wait for it."""
        ends_all = isinstance(error, QuotaExhaustedError | InvalidCredentialsError)
        can_pass = not isinstance(error, PermanentError) or isinstance(error, QuotaExhaustedError)
        if isinstance(error, StatementLimitError):  # a search was paid for, and would be again
            can_pass = False
            self._limited += 1
            ends_all = self._limited >= _MOST_LIMITED
        if can_pass and queued.failures < len(self.retry_delays):
            delay = self.retry_delays[queued.failures]
            if self.gate.has_time(delay):
                queued.failures += 1
                self._summary.retried += 1
                self._enqueue(time.monotonic() + delay, queued)
                return
        if ends_all:
            self._stop = PostponedError(str(error))
        self._summary.failed += 1
        self._summary.explain(queued.watch_id, str(error))
