"""Sweep: check every due watch, the most overdue first, many at once.

One watch's failure stops no other, not even one that nobody has foreseen. What failed for the
moment is tried again after a while, others going on meanwhile. A sweep starts no search that the
account has none left for, and none that it has no time for; whatever waits for that stays due and
is the first next time.
"""

import asyncio
import heapq
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from adspark.errors import (
    AdSparkError,
    BusyError,
    DatabaseUnavailableError,
    InvalidCredentialsError,
    PermanentError,
    PostponedError,
    QuotaExhaustedError,
    UnknownWatchError,
    describe_error,
)
from adspark.watches.admission import SweepGate
from adspark.watches.check import Checker, WatchSummary
from adspark.watches.due import Due, SweepSummary, postpone_watches

_log = logging.getLogger(__name__)

AT_ONCE = 30
"""Watches that are checked at the same time: more than searches are under way at once (see
`serpapi.AT_ONCE`), so that no search waits for the database's work on another watch."""


@dataclass(order=True)
class _Turn:
    """A watch in the queue: when it may be tried, and which it is in the order of need."""

    not_before: float
    place: int
    watch_id: int = field(compare=False)
    attempt: int = field(default=0, compare=False)


OnCheck = Callable[[WatchSummary], Awaitable[None]]
OnProgress = Callable[[SweepSummary], Awaitable[None]]
OnError = Callable[[int, Exception], None]


async def _ignore(_: object) -> None:
    """For a caller that wants no reports."""


def _log_error(watch_id: int, error: Exception) -> None:
    _log.error("Watch %d failed unforeseen", watch_id, exc_info=error)


class Sweep:
    """One sweep over watches in the order given.

    Args:
        retry_delays: seconds before each further try of what failed for the moment.
        at_once: watches at the same time.
        on_check: told of each watch that was checked.
        on_progress: told of the summary so far, after each watch.
        on_error: told of a watch and an error that nobody has foreseen; logs its traceback.
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
        on_error: OnError = _log_error,
    ) -> None:
        self._checker = checker
        self._gate = gate
        self._retry_delays = retry_delays
        self._at_once = at_once
        self._on_check = on_check
        self._on_progress = on_progress
        self._on_error = on_error
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
            await self._report(turn.watch_id, self._on_progress(self._summary))

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
        except Exception as error:  # of one watch; the watch says so, and is tried next time
            self._on_error(turn.watch_id, error)
            self._summary.failed += 1
            self._summary.explain(turn.watch_id, describe_error(error))
        else:
            self._summary.count(checked)
            await self._report(turn.watch_id, self._on_check(checked))

    async def _report(self, watch_id: int, telling: Awaitable[None]) -> None:
        """Tell somebody; whether they listen is nothing to the sweep."""
        try:
            await telling
        except Exception as error:  # as of a server that is away
            self._on_error(watch_id, error)

    async def _check(self, watch_id: int) -> WatchSummary:
        ticket = self._gate.admit()
        try:
            checked = await self._checker.check(watch_id, before_search=ticket)
        except (BusyError, PostponedError):
            ticket.settle(ticket.made)
            raise
        except Exception:
            ticket.settle(ticket.made - 1)  # the last one failed, so it was free
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
            await postpone_watches(session, reasons=self._postponed)
            await session.commit()
