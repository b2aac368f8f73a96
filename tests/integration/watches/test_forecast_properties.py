"""The forecast of any watch is what its checks cost that are still to come this month, counted one
by one."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.models import Fetch, FetchStatus, Watch
from adspark.watches.budgets import estimate_month, read_watch_costs
from tests.support.factories import ADVERTISER_ID, watch_definition

MINUTE = timedelta(minutes=1)
_NOW = text("SELECT now(), date_trunc('month', now(), 'UTC') + interval '1 month'")


@dataclass(frozen=True)
class Case:
    """A watch, when it is due, and what its checks of late were billed."""

    interval: int
    minutes_before_next_month: int
    billed: list[int]
    budget: int | None

    def count_checks(self, now: datetime, next_month: datetime) -> int:
        """The checks of the rest of the month, one after the other."""
        due = max(now, next_month - self.minutes_before_next_month * MINUTE)
        number = 0
        while due < next_month:
            number += 1
            due += max(30, self.interval) * MINUTE  # a sweep comes every half hour
        return number


INTERVALS = st.sampled_from([5, 30, 60, 61, 90, 1440, 43_200]) | st.integers(5, 43_200)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Watches of any kind; many are due such that a check falls on the very end of the month."""
    interval = draw(INTERVALS)
    on_the_end = st.integers(-1, 5).map(lambda number: number * max(30, interval))
    return Case(
        interval=interval,
        minutes_before_next_month=draw(on_the_end | st.integers(-3000, 50_000)),
        billed=draw(st.lists(st.integers(0, 5), max_size=4)),
        budget=draw(st.none() | st.integers(0, 200)),
    )


@given(given_cases=st.lists(cases(), min_size=1, max_size=12))
def test_the_forecast_is_what_the_checks_to_come_cost(
    database_url: str, given_cases: list[Case]
) -> None:
    asyncio.run(compare(database_url, given_cases))


async def compare(database_url: str, given_cases: list[Case]) -> None:
    """Hold the forecasts of watches against their checks; nothing of it stays."""
    async with Database(database_url) as database, database.session() as session:
        now, next_month = (await session.execute(_NOW)).one()
        watches = []
        for number, case in enumerate(given_cases):
            watch = Watch(
                user_id=1,
                name=f"watch {number}",
                advertiser_ids=[ADVERTISER_ID],
                interval_minutes=case.interval,
                monthly_budget=case.budget,
                due_at=next_month - case.minutes_before_next_month * MINUTE,
            )
            session.add(watch)
            await session.flush()
            watches.append(watch.id)
            session.add_all(
                Fetch(
                    query={},
                    query_hash=f"{number}",
                    watch_id=watch.id,
                    status=FetchStatus.COMPLETED,
                    searches_billed=billed,
                    started_at=now,
                )
                for billed in case.billed
            )
        await session.flush()
        costs = {one.watch_id: one for one in await read_watch_costs(session, watch_ids=watches)}
        await session.rollback()
    for watch_id, case in zip(watches, given_cases, strict=True):
        billed = sum(case.billed)
        a_check = billed / len(case.billed) if case.billed else 1
        ahead = a_check * case.count_checks(now, next_month)
        if case.budget is not None:
            ahead = max(0, min(ahead, case.budget - billed))
        # Rounded to whole searches once, at the end.
        assert costs[watch_id].forecast == pytest.approx(billed + ahead, abs=0.5), case


@given(interval=INTERVALS)
def test_a_month_of_a_new_watch_begins_with_a_check(interval: int) -> None:
    month = estimate_month(watch_definition(interval_minutes=interval, max_pages=1))
    step = max(30, interval)
    assert month.checks == month.searches == month.most == len(range(0, 30 * 24 * 60, step))
