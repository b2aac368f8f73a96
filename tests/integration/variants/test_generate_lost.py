"""Answers of Dify that are lost or wrong: one generation is begun, and what it gave is kept."""

import asyncio
import time
from contextlib import suppress

import httpx
import pytest

from adspark.db.engine import Database
from adspark.errors import (
    AdSparkError,
    PostponedError,
    ServiceRefusedError,
    ServiceUnavailableError,
)
from adspark.models import VariantStatus
from adspark.variants.state import is_generation_over
from tests.support.stored_ads import change
from tests.support.workshop import Workshop

BEGUN = [  # the run has begun, and its answer does not say so
    "server_error_begun", "gateway_timeout", "garbled", "lost_answer", "cut_stream", "silence",
    "late_first_event",
]  # fmt: skip
REFUSED = ["server_error", "unavailable", "busy", "upload_error"]  # nothing has begun
_SUBMITTED_A_MINUTE_AGO = "UPDATE ad_variant SET asked_at = now() - interval '1 minute'"
_HALF_AN_HOUR_BEHIND = """
    CREATE FUNCTION now() RETURNS timestamptz LANGUAGE sql STABLE AS
    $$ SELECT pg_catalog.now() - interval '30 minutes' $$
"""
_NOT_FOUND = {"code": "not_found", "message": "Workflow run not found.", "status": 404}
_SECONDS = {"late_first_event": 1.5, "silence": 1.5}


@pytest.fixture
def shop(shop: Workshop) -> Workshop:
    """A workshop that never gives a run up because of the time alone."""
    shop.lost_after = 1200
    shop.first_event = shop.silence = 1.0
    return shop


def switch_on(shop: Workshop, kind: str, times: int = 1) -> None:
    seconds = {"seconds": _SECONDS[kind]} if kind in _SECONDS else {}
    shop.switch_on({"kind": kind, "times": times} | seconds)


async def one(shop: Workshop) -> int:
    """A request for a variant of a stored ad."""
    ids = await shop.stock()
    (variant_id,) = await shop.request(ids[0])
    return variant_id


async def test_a_paid_generation_is_not_lost_while_dify_is_set_to_another_app(
    shop: Workshop,
) -> None:
    shop.switch_on({"kind": "slow", "seconds": 3.0})
    variant_id = await one(shop)
    making = asyncio.create_task(shop.make(variant_id))
    while (await shop.row(variant_id)).receipt_run_id is None:
        assert not making.done()
        await asyncio.sleep(0.02)
    making.cancel()
    with suppress(asyncio.CancelledError):
        await making
    shop.transport = httpx.MockTransport(lambda _: httpx.Response(404, json=_NOT_FOUND))
    waiting = await shop.try_to_make(variant_id)
    assert waiting.status == VariantStatus.PENDING
    assert "Put those of the former app back, and it is resumed" in (waiting.error or "")
    shop.transport = None
    made = await shop.make(variant_id)
    assert (made.status, made.attempt, shop.bill["paid"]) == (VariantStatus.COMPLETED, 1, 1)


@pytest.mark.parametrize("fault", BEGUN)
async def test_a_generation_whose_answer_was_lost_is_found_and_begun_once(
    shop: Workshop, fault: str
) -> None:
    switch_on(shop, fault)
    variant_id = await one(shop)
    made = await shop.make(variant_id)
    assert (made.status, made.confidence_score) == (VariantStatus.COMPLETED, 1.0)
    row = await shop.row(variant_id)
    assert row.receipt_run_id == row.response_metadata["workflow_run_id"]
    assert shop.bill["runs"] == shop.bill["paid"] == 1


@pytest.mark.parametrize("fault", BEGUN)
async def test_where_only_ended_runs_are_listed_it_is_waited_for_and_begun_once(
    shop: Workshop, fault: str
) -> None:
    shop.shape(lists="ended")
    switch_on(shop, fault)
    variant_id = await one(shop)
    for _ in range(3):
        await shop.try_to_make(variant_id, tries=3)
    assert (await shop.row(variant_id)).status == "completed"
    assert shop.bill["runs"] == shop.bill["paid"] == 1


@pytest.mark.parametrize("fault", BEGUN)
async def test_while_the_log_does_not_answer_nothing_is_begun_again(
    shop: Workshop, fault: str
) -> None:
    shop.shape(lists="nothing")
    switch_on(shop, fault)
    variant_id = await one(shop)
    for _ in range(3):
        await shop.try_to_make(variant_id, tries=3)
    assert shop.bill["runs"] == shop.bill["paid"] == 1
    shop.shape()  # the log is back
    row = await shop.row(variant_id)
    if row.status == "failed":  # a person tries again, and pays nothing
        assert not is_generation_over(row)
        await shop.retry(variant_id)
    assert (await shop.try_to_make(variant_id)).status is VariantStatus.COMPLETED
    assert shop.bill["runs"] == shop.bill["paid"] == 1


@pytest.mark.parametrize("fault", REFUSED)
async def test_what_has_not_begun_is_asked_again_within_seconds(shop: Workshop, fault: str) -> None:
    switch_on(shop, fault)
    began = time.monotonic()
    made = await shop.make(await one(shop), tries=2)
    assert made.status is VariantStatus.COMPLETED
    assert shop.bill["runs"] == shop.bill["paid"] == 1
    assert time.monotonic() - began < 60  # not the minutes after which Dify has ended every run


async def test_a_failure_is_not_taken_for_not_begun_where_the_log_is_away(shop: Workshop) -> None:
    shop.shape(lists="nothing")
    switch_on(shop, "server_error")
    variant_id = await one(shop)
    with pytest.raises(ServiceUnavailableError):
        await shop.make(variant_id)
    assert (await shop.row(variant_id)).asked_at is not None
    assert shop.bill["runs"] == 0


async def test_an_answer_that_never_came_waits_although_the_log_shows_nothing(
    shop: Workshop,
) -> None:
    """Nobody has answered, so that it may still begin; only a failure that Dify told ends that."""
    variant_id = await one(shop)
    await change(shop.database, _SUBMITTED_A_MINUTE_AGO)
    with pytest.raises(PostponedError, match="for 1200 s"):
        await shop.make(variant_id)
    assert shop.bill["runs"] == 0


async def test_a_worker_whose_clock_is_ahead_does_not_begin_a_lost_generation_again(
    shop: Workshop, database_url: str
) -> None:
    """Its clock is half an hour ahead of the database's, by which an answer counts as lost."""
    variant_id = await one(shop)
    await change(shop.database, _HALF_AN_HOUR_BEHIND)
    address = f"{database_url}&options=-csearch_path%3Dpublic%2Cpg_catalog"
    async with Database(address) as shop.database:
        await change(shop.database, _SUBMITTED_A_MINUTE_AGO)
        with pytest.raises(PostponedError, match=r"got the request \d\d s ago"):
            await shop.make(variant_id)
    assert shop.bill["runs"] == 0


@pytest.mark.parametrize("fault", [None, "cut_stream", "server_error_begun"])
async def test_outputs_are_kept_although_the_run_is_told_as_running(
    shop: Workshop, fault: str | None
) -> None:
    shop.shape(lags=True)
    if fault:
        switch_on(shop, fault)
    variant_id = await one(shop)
    made = await shop.make(variant_id)
    assert made.status is VariantStatus.COMPLETED
    assert made.description
    assert shop.bill["paid"] == 1
    assert shop.bill["stopped"] == 0


@pytest.mark.parametrize("fault", [None, "cut_stream"])
async def test_outputs_are_kept_under_a_status_that_nobody_knows(
    shop: Workshop, fault: str | None
) -> None:
    shop.shape(status="exhausted")
    if fault:
        switch_on(shop, fault)
    made = await shop.make(await one(shop))
    assert made.status is VariantStatus.COMPLETED
    assert (await shop.row(made.id)).response_metadata["status"] == "exhausted"
    assert shop.bill["paid"] == 1


async def test_a_run_under_an_unknown_status_is_told_and_looked_at_again_for_nothing(
    shop: Workshop,
) -> None:
    """It has no outputs: the message comes at once, and a retry pays nothing."""
    shop.shape(status="exhausted", outputs="none")
    variant_id = await one(shop)
    with pytest.raises(ServiceRefusedError, match="status 'exhausted'"):
        await shop.make(variant_id)
    row = await shop.row(variant_id)
    assert row.status == "failed"
    assert not is_generation_over(row)
    await shop.retry(variant_id)
    with pytest.raises(AdSparkError):
        await shop.make(variant_id)
    assert shop.bill["paid"] == 1
