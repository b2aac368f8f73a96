"""What stands before the searches of a sweep: the account, the clock and the rate limit."""

import asyncio
import time

from adspark.errors import PostponedError
from adspark.serpapi.client import Gate, no_gate
from adspark.serpapi.payloads import AccountPayload


def searches_left(account: AccountPayload) -> tuple[int | None, str]:
    """How many searches the account allows now (None: it does not say), and why no more."""
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
        acquire_slot: waits for the rate limit; called one at a time, first come, first served.
        searches: that the account has left; None: not known, so not bounded.
        shortage: why there are no more, for a person.
        seconds: after which no search is begun.
    """

    def __init__(
        self,
        acquire_slot: Gate = no_gate,
        *,
        searches: int | None = None,
        shortage: str = "",
        seconds: float | None = None,
    ) -> None:
        self._acquire_slot = acquire_slot
        self._left = searches
        self._shortage = shortage
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._mutex = asyncio.Lock()

    def reserve(self) -> "SearchReservation":
        """The reservation of a watch, with its first search, claimed as by `claim`."""
        self.claim()
        return SearchReservation(self)

    def claim(self) -> None:
        """Claim a search; raises PostponedError where no searches or no time is left for it."""
        if not self.has_time():
            raise self._out_of_time()
        if self._left is not None:
            if self._left <= 0:
                raise PostponedError(f"no searches left ({self._shortage})")
            self._left -= 1

    def release(self, searches: int) -> None:
        """Release searches that were claimed and cost nothing after all."""
        if self._left is not None:
            self._left += searches

    async def wait(self) -> None:
        """Wait for the rate limit, first come, first served, but not longer than the sweep has."""
        left = None if self._deadline is None else self._deadline - time.monotonic()
        try:
            async with asyncio.timeout(left), self._mutex:
                await self._acquire_slot()
        except TimeoutError:
            raise self._out_of_time() from None

    def has_time(self, delay: float = 0.0) -> bool:
        """Whether a search may still be begun in `delay` seconds."""
        return self._deadline is None or time.monotonic() + delay < self._deadline

    @staticmethod
    def _out_of_time() -> PostponedError:
        return PostponedError("no time left in this sweep (limit on searches a minute)")


class SearchReservation:
    """The searches that one watch has claimed; awaited before each; `made` came through."""

    def __init__(self, gate: SweepGate) -> None:
        self._gate = gate
        self._claimed = 1
        self._begun = 0
        self.made = 0

    async def __call__(self) -> None:
        """Let a search through. Raises PostponedError as `SweepGate.claim` and `SweepGate.wait`."""
        self._begun += 1
        if self._begun > self._claimed:
            self._gate.claim()
            self._claimed += 1
        await self._gate.wait()
        self.made += 1

    def settle(self, billed: int) -> None:
        """Release what was claimed and not billed; what an earlier run paid is not ours."""
        self._gate.release(max(0, self._claimed - max(0, billed)))
