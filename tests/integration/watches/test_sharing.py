"""Where searches are too few, users get them in proportion to their weights, and none starves."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.errors import AdSparkError
from adspark.models import Fetch, FetchStatus
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.users.store import weigh_user
from adspark.watches.admission import SweepGate
from adspark.watches.sharing.due import read_due
from adspark.watches.sharing.order import Used, count_of_checks, take_turns
from tests.support.factories import ADVERTISER_ID
from tests.support.watching import Place

ANA, BEN = 1, 2

_ADD = text("""
    INSERT INTO watch (user_id, name, advertiser_ids, political_ads, is_active, due_at)
    SELECT :user_id, 'watch ' || n, ARRAY[:advertiser], false, true,
        now() - make_interval(hours => 1, secs => n * :apart)
    FROM generate_series(1, :watches) AS n
""")
_CHECKED = text("UPDATE watch SET due_at = clock_timestamp() WHERE id = ANY (:ids)")


class Users:
    """Users with due watches, and sweeps that note what checks of theirs were billed."""

    def __init__(self, database: Database, weights: Mapping[int, int]) -> None:
        self.database = database
        self.weights = weights
        self.of: dict[int, int] = {}
        self._at = datetime.now(UTC) - timedelta(days=1)

    async def add(self, watches: Mapping[int, int], *, apart: float = 1.0) -> None:
        """Give users so many watches, all due, the first of each the least overdue."""
        async with self.database.transaction() as session:
            for user, weight in self.weights.items():
                await weigh_user(session, user_id=user, weight=weight)
            for user, count in watches.items():
                values = {"user_id": user, "watches": count, "apart": apart}
                await session.execute(_ADD, {**values, "advertiser": ADVERTISER_ID})
            rows = await session.execute(text("SELECT id, user_id FROM watch"))
            self.of = {row.id: row.user_id for row in rows}

    async def order(self) -> list[int]:
        """The ids of the due watches, in the order in which a sweep checks them."""
        async with self.database.session() as session:
            return [one.watch_id for one in await read_due(session)]

    async def sweep(self, searches: int, cost: Callable[[int], int] = lambda _: 1) -> list[int]:
        """Spend so many searches on checks; the users whose watches were checked, in order. A
        watch is due again at once, behind the others of its user."""
        checked: list[int] = []
        fetches: list[Fetch] = []
        for watch_id in await self.order():
            if searches <= 0:
                break
            billed = cost(self.of[watch_id])
            searches -= billed
            checked.append(watch_id)
            fetches.append(self._fetch(watch_id, billed))
        async with self.database.transaction() as session:
            session.add_all(fetches)
            await session.execute(_CHECKED, {"ids": checked})
        return [self.of[watch_id] for watch_id in checked]

    def _fetch(self, watch_id: int, billed: int) -> Fetch:
        self._at += timedelta(milliseconds=1)
        return Fetch(
            query={},
            query_hash="",
            watch_id=watch_id,
            status=FetchStatus.COMPLETED,
            pages=billed,
            searches_billed=billed,
            started_at=self._at,
        )


@pytest.mark.parametrize("searches", [1, 3, 40])
async def test_of_weights_1_and_3_the_second_gets_three_of_four_searches_over_several_sweeps(
    database: Database, searches: int
) -> None:
    users = Users(database, {ANA: 1, BEN: 3})
    await users.add({ANA: 50, BEN: 50})
    served: Counter[int] = Counter()
    for _ in range(-(-120 // searches)):
        served.update(await users.sweep(searches))
    assert abs(served[ANA] - served.total() / 4) <= 1


async def test_searches_are_shared_not_checks_where_checks_of_one_cost_more(
    database: Database,
) -> None:
    users = Users(database, {ANA: 1, BEN: 1})
    await users.add({ANA: 100, BEN: 100})
    costs = {ANA: 5, BEN: 1}
    spent: Counter[int] = Counter()
    for _ in range(12):
        for user in await users.sweep(30, cost=costs.__getitem__):
            spent[user] += costs[user]
    assert 0.4 < spent[ANA] / spent.total() < 0.6


async def test_a_thousand_due_watches_of_one_do_not_delay_the_one_of_another(
    database: Database,
) -> None:
    users = Users(database, {ANA: 1, BEN: 1})
    await users.add({ANA: 1000, BEN: 1}, apart=60)
    first_two = [users.of[watch_id] for watch_id in (await users.order())[:2]]
    assert sorted(first_two) == [ANA, BEN]


async def test_what_one_used_while_nobody_else_wanted_it_is_soon_forgotten(
    database: Database,
) -> None:
    users = Users(database, {ANA: 1, BEN: 1})
    await users.add({ANA: 300})
    await users.sweep(300)
    await users.add({BEN: 300})
    served = [user for _ in range(20) for user in await users.sweep(2)]
    assert served.index(ANA) <= count_of_checks([1, 1]) / 2 + 1
    assert Counter(served[20:])[ANA] in (9, 10, 11)


async def test_a_user_s_own_watches_are_checked_the_most_overdue_first(database: Database) -> None:
    users = Users(database, {})
    await users.add({ANA: 20})
    assert await users.order() == sorted(users.of, reverse=True)


async def test_a_real_sweep_spends_what_the_account_has_left_by_weight(database: Database) -> None:
    with serve(SandboxSettings(generated_advertisers=40, cached_for=0)) as url:
        place = Place(database, url)
        for number in range(1, 41):
            await place.add(
                name=f"watch {number}",
                advertiser_ids=[f"AR9{number:019d}"],
                user_id=ANA if number <= 30 else BEN,
                max_pages=1,
            )
        await place.make_due()
        async with database.transaction() as session:
            await weigh_user(session, user_id=BEN, weight=3)
        for _ in range(3):
            await place.sweep(SweepGate(searches=4))
        rows = await place.rows(
            'SELECT user_id, sum(searches_billed) AS billed FROM "fetch" '
            "JOIN watch w ON w.id = watch_id GROUP BY 1 ORDER BY 1"
        )
        assert [tuple(row) for row in rows] == [(ANA, 3), (BEN, 9)]


async def test_the_database_itself_refuses_a_weight_that_is_none(database: Database) -> None:
    for weight in (0, -1, 101):
        with pytest.raises(AdSparkError, match="ck_search_share_weight"):
            async with database.transaction() as session:
                await session.execute(
                    text("INSERT INTO search_share (user_id, weight) VALUES (1, :weight)"),
                    {"weight": weight},
                )


_USERS = st.dictionaries(
    st.integers(1, 6), st.tuples(st.sampled_from((1, 2, 3, 7)), st.integers(1, 12)), min_size=2
)


def test_no_user_starves_whatever_weights_watches_costs_and_sweeps(database_url: str) -> None:
    """Between two checks of a user with due watches there are never more than twice the checks that
    count, and a sweep; and the order is the one that is simulated."""

    async def run(users: dict[int, tuple[int, int]], sweeps: list[int], costs: list[int]) -> None:
        async with Database(database_url) as database:
            async with database.transaction() as session:
                await session.execute(text('TRUNCATE watch, "fetch", search_share CASCADE'))
            known = Users(database, {user: weight for user, (weight, _) in users.items()})
            await known.add({user: watches for user, (_, watches) in users.items()})
            checked: list[tuple[int, int]] = []

            def cost(user: int) -> int:
                billed = costs[len(checked) % len(costs)]
                checked.append((user, billed))
                return billed

            for searches in sweeps:
                assert await _simulated(known, checked) == await known.order()
                await known.sweep(searches, cost)
            most = 2 * count_of_checks(list(known.weights.values())) + max(sweeps)
            for user in known.weights:
                gap = 0
                for served, _ in checked:
                    gap = 0 if served == user else gap + 1
                    assert gap <= most

    @settings(max_examples=12, deadline=None)
    @given(
        _USERS,
        st.lists(st.sampled_from((1, 2, 5, 20, 60)), min_size=1, max_size=12),
        st.lists(st.integers(1, 9), min_size=1, max_size=7),
    )
    def check(users: dict[int, tuple[int, int]], sweeps: list[int], costs: list[int]) -> None:
        asyncio.run(run(users, sweeps, costs))

    check()


async def _simulated(users: Users, checked: list[tuple[int, int]]) -> list[int]:
    """The order of the due watches as a simulation has it, after these checks."""
    async with users.database.session() as session:
        rows = await session.execute(text("SELECT id, due_at FROM watch ORDER BY due_at, id"))
        due: dict[int, list[tuple[datetime, int]]] = {}
        for row in rows:
            due.setdefault(users.of[row.id], []).append((row.due_at, row.id))
    lately = checked[-count_of_checks(list(users.weights.values())) :]
    used = {
        user: Used(sum(billed for _, billed in own), len(own))
        for user in users.weights
        if (own := [one for one in lately if one[0] == user])
    }
    return [watch_id for _, watch_id in take_turns(due, users.weights, used)]
