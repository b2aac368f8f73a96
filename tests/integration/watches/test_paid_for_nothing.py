"""What was paid counts, also where its answer gave no page: ledger, budgets and bill agree."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from adspark.db.engine import Database
from adspark.errors import AdSparkError, BusyError, ServiceUnavailableError, UnknownWatchError
from tests.support.factories import creative_row
from tests.support.stand_in import StandIn
from tests.support.watching import StandInPlace


class Billing(StandInPlace):
    """A place whose service counts what it bills."""

    async def ledger(self) -> int:
        """Billed searches as they are entered."""
        ((billed,),) = await self.rows('SELECT coalesce(sum(searches_billed), 0) FROM "fetch"')
        return int(billed)

    async def let_an_hour_pass(self) -> None:
        """For the service's cache, and for what is in the ledger."""
        self.service.let_an_hour_pass()
        moments = ("started_at", "updated_at", "finished_at")
        earlier = ", ".join(f"{one} = {one} - interval '65 minutes'" for one in moments)
        await self.change(f'UPDATE "fetch" SET {earlier}')


@pytest.fixture
def place(database: Database) -> Billing:
    """Six ads on three pages."""
    pages = [[creative_row(number), creative_row(number + 1)] for number in (1, 3, 5)]
    return Billing(database, "", service=StandIn(*pages))


def without_ads(answer: dict[str, Any]) -> None:
    """A search that succeeded, and has nothing to show for it."""
    answer.pop("ad_creatives", None)


def first_page_empty(answer: dict[str, Any]) -> None:
    """No ads, though it names a next page."""
    answer["ad_creatives"] = []


@pytest.mark.parametrize("bend", [without_ads, first_page_empty])
async def test_a_budget_ends_searches_whose_answers_cannot_be_used(
    place: Billing, bend: Callable[[dict[str, Any]], None]
) -> None:
    place.service.bend = bend
    watch_id = await place.add(monthly_budget=2)
    for _ in range(4):
        with suppress(ServiceUnavailableError):
            await place.check(watch_id)
        await place.let_an_hour_pass()
    assert (place.service.billed, await place.ledger()) == (2, 2)
    assert (await place.check(watch_id)).is_out_of_budget


async def test_what_was_paid_before_a_page_failed_is_in_the_ledger(place: Billing) -> None:
    watch_id = await place.add(monthly_budget=100)
    place.service.empty = {1}  # so that it is fetched again, which fails
    for _ in range(3):
        place.service.failures = [None, None, 503]
        with pytest.raises(ServiceUnavailableError):
            await place.check(watch_id)
        await place.let_an_hour_pass()
    assert await place.ledger() == place.service.billed


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("UPDATE watch SET name = 'another', updated_at = now()", BusyError),
        ("DELETE FROM watch", UnknownWatchError),
    ],
)
async def test_what_was_paid_for_a_watch_that_is_changed_meanwhile_is_in_the_ledger(
    place: Billing, statement: str, error: type[AdSparkError]
) -> None:
    watch_id = await place.add()

    async def change() -> None:  # behind the last gate: the search is under way
        await place.change(statement)

    with pytest.raises(error):
        await place.check(watch_id, before_search=change)
    assert (place.service.billed, await place.ledger()) == (1, 1)


async def test_a_search_without_an_id_is_refused(place: Billing) -> None:
    place.service.bend = lambda answer: answer["search_metadata"].update(id=" ")
    watch_id = await place.add()
    with pytest.raises(ServiceUnavailableError, match="lacks its search_metadata"):
        await place.check(watch_id)
