"""`adspark budget`: what the archive takes, how users share the searches, what a month would be."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.store import save_creatives
from adspark.errors import InvalidQueryError
from adspark.models import Fetch, FetchStatus, Watch
from adspark.settings import get_settings
from adspark.watches.definition import definition_of
from tests.support.archived import add_versions
from tests.support.commanding import Command
from tests.support.factories import creative
from tests.support.variants_at_hand import in_session

command = Command("budget", columns=120)


async def _fill(session: AsyncSession) -> None:
    for status, count in (("stored", 12), ("pending", 5), ("failed", 2), ("removed", 1)):
        await add_versions(session, status=status, count=count)
    await save_creatives(session, rows=[creative(99)])  # of which no run has heard yet
    await session.commit()


def test_what_is_archived_waits_and_failed_is_told(
    configured_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Archive: 0 pictures, 0.0 MB of at most 10,000.0 MB; 0 wait, 0 failed." in command.told()
    in_session(configured_database, _fill)
    monkeypatch.setenv("ADSPARK_ARCHIVE_MEGABYTES", "50")
    get_settings.cache_clear()
    assert command.told().endswith(
        "Archive: 12 pictures, 12.0 MB of at most 50.0 MB; 6 wait, 2 failed, 1 removed for want of "
        "room."
    )
    assert command.given()["archive"] == {
        "versions": 12,
        "pictures": 12,
        "bytes": 12 * 2**20,
        "waiting": 6,
        "failed": 2,
        "removed": 1,
    }


async def _watch(session: AsyncSession) -> None:
    for number, user in enumerate((1, 2, 2), start=1):
        watch = Watch(user_id=user, name=f"watch {number}", text="a.example", interval_minutes=60)
        session.add(watch)
        await session.flush()
        query = definition_of(watch).query
        for billed in (1, 2)[:user]:
            session.add(
                Fetch(
                    query=query.model_dump(mode="json"),
                    query_hash=query.hash,
                    watch_id=watch.id,
                    status=FetchStatus.COMPLETED,
                    searches_billed=billed,
                )
            )
    await session.commit()


@pytest.mark.usefixtures("configured_database")
def test_a_budget_of_nothing_is_said_to_be_for_ever() -> None:
    Command("watch").told("create", "one", "--text=example.com", "--budget=0")
    assert command.told().endswith(
        "Watch 1 (one) has the budget 0, so that it is never checked; give it more: adspark watch "
        "change 1 --budget 100"
    )


@pytest.mark.usefixtures("configured_database")
def test_a_watch_with_a_budget_of_nothing_is_never_due() -> None:
    Command("watch").told("create", "one", "--text=example.com", "--budget=0")
    Command("watch").told("create", "two", "--text=example.org", "--budget=9")
    (user,) = command.given()["users"]
    assert (user["watches"], user["due"]) == (2, 1)


def test_each_user_s_weight_share_and_use_of_the_month_are_told(configured_database: str) -> None:
    in_session(configured_database, _watch)
    narrow, users = Command("budget"), Command("users")
    assert users.told("add", "ben") == "User 3 is ben."  # 2 has watches
    assert users.told("weigh", "2", "3") == "User 2 has the weight 3."
    assert users.given("weigh", "ben", "2") == {"user_id": 3, "weight": 2}
    assert [one["weight"] for one in users.given("list")["users"]] == [1, 3, 2]
    assert "is more than 100" in users.run("weigh", "2", "101").output
    assert [
        (one["user_id"], one["weight"], one["share"], one["watches"], one["due"], one["billed"])
        for one in narrow.given()["users"]
    ] == [(1, 1, 0.25, 1, 1, 1), (2, 3, 0.75, 2, 2, 6)]
    printed = narrow.run().stdout
    tables = printed.partition("This month:")[0]  # lines go whole into a pipe
    assert max(map(len, tables.splitlines())) <= 80
    assert "2 3 75% 2 2 6" in " ".join(printed.split())


def test_a_month_of_the_stored_watches_is_simulated_with_what_they_were_billed(
    configured_database: str,
) -> None:
    in_session(configured_database, _watch)
    month = command.given("--simulate", "--plan", "1000")
    groups = [(one["user_id"], one["watches"], one["searches_a_check"]) for one in month["groups"]]
    assert groups == [(1, 1, 1.0), (2, 2, 1.5)]
    assert (month["searches"], month["spent_on"]) == (1000, 11)


def test_a_month_is_simulated_of_options_alone_without_a_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ADSPARK_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    get_settings.cache_clear()
    narrow = Command("budget")
    groups = ["--watches", "1000", "--watches", "10", "--weight", "1", "--weight", "3"]
    printed = narrow.run("--simulate", *groups, "--interval", "60", "--plan", "30000").stdout
    tables = printed.partition("30,000 searches of")[0]
    assert max(map(len, tables.splitlines())) <= 80
    told = " ".join(printed.split())
    assert "30,000 searches of the 727,200 that" in told
    assert "The month's searches are used up on day 7." in told
    assert "From day 7 on no watch of user 2 (every 60 min) is checked." in told
    one = command.told("--simulate", "--watches", "1", "--per-hour", "1", "--pages", "5")
    assert "Limits: 10 a minute, 1 an hour." in one
    assert "At the month's end 1 of 1 watch of user 1 (every 60 min) waits." in one


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--plan", "3"], "plan: belongs to a simulation; add --simulate."),
        (["--simulate", "--pages", "3"], "pages: belongs to --watches"),
        (
            ["--simulate", *["--watches", "3"] * 3, *["--pages", "1"] * 2],
            "pages: is given 2 times for 3 groups of --watches",
        ),
    ],
)
def test_options_that_do_not_fit_together_are_told(arguments: list[str], message: str) -> None:
    with pytest.raises(InvalidQueryError, match=message):
        command.told(*arguments)
