"""The rate limit: exact in every window, across connections, and not slower than it must be."""

import asyncio
import time

from adspark.database import Database
from adspark.rates import SEARCHES, take_slot, try_slot

LIMIT = 5
WINDOW = 1.0


async def use(url: str, name: str, times: int, used: list[float]) -> None:
    """Take slots one after another, over connections of one's own."""
    async with Database(url) as database:
        for _ in range(times):
            await take_slot(database, name=name, limit=LIMIT, window=WINDOW)
            used.append(time.monotonic())


async def test_no_window_holds_more_than_the_limit_and_none_is_wasted(database_url: str) -> None:
    used: list[float] = []
    began = time.monotonic()
    await asyncio.gather(*(use(database_url, "searches", 7, used) for _ in range(3)))
    used.sort()
    # 21 uses at 5 a window: the last may start when the fifth window begins.
    assert len(used) == 21
    assert 4 * WINDOW <= used[-1] - began < 4 * WINDOW / 0.8
    clock_noise = 0.05  # seconds between the database's decision and ours
    for first, beyond in zip(used, used[LIMIT:], strict=False):
        assert beyond - first > WINDOW - clock_noise


async def test_other_names_do_not_wait(database_url: str) -> None:
    used: list[float] = []
    await use(database_url, "searches", LIMIT, used)
    began = time.monotonic()
    await use(database_url, "generations", LIMIT, used)
    assert time.monotonic() - began < WINDOW


async def test_a_limit_of_nothing_lets_nothing_through(database: Database) -> None:
    assert await try_slot(database, name=SEARCHES, limit=0) > 0
    assert await try_slot(database, name=SEARCHES, limit=1) == 0
