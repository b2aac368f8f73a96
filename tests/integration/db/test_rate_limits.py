"""The rate limit: exact in every window, across connections; how quick it is, `benchmarks.limit`
tells."""

import asyncio

from sqlalchemy import text

from adspark.db.engine import Database
from adspark.db.rate_limits import acquire_slot, count_uses, release_slot, try_acquire_slot
from adspark.db.rates import CLEANUPS, GENERATIONS, SEARCHES, WINDOWS

LIMIT = 5
WINDOW = 0.3
# Slots are removed once they have left their window, so each is noted when it is taken.
_NOTE_SLOTS = (
    "CREATE TABLE noted (taken_at timestamptz)",
    """CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO noted VALUES (NEW.taken_at);
        RETURN NEW;
    END $$""",
    "CREATE TRIGGER note BEFORE INSERT ON rate_slot FOR EACH ROW EXECUTE FUNCTION note()",
)


async def use(url: str, name: str, times: int) -> None:
    """Take slots one after another, over connections of one's own."""
    async with Database(url) as database:
        for _ in range(times):
            await acquire_slot(database, name=name, limit=LIMIT, window=WINDOW)


async def test_no_window_holds_more_than_the_limit(database: Database, database_url: str) -> None:
    async with database.session() as session:
        for statement in _NOTE_SLOTS:
            await session.execute(text(statement))
        await session.commit()
    await asyncio.gather(*(use(database_url, "searches", 7) for _ in range(3)))
    async with database.session() as session:
        rows = await session.execute(text("SELECT taken_at FROM noted ORDER BY 1"))
        used = list(rows.scalars())
    assert len(used) == 21
    for first, beyond in zip(used, used[LIMIT:], strict=False):
        assert (beyond - first).total_seconds() >= WINDOW


async def test_other_names_do_not_wait(database: Database) -> None:
    assert await try_acquire_slot(database, name=SEARCHES, limit=1) == 0
    assert await try_acquire_slot(database, name=SEARCHES, limit=1) > 0
    assert await try_acquire_slot(database, name=GENERATIONS, limit=1) == 0


async def test_a_slot_that_is_given_back_is_free_again_and_no_other(database: Database) -> None:
    for name, limit in ((SEARCHES, 2), (SEARCHES, 2), (GENERATIONS, 1)):
        assert await try_acquire_slot(database, name=name, limit=limit) == 0
    await release_slot(database, name=SEARCHES)
    assert await try_acquire_slot(database, name=GENERATIONS, limit=1) > 0
    assert await try_acquire_slot(database, name=SEARCHES, limit=2) == 0
    assert await try_acquire_slot(database, name=SEARCHES, limit=2) > 0


async def test_a_limit_of_nothing_lets_nothing_through(database: Database) -> None:
    assert await try_acquire_slot(database, name=SEARCHES, limit=0) > 0
    assert await try_acquire_slot(database, name=SEARCHES, limit=1) == 0


async def test_the_wait_is_for_the_use_that_has_to_leave_the_window(database: Database) -> None:
    async with database.session() as session:
        await session.execute(
            text("INSERT INTO rate_slot (name, taken_at) SELECT :name, now() - n * interval "
                 "'10 minutes' FROM generate_series(1, 5) AS n"),
            {"name": CLEANUPS},
        )  # fmt: skip
        await session.commit()
    wait = await try_acquire_slot(database, name=CLEANUPS, limit=2)
    assert 35 * 60 < wait <= 40 * 60  # the second newest leaves the hour in 40 minutes
    wait = await try_acquire_slot(database, name=CLEANUPS, limit=5)
    assert 5 * 60 < wait <= 10 * 60


async def test_uses_from_before_the_clock_was_set_back_do_not_count(database: Database) -> None:
    async with database.session() as session:
        await session.execute(
            text("INSERT INTO rate_slot (name, taken_at) "
                 "SELECT :name, now() + interval '1 day' FROM generate_series(1, 5)"),
            {"name": SEARCHES},
        )  # fmt: skip
        await session.commit()
        assert await count_uses(session) == {}
    assert await try_acquire_slot(database, name=SEARCHES, limit=1) == 0
    assert 0 < await try_acquire_slot(database, name=SEARCHES, limit=1) <= WINDOWS[SEARCHES]


_GATE = 7  # the advisory lock that a use waits for before it is entered
_WAIT_AT_GATE = f"""
    CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock_shared({_GATE});
        RETURN NEW;
    END $$
"""


async def test_two_at_the_same_moment_do_not_both_get_the_last_slot(
    database: Database, database_url: str
) -> None:
    async with Database(database_url) as other, other.session() as holder:
        await holder.execute(text(_WAIT_AT_GATE))
        await holder.execute(
            text("CREATE TRIGGER gate BEFORE INSERT ON rate_slot FOR EACH ROW "
                 "EXECUTE FUNCTION wait_at_gate()")
        )  # fmt: skip
        await holder.commit()
        await holder.execute(text(f"SELECT pg_advisory_xact_lock({_GATE})"))
        uses = [
            asyncio.create_task(try_acquire_slot(database, name=SEARCHES, limit=1))
            for _ in range(2)
        ]
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while await holder.scalar(waiting) != 2:
            await asyncio.sleep(0.01)
        await holder.rollback()
        first, second = sorted(await asyncio.gather(*uses))
    assert first == 0
    assert second > 0
