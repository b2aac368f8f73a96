"""`adspark batch` and `adspark users budget`: previewed, requested, paused, compared, bounded."""

import asyncio
import json
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from typer.testing import Result

from adspark.db.engine import Database
from adspark.errors import GenerationFailedError, InvalidQueryError, UnknownVariantError
from adspark.models import VariantStatus
from adspark.variants.budget import lock_requests
from adspark.variants.reviews.store import Review, save_review
from adspark.variants.state import VariantState
from tests.support.checked import BROKEN
from tests.support.commanding import Command
from tests.support.variants_at_hand import (
    AD,
    OTHER,
    THIRD,
    ask,
    ask_together,
    begin,
    fail,
    finish,
    in_session,
    make,
    read,
)

pytestmark = pytest.mark.usefixtures("three_stored_ads")
batch, users, variant = Command("batch"), Command("users"), Command("variant")
LATER = "claimed once the stack runs (adspark up)"
WAITS = text("""
    SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
    WHERE NOT granted AND d.datname = current_database()
""")
GRID = (AD, OTHER, "-p", "Red", "-p", " Blue ", "-p", "Red")


def requested() -> list[tuple[str, str]]:
    rows = variant.given("list")["variants"]
    return sorted((row["original_ad_id"], row["prompt"]) for row in rows)


def test_a_grid_is_previewed_confirmed_and_requested_but_for_what_is_there(
    database_url: str,
) -> None:
    in_session(database_url, lambda session: ask(session))
    planned = batch.told("create", *GRID, "--dry-run")
    assert "2 ads by 2 prompts, 1 of them there already: 3 generations to be paid." in planned
    assert "At least 1 s (1 at once, 30 a minute at most, behind 1 open variant)" in planned
    refused = batch.run("create", *GRID, typed="n\n")
    assert "3 generations, each paid for. Request them? [y/N]" in refused.stderr
    assert len(requested()) == 1
    said = batch.told("create", *GRID, "--yes", "--review")
    assert f"Requested batch 1: {LATER}; see: adspark batch show 1" in said
    assert requested() == [(AD, "Blue"), (AD, "Red"), (OTHER, "Blue"), (OTHER, "Red")]
    again = batch.told("create", *GRID, "--yes")
    assert "4 of them there already: 0 generations to be paid. Nothing was requested." in again


def test_one_of_another_process_that_was_quicker_says_what_is_left_to_do(
    database_url: str,
) -> None:
    def request() -> int:
        return in_session(database_url, lambda session: ask_together(session, [AD], "Red"))

    request()
    with pytest.raises(InvalidQueryError) as refused:
        request()
    assert refused.value.field == "ads"
    assert str(refused.value).endswith(
        "change the prompt, or look at them; list them with: adspark variant list"
    )


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_one_that_another_process_requests_at_the_same_moment_is_requested_once(
    database_url: str, form: tuple[str, ...]
) -> None:
    create = partial(batch.run, "create", AD, "-p", "Red", "--yes", *form)

    async def act() -> Result:
        async with Database(database_url) as database, database.session() as session:
            await lock_requests(session, user_id=1)
            command = asyncio.create_task(asyncio.to_thread(create))
            while not await session.scalar(WAITS):
                await asyncio.sleep(0.01)
            await ask_together(session, [AD], "Red")
            await session.commit()
            return await command

    result = asyncio.run(act())
    assert result.exit_code == 0
    if form:
        given = json.loads(result.stdout)
        assert (given["already_there"], given["generations"], given["batch_id"]) == (1, 0, None)
    else:
        assert " ".join(result.stdout.split()).endswith(
            "1 of them there already: 0 generations to be paid. Nothing was requested."
        )
    assert len(requested()) == 1


def test_it_is_paused_goes_on_and_is_cancelled_for_good(database_url: str) -> None:
    given = batch.given("create", *GRID, "--yes")
    assert (given["batch_id"], given["generations"], given["started"]) == (1, 4, 0)
    assert batch.told("pause", "1").startswith("Batch 1 is paused: 4 variants wait, 0 submitted")
    assert batch.given("show", "1")["status"] == "paused"
    assert batch.told("resume", "1") == f"Batch 1 goes on: 4 variants open, {LATER}."
    assert batch.given("resume", "1")["changed"] is False
    refused = batch.run("cancel", "1", typed="n\n")
    assert "4 open variants of batch 1. Cancel them?" in refused.stderr
    assert batch.given("cancel", "1", "--yes")["variants"] == 4
    with pytest.raises(UnknownVariantError, match="Batch 1 was cancelled"):
        batch.told("resume", "1")
    assert "1 cancelled 0/4 – 4 2 2 Red 1" in batch.told("list")
    assert batch.given("create", *GRID, "--yes")["generations"] == 4
    asked = batch.run("create", AD, "-p", "Green", typed="y\n")
    assert "1 generation, paid for. Request it? [y/N]" in asked.stderr
    one = batch.run("cancel", "3", typed="n\n")
    assert "1 open variant of batch 3. Cancel it?" in one.stderr


def test_one_that_has_ended_is_neither_paused_nor_cancelled(database_url: str) -> None:
    batch.given("create", AD, OTHER, "-p", "Red", "--yes")

    async def end(session: AsyncSession) -> None:
        for number in (1, 2):
            await finish(session, await read(session, number))

    in_session(database_url, end)
    for act in ("pause", "resume"):
        with pytest.raises(UnknownVariantError, match="Batch 1 has ended: none of its variants"):
            batch.told(act, "1")
    assert batch.told("cancel", "1") == "Batch 1 is not open any more; nothing to cancel."
    cancelled = batch.given("cancel", "1")
    assert (cancelled["changed"], cancelled["variants"]) == (False, 0)
    assert batch.given("show", "1")["status"] == "ended"


def test_its_variants_are_ranked_by_rules_by_people_and_by_closeness(database_url: str) -> None:
    batch.given("create", AD, OTHER, THIRD, "-p", "Red", "-p", "Blue", "--yes")

    async def act(session: AsyncSession) -> None:
        for number, closeness, check, is_approved in (
            (1, 0.5, None, False),
            (2, 0.2, BROKEN, False),
            (3, 0.9, None, True),
        ):
            asked = await read(session, number)
            done = await finish(session, asked, picture_similarity=closeness, rule_check=check)
            if is_approved:
                await save_review(session, variant=done, review=Review(user_id=1, is_approved=True))
        close = await finish(session, await read(session, 4), is_too_close=True)
        rejected = Review(user_id=1, is_approved=False)
        await save_review(session, variant=close, review=rejected)
        await VariantState(session, await read(session, 6)).cancel()

    in_session(database_url, act)
    shown = batch.given("show", "1")
    assert [one["id"] for one in shown["ranked"]] == [3, 1, 4, 2, 5, 6]
    assert (shown["completed"], shown["cancelled"], shown["pending"]) == (4, 1, 1)
    assert shown["forecast"]["cases"] == 4
    told = batch.told("show", "1", "--limit", "2")
    assert "Batch 1 running: 4 of 6 variants completed, 1 cancelled, 1 open" in told
    assert "1 3 approved 90% 0003 Red" in told
    assert "The first 2 of 6; more with --limit." in told
    assert "Why a variant failed" not in told
    assert "broken: how many checks of brand rules failed" in batch.told("show", "1")
    assert "1 running 4/6 – 1 3 2 Red 1" in batch.told("list")


def test_who_sees_that_some_have_failed_sees_which_command_says_why(database_url: str) -> None:
    batch.given("create", AD, OTHER, "-p", "Red", "--yes")

    async def act(session: AsyncSession) -> None:
        begun = await begin(session, await read(session, 1))
        await fail(session, begun, GenerationFailedError("Dify's node failed."))

    in_session(database_url, act)
    told = batch.told("show", "1")
    assert "1 failed" in told
    assert told.endswith("Why a variant failed: adspark variant show ID")


def test_a_budget_bounds_what_a_user_requests_in_a_month(database_url: str) -> None:
    assert users.told("budget", "7").startswith("User 7 has no budget: 0 used, 0 requested")
    users.told("budget", "7", "3")
    in_session(database_url, lambda session: ask(session, THIRD, user_id=7))
    with pytest.raises(InvalidQueryError) as refused:
        batch.told("create", *GRID, "--user", "7", "--yes")
    said = (
        "user 7 has a budget of 3 generations a month (0 used, 1 requested, 2 left), "
        "and this takes 4. It renews on "
    )
    assert said in str(refused.value)
    assert str(refused.value).endswith("with: adspark users budget 7 NUMBER")
    assert batch.given("create", AD, OTHER, "-p", "Red", "--user", "7", "--yes")["batch_id"] == 1
    with pytest.raises(InvalidQueryError, match="3 requested, 0 left"):
        variant.told("request", AD, "-p", "Other", "--user", "7")
    batch.told("cancel", "1", "--yes")
    row = next(one for one in users.given("list")["users"] if one["user_id"] == 7)
    assert (row["generation_budget"], row["generations_used"]) == (3, 0)
    assert "budget" in users.told("list")
    found = users.given("budget", "7")
    assert (found["monthly"], found["used"], found["reserved"]) == (3, 0, 1)
    users.told("budget", "7", "--unlimited")
    assert batch.given("create", *GRID, "--user", "7", "--yes")["generations"] == 4


def test_what_was_submitted_counts_once_an_attempt_and_a_retry_is_bounded_too(
    database_url: str,
) -> None:
    users.told("budget", "1", "1")

    async def act(session: AsyncSession) -> Any:  # noqa: ANN401
        failed = await make(session, VariantStatus.PROCESSING)
        await VariantState(session, failed).submit()
        await VariantState(session, failed).cancel()

    in_session(database_url, act)
    found = users.given("budget", "1")
    assert (found["used"], found["reserved"]) == (1, 0)
    with pytest.raises(InvalidQueryError, match="1 used, 0 requested, 0 left"):
        variant.told("retry", "1")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((AD, "-p", " "), "prompt: is empty"),
        (("-p", "Red"), "original_ad_ids: name ads, or a watch"),
        ((f"CR{9:020d}", "-p", "Red"), "original_ad_ids:"),
        ((AD, *(word for n in range(101) for word in ("-p", str(n)))), "101 prompts; at most 100"),
        (
            (*(f"CR{n:020d}" for n in range(11)), *(w for n in range(100) for w in ("-p", str(n)))),
            "11 ads by 100 prompts are 1,100 variants; at most 1000 a batch",
        ),
    ],
)
def test_a_mistake_is_said_and_nothing_is_requested(arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(InvalidQueryError, match=words):
        batch.told("create", *arguments, "--yes")
    assert batch.given("list")["batches"] == []
    none = "No batch matches --user 55; all of them: adspark batch list"
    assert batch.told("list", "--user=55") == none
