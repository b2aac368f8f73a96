"""Saving watches: upsert by user and name, a changed search begins anew, lists say what is so."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from adspark.creatives.fetch import fetch_query, lock_name
from adspark.db.engine import Database
from adspark.errors import (
    BusyError,
    ChangedMeanwhileError,
    ConfigurationError,
    InvalidQueryError,
    UnknownWatchError,
)
from adspark.models import Coverage, Watch
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.watches.definition import WatchFields, definition_of
from adspark.watches.store import (
    Outcome,
    SavedWatch,
    change_watch,
    count_contents,
    create_or_change_watch,
    delete_watch,
    save_watch,
    set_active,
)
from adspark.watches.stored import WatchRow, WatchState, find_watch, list_watches
from tests.support.factories import ADVERTISER_ID, watch_definition
from tests.support.noticed import add_looks
from tests.support.watching import BLOCKED, Died, Place

OTHER_ID = "AR01566006373894848513"
# A moment that the database would not give by itself.
_LONG_AGO = "UPDATE watch SET due_at = 'epoch', updated_at = 'epoch'"


async def save(database: Database, **words: Any) -> SavedWatch:  # noqa: ANN401
    """Save a definition and commit."""
    async with database.session() as session:
        saved = await save_watch(session, definition=watch_definition(**words))
        await session.commit()
    return saved


async def listed(database: Database, user_id: int | None = None) -> list[WatchRow]:
    """The list of watches."""
    async with database.session() as session:
        return await list_watches(session, user_id=user_id)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A sandbox whose every search is a fresh one."""
    with serve(SandboxSettings(cached_for=0)) as served:
        yield served


@pytest.fixture
def place(database: Database, url: str) -> Place:
    """The database with the sandbox."""
    return Place(database, url)


async def test_a_new_name_creates_and_is_due_at_once(place: Place) -> None:
    saved = await save(
        place.database,
        region="US",
        platform="search",
        creative_format="image",
        monthly_budget=0,
        user_id=7,
    )
    row = await place.watch(saved.id)
    assert saved.outcome is Outcome.CREATED
    assert (row.user_id, row.name, row.region, row.platform) == (7, "shoes", "2840", "SEARCH")
    assert (row.interval_minutes, row.max_pages, row.monthly_budget) == (60, 5, 0)
    assert (row.due_at, row.checked_at, row.has_gaps) == (row.created_at, None, False)


async def test_what_is_read_back_is_what_was_saved(database: Database) -> None:
    given = watch_definition(
        text="example.com",
        region="DE",
        platform="YOUTUBE",
        creative_format="video",
        political_ads=True,
        is_active=False,
        interval_minutes=90,
        details_per_sweep=3,
    )
    async with database.session() as session:
        saved = await save_watch(session, definition=given)
        watch = await session.get(Watch, saved.id)
    assert watch is not None
    assert definition_of(watch) == given


async def test_the_same_again_writes_nothing(place: Place) -> None:
    first = await save(place.database)
    await place.change(_LONG_AGO)
    before = await place.rows("SELECT w.*, xmin FROM watch w")
    again = await save(place.database)
    assert again == SavedWatch(id=first.id, outcome=Outcome.UNCHANGED)
    assert await place.rows("SELECT w.*, xmin FROM watch w") == before


async def test_the_same_name_of_another_user_is_another_watch(database: Database) -> None:
    mine, theirs = await save(database), await save(database, user_id=2)
    assert mine.id != theirs.id
    assert theirs.outcome is Outcome.CREATED
    assert [row.id for row in await listed(database, user_id=2)] == [theirs.id]


async def test_a_change_makes_the_watch_due_and_keeps_what_it_knows(place: Place) -> None:
    watch_id = (await save(place.database)).id
    await place.check(watch_id)
    checked = await place.watch(watch_id)
    await place.change(_LONG_AGO)
    assert (await save(place.database, max_pages=9)).outcome is Outcome.CHANGED
    row = await place.watch(watch_id)
    assert row.max_pages == 9
    assert row.due_at == row.updated_at > checked.checked_at
    assert (row.baseline_at, row.complete_at) == (checked.baseline_at, checked.complete_at)
    assert await links(place) == 40


@pytest.mark.parametrize(
    ("due", "change", "next_look"),
    [
        # What asks for no other search leaves it due when it was.
        ("checked_at + interval '1 day'", {"monthly_budget": 5}, "checked_at + interval '1 day'"),
        ("checked_at + interval '1 day'", {"ended_after_days": 9}, "checked_at + interval '1 day'"),
        (
            "checked_at + interval '1 day'",
            {"details_per_sweep": 2},
            "checked_at + interval '1 day'",
        ),
        ("checked_at + interval '1 day'", {"max_pages": 1}, "checked_at + interval '1 day'"),
        ("'epoch'", {"monthly_budget": 5}, "'epoch'"),
        # With another interval, so long after the last one.
        ("checked_at + interval '1 day'", {"interval_minutes": 120}, "checked_at + interval '2 h'"),
        # A budget that was used up held it back until the next month.
        (
            "date_trunc('month', now(), 'UTC') + interval '1 month'",
            {"monthly_budget": 5},
            "updated_at",
        ),
        (  # only due after the month's end, as on its last day
            "date_trunc('month', now(), 'UTC') + interval '1 month 1 hour'",
            {"monthly_budget": 5},
            "date_trunc('month', now(), 'UTC') + interval '1 month 1 hour'",
        ),
        ("checked_at + interval '1 day'", {"max_pages": 9}, "updated_at"),
        ("checked_at + interval '1 day'", {"region": "US"}, "updated_at"),
    ],
)
async def test_a_change_makes_a_watch_due_only_where_it_asks_for_another_search(
    place: Place, due: str, change: dict[str, Any], next_look: str
) -> None:
    watch_id = (await save(place.database)).id
    await place.check(watch_id)
    await place.change(f"UPDATE watch SET due_at = {due}")
    assert (await save(place.database, **change)).outcome is Outcome.CHANGED
    (row,) = await place.rows(f"SELECT due_at = {next_look} AS is_so FROM watch")
    assert row.is_so


async def test_the_next_look_of_a_spent_budget_is_the_next_month_s_until_it_is_raised(
    place: Place,
) -> None:
    watch_id = (await save(place.database)).id
    await add_looks(place.database, watch_id, [1])
    (month,) = await place.rows("SELECT date_trunc('month', now(), 'UTC') + interval '1 month'")
    for budget, is_spent in ((1, True), (2, False), (1, True), (None, False)):
        if budget is None:
            await place.change("UPDATE watch SET monthly_budget = NULL")
        else:
            await save(place.database, monthly_budget=budget)
        (row,) = await listed(place.database)
        assert row.next_look == (month[0] if is_spent else row.due_at), budget
    for change in ({"monthly_budget": 0}, {"monthly_budget": None, "is_active": False}):
        await save(place.database, **change)
        (row,) = await listed(place.database)
        assert row.next_look is None, change


async def test_a_new_name_buys_no_search(place: Place) -> None:
    watch_id = (await save(place.database)).id
    await place.check(watch_id)
    before = (await place.watch(watch_id)).due_at
    async with place.database.session() as session:
        await change_watch(session, watch_id=watch_id, changes={"name": "Renamed"})
        await session.commit()
    row = await place.watch(watch_id)
    assert (row.name, row.due_at) == ("Renamed", before)


@pytest.mark.parametrize(
    "search",
    [
        {"advertiser_ids": [ADVERTISER_ID, OTHER_ID]},
        {"text": "example.com"},
        {"region": "US"},
        {"platform": "SEARCH"},
        {"creative_format": "text"},
        {"region": "US", "political_ads": True},
    ],
    ids=lambda search: list(search)[-1],
)
async def test_a_changed_search_begins_anew_and_keeps_its_events(
    place: Place, search: dict[str, Any]
) -> None:
    watch_id = (await save(place.database)).id
    await place.check(watch_id)
    await place.change("UPDATE watch SET has_gaps = true, problem = 'of the former search'")
    saved = await save(place.database, **search)
    assert saved.begins_anew
    row = await place.watch(watch_id)
    assert (row.baseline_at, row.complete_at, row.has_gaps) == (None, None, False)
    assert (row.checked_at, row.coverage, row.problem) == (None, None, None)
    assert await links(place) == 0
    assert (await place.events(watch_id, baseline=True)).total() == 40


async def test_a_search_that_comes_back_does_not_go_on_with_a_fetch_of_its_former_past(
    place: Place,
) -> None:
    watch_id = (await save(place.database)).id
    await place.check(watch_id)
    await place.change("UPDATE \"fetch\" SET status = 'failed', next_page_token = 'page 2'")
    await save(place.database, region="US")
    await save(place.database)
    summary = await place.check(watch_id)
    assert not summary.resumed
    assert summary.events.baseline == await links(place) == 40


async def test_a_check_under_way_does_not_store_into_a_changed_watch(place: Place) -> None:
    watch_id = (await save(place.database)).id

    async def change_meanwhile() -> None:
        await save(place.database, region="US")

    with pytest.raises(BusyError, match="was changed while it was processed"):
        await place.check(watch_id, before_search=change_meanwhile)
    assert await links(place) == 0


async def test_a_check_under_way_ends_at_once_where_its_watch_is_deleted(place: Place) -> None:
    watch_id = (await save(place.database)).id

    async def delete_meanwhile() -> None:
        async with place.database.transaction() as session:
            assert await delete_watch(session, watch_id=watch_id)

    with pytest.raises(UnknownWatchError, match="was deleted while it was processed"):
        await place.check(watch_id, before_search=delete_meanwhile)
    assert await place.rows('SELECT status FROM "fetch"') == [("abandoned",)]


async def test_a_watch_can_be_deleted_while_several_fetches_of_its_search_are_unfinished(
    place: Place,
) -> None:
    watch_id = (await save(place.database)).id
    search = watch_definition().query

    async def die() -> None:
        raise Died

    async with place.checker() as checker:
        with pytest.raises(Died):
            await fetch_query(place.database, checker.client, search, before_search=die)
    with pytest.raises(Died):
        await place.check(watch_id, die)
    async with place.database.transaction() as session:
        assert await delete_watch(session, watch_id=watch_id)
    fetches = await place.rows('SELECT watch_id, status, error FROM "fetch" ORDER BY started_at')
    assert fetches == [
        (None, "running", None),
        (None, "abandoned", "Its watch was deleted."),
    ]
    async with place.checker() as checker:
        assert (await fetch_query(place.database, checker.client, search)).new == 40


async def test_deleting_a_watch_waits_for_the_page_that_is_being_stored(place: Place) -> None:
    watch_id = (await save(place.database)).id
    await place.change(
        "CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM pg_advisory_xact_lock_shared(7); RETURN NULL; END $$"
    )
    await place.change(
        'CREATE TRIGGER gate AFTER UPDATE ON "fetch" FOR EACH ROW WHEN (OLD.pages < NEW.pages) '
        "EXECUTE FUNCTION wait_at_gate()"
    )

    async def delete() -> bool:
        async with place.database.transaction() as session:
            return await delete_watch(session, watch_id=watch_id)

    async def wait_for_blocked(number: int) -> None:
        while len(await place.rows(BLOCKED)) < number:
            await asyncio.sleep(0.01)

    async with place.database.session() as gate:
        await gate.execute(text("SELECT pg_advisory_xact_lock(7)"))
        check = asyncio.create_task(place.check(watch_id))
        await wait_for_blocked(1)
        deleting = asyncio.create_task(delete())
        await wait_for_blocked(2)
        await gate.rollback()
    assert (await check).events.baseline == 40
    assert await deleting
    assert await place.rows('SELECT watch_id, status FROM "fetch"') == [(None, "completed")]


async def test_a_check_that_has_waited_for_another_says_that_its_watch_was_deleted(
    place: Place,
) -> None:
    watch_id = (await save(place.database)).id
    waits = asyncio.Event()

    def wait_on() -> bool:
        waits.set()
        return True

    async with place.checker() as checker:
        async with place.database.lock(lock_name(watch_definition().query)) as locked:
            assert locked
            check = asyncio.create_task(checker.check(watch_id, may_wait=wait_on))
            await waits.wait()
            async with place.database.transaction() as session:
                assert await delete_watch(session, watch_id=watch_id)
        with pytest.raises(UnknownWatchError, match="was deleted while it was processed"):
            await check


async def test_two_who_save_at_once_make_one_watch(database: Database) -> None:
    saved = await asyncio.gather(*(save(database) for _ in range(5)))
    assert len({one.id for one in saved}) == 1
    assert sorted(one.outcome for one in saved) == ["created"] + 4 * ["unchanged"]


async def test_two_who_change_different_fields_at_once_both_get_their_way(
    database: Database,
) -> None:
    async def change(**changes: Any) -> None:  # noqa: ANN401
        words: WatchFields = {"name": "shoes", **changes}  # type: ignore[typeddict-item]
        async with database.session() as session:
            await create_or_change_watch(session, changes=words)
            await asyncio.sleep(0.05)
            await session.commit()

    await asyncio.gather(
        *(change(text="example.com", **{field: 9}) for field in ("max_pages", "ended_after_days"))
    )
    (row,) = await listed(database)
    assert (row.definition.max_pages, row.definition.ended_after_days) == (9, 9)


async def test_a_change_by_id_renames_and_keeps_what_is_not_given(place: Place) -> None:
    watch_id = (await save(place.database, region="US", monthly_budget=50)).id
    async with place.database.session() as session:
        saved, definition, _ = await change_watch(
            session,
            watch_id=watch_id,
            changes={"name": "sneakers", "region": None, "max_pages": 2},
            clear=["monthly_budget"],
        )
        await session.commit()
    assert saved == SavedWatch(id=watch_id, outcome=Outcome.CHANGED)
    assert definition == watch_definition(name="sneakers", region="US", max_pages=2)
    assert (await listed(place.database))[0].definition == definition


async def test_of_changes_to_the_same_version_at_once_one_is_made(database: Database) -> None:
    watch_id = (await save(database)).id
    async with database.session() as session:
        version = (await session.get_one(Watch, watch_id)).updated_at

    async def change(pages: int) -> int:
        async with database.session() as session:
            changes: WatchFields = {"max_pages": pages}
            await change_watch(session, watch_id=watch_id, changes=changes, version=version)
            await asyncio.sleep(0.05)
            await session.commit()
        return pages

    ended = await asyncio.gather(*map(change, range(6, 10)), return_exceptions=True)

    made = [one for one in ended if isinstance(one, int)]
    assert len(made) == 1
    assert sum(isinstance(one, ChangedMeanwhileError) for one in ended) == 3
    assert (await listed(database))[0].definition.max_pages == made[0]


async def test_a_name_that_is_taken_is_refused(database: Database) -> None:
    await save(database)
    other = await save(database, name="boots")
    async with database.session() as session:
        with pytest.raises(ConfigurationError, match=r"name: watch 1 is called 'shoes' already"):
            await change_watch(session, watch_id=other.id, changes={"name": "shoes"})


async def test_a_change_that_leaves_nothing_to_search_is_refused(database: Database) -> None:
    saved = await save(database)
    async with database.session() as session:
        with pytest.raises(InvalidQueryError, match="give at least one advertiser id"):
            await change_watch(session, watch_id=saved.id, changes={}, clear=["advertiser_ids"])
        with pytest.raises(ConfigurationError, match="There is no watch 99"):
            await change_watch(session, watch_id=99, changes={"max_pages": 2})


@pytest.mark.parametrize(
    ("written", "user_id", "found"),
    [
        pytest.param("2", None, 2, id="a number is an id first"),
        pytest.param("2", 2, 3, id="else a name"),
        pytest.param(" boots ", None, 2, id="name, with blanks around"),
        pytest.param("shoes", 2, 4, id="the user's own"),
        pytest.param("BOOTS", None, 2, id="in any case"),
        pytest.param("99999999999999999999", None, 5, id="a number larger than any id"),
    ],
)
async def test_a_watch_is_found_by_number_or_name(
    database: Database, written: str, user_id: int | None, found: int
) -> None:
    await save(database)
    await save(database, name="boots")
    await save(database, name="2", user_id=2)
    await save(database, user_id=2)
    await save(database, name="99999999999999999999")
    async with database.session() as session:
        watch = await find_watch(session, name_or_id=written, user_id=user_id)
        with pytest.raises(ConfigurationError, match=r"1 \(user 1\), 4 \(user 2\)"):
            await find_watch(session, name_or_id="shoes")
        with pytest.raises(ConfigurationError, match=r"no watch 'hats'.*adspark watch list"):
            await find_watch(session, name_or_id="hats")
    assert watch.id == found


async def test_the_list_tells_what_each_watch_found_and_cost(place: Place) -> None:
    watch_id = (await save(place.database, advertiser_ids=[OTHER_ID, ADVERTISER_ID])).id
    await save(place.database, name="idle", is_active=False)
    await place.check(watch_id)
    await place.change(
        "INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash, occurred_at) "
        "SELECT watch_id, ad_creative_id, kind, '', now() - days * interval '1 day' "
        "FROM (SELECT watch_id, ad_creative_id FROM watch_creative LIMIT 1) AS one, "
        "(VALUES ('new', 1), ('ended', 6), ('new', 8)) AS v (kind, days)"
    )
    await place.change(
        "INSERT INTO creative_detail (ad_creative_id, watch_id, asked_at, searches_billed) "
        "SELECT ad_creative_id, watch_id, asked_at, 1 FROM "
        "(SELECT ad_creative_id, watch_id, row_number() OVER () AS n FROM watch_creative) AS l "
        "JOIN (VALUES (1, now()), (2, now() - interval '32 days')) AS v (n, asked_at) USING (n)"
    )
    await place.change(
        'INSERT INTO "fetch" (id, query, query_hash, watch_id, status, pages, searches_billed, '
        "searches_cached, new_count, changed_count, unchanged_count, rejected_count, started_at) "
        f"VALUES (gen_random_uuid(), '{{}}', '', {watch_id}, 'completed', 1, 100, 0, 0, 0, 0, 0, "
        "date_trunc('month', now(), 'UTC') - interval '1 second')"
    )
    idle, row = await listed(place.database)
    (fetch,) = await place.rows('SELECT * FROM "fetch" WHERE searches_billed < 100')
    assert row.definition == watch_definition(advertiser_ids=[OTHER_ID, ADVERTISER_ID])
    assert row.advertisers == ["On AG", "New Balance Athletic Shoe, Inc."]
    assert (row.state, row.coverage, row.problem) == (WatchState.ACTIVE, Coverage.COMPLETE, None)
    assert row.complete_at == fetch.started_at
    assert row.creatives == fetch.new_count > 40
    assert (row.recent_events, row.searches_this_month) == (2, fetch.searches_billed + 1)
    assert (idle.definition.name, idle.state, idle.coverage) == ("idle", WatchState.PAUSED, None)
    assert (idle.creatives, idle.recent_events, idle.searches_this_month) == (0, 0, 0)


async def test_an_advertiser_that_is_not_known_yet_is_listed_by_its_id(database: Database) -> None:
    await save(database)
    assert (await listed(database))[0].advertisers == [ADVERTISER_ID]


async def test_pausing_keeps_the_turn_and_resuming_makes_it_due(place: Place) -> None:
    watch_id = (await save(place.database)).id
    await place.change(_LONG_AGO)
    changed = []
    for is_active in (False, False, True, True):
        async with place.database.session() as session:
            changed.append(await set_active(session, watch_id=watch_id, is_active=is_active))
            await session.commit()
        if not is_active:
            assert (await place.watch(watch_id)).due_at.year == 1970
    row = await place.watch(watch_id)
    assert changed == [True, False, True, False]
    assert row.due_at > row.created_at
    assert row.updated_at.year == 1970  # what a check has paid for just now is still stored


async def test_deleting_takes_links_and_events_and_leaves_ads_and_their_cost(place: Place) -> None:
    watch_id = (await save(place.database)).id
    await place.check(watch_id)
    async with place.database.session() as session:
        contents = await count_contents(session, watch_id=watch_id)
        assert await delete_watch(session, watch_id=watch_id)
        assert not await delete_watch(session, watch_id=watch_id)
        await session.commit()
    assert (contents.creatives, contents.events) == (40, 40)
    counts = "SELECT (SELECT count(*) FROM {}) AS n"
    tables = ("watch", "watch_creative", "creative_event", "creative", '"fetch"')
    left = [(await place.rows(counts.format(table)))[0].n for table in tables]
    assert left == [0, 0, 0, 40, 1]


async def links(place: Place) -> int:
    """How many creatives watches are linked to."""
    return int((await place.rows("SELECT count(*) AS n FROM watch_creative"))[0].n)
