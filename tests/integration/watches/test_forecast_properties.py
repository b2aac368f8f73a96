"""The forecast of any watch is what its checks cost that are still to come this month, counted one
by one; what checks of its present search cost of late is what they will cost."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.models import Fetch, FetchStatus, Watch
from adspark.serpapi.search_query import CreativeQuery
from adspark.watches.budgets import estimate_month, read_watch_costs
from adspark.watches.definition import definition_of
from tests.support.factories import watch_definition
from tests.support.library import CAFE

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
_NOW = text("SELECT now(), date_trunc('month', now(), 'UTC') + interval '1 month'")


@dataclass(frozen=True)
class Case:
    """A watch, when it is due, and what its checks of late were billed.

    `former` are those of a search that it had before, `shared` those whose one page another watch
    of `payer`'s kind had paid for.
    """

    interval: int
    minutes_before_next_month: int
    billed: list[int]
    former: list[int]
    shared: int
    payer: dict[str, Any]
    budget: int | None

    @property
    def a_check(self) -> float:
        """Searches that each check to come is billed, before rounding."""
        checks = len(self.billed) + self.shared
        pays = self.payer != ACTIVE_TWIN
        return (sum(self.billed) + self.shared * pays) / checks if checks else 1

    def count_checks(self, now: datetime, next_month: datetime) -> int:
        """The checks of the rest of the month, one after the other."""
        due = max(now, next_month - self.minutes_before_next_month * MINUTE)
        number = 0
        while due < next_month:
            number += 1
            due += max(30, self.interval) * MINUTE  # a sweep comes every half hour
        return number


ACTIVE_TWIN: dict[str, Any] = {}
PAYERS = [ACTIVE_TWIN, {"is_active": False}, {"region": "2276"}, {"advertiser_ids": [CAFE]}]
"""How a watch that paid differs by now from the one that had its pages from the cache."""

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
        former=draw(st.lists(st.integers(0, 5), max_size=2)),
        shared=draw(st.integers(0, 3)),
        payer=draw(st.sampled_from(PAYERS)),
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
                advertiser_ids=[f"AR{number:020d}"],
                interval_minutes=case.interval,
                monthly_budget=case.budget,
                due_at=next_month - case.minutes_before_next_month * MINUTE,
            )
            alike = watch.model_dump(include={"advertiser_ids", "user_id"}) | {"region": None}
            payer = Watch(name=f"payer {number}", **alike | case.payer)
            session.add_all([watch, payer])
            await session.flush()
            watches.append(watch.id)
            query = definition_of(watch).query
            former = query.model_copy(update={"region": "2250"})
            for searched, billed in [(query, case.billed), (former, case.former)]:
                session.add_all(look(searched, watch, now, searches_billed=one) for one in billed)
            for one in range(case.shared):
                ids = [f"{number} {one}"]
                paid_at = now - (one + 1) * DAY
                got_at = paid_at + MINUTE
                session.add(look(query, payer, paid_at, searches_billed=1, search_ids=ids))
                session.add(look(query, watch, got_at, searches_cached=1, search_ids=ids))
        await session.flush()
        costs = {one.watch_id: one for one in await read_watch_costs(session, watch_ids=watches)}
        await session.rollback()
    for watch_id, case in zip(watches, given_cases, strict=True):
        spent = sum(case.billed) + sum(case.former)
        ahead = case.a_check * case.count_checks(now, next_month)
        if case.budget is not None:
            ahead = max(0, min(ahead, case.budget - spent))
        # Rounded to whole searches once, at the end.
        assert costs[watch_id].forecast == pytest.approx(spent + ahead, abs=0.5), case


def look(query: CreativeQuery, watch: Watch, at: datetime, **fields: Any) -> Fetch:  # noqa: ANN401
    """A look of a watch that was completed."""
    return Fetch(
        query=query.model_dump(mode="json"),
        query_hash=query.hash,
        watch_id=watch.id,
        status=FetchStatus.COMPLETED,
        started_at=at,
        **fields,
    )


@given(interval=INTERVALS)
def test_a_month_of_a_new_watch_begins_with_a_check(interval: int) -> None:
    month = estimate_month(watch_definition(interval_minutes=interval, max_pages=1))
    step = max(30, interval)
    assert month.checks == month.searches == month.most == len(range(0, 30 * 24 * 60, step))
