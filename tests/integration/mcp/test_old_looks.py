"""Figures of the present, where the last look at the ads is too old to know them."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from tests.support.assistant import ask, open_assistant, serving
from tests.support.days import noon
from tests.support.factories import ADVERTISER_ID, creative, query
from tests.support.noticed import add_watch, ago

OTHER_ID = "AR" + "2".zfill(20)
_FETCH = text("""
    INSERT INTO "fetch" (id, query, query_hash, is_dry_run, is_refreshed, status, stop_reason,
        pages, searches_billed, searches_cached, new_count, changed_count, unchanged_count,
        rejected_count, started_at)
    VALUES (:id, CAST(:query AS jsonb), :hash, false, false, 'completed', 'end',
        1, 1, 0, 1, 0, 0, 0, :at)
""")


async def fetch_by_hand(database: Database, *, at: datetime, shown: date) -> None:
    """An ad of each of two advertisers, fetched at that moment; it was running on that day."""
    days = {"first_shown": noon(shown - timedelta(days=100)), "last_shown": noon(shown)}
    ids = (ADVERTISER_ID, OTHER_ID)
    async with database.session() as session:
        rows = [creative(n, advertiser_id=one, **days) for n, one in enumerate(ids, 1)]
        await save_creatives(session, rows=rows)
        for one in ids:
            made = query(advertiser_ids=one)
            values = {"id": uuid4(), "query": made.model_dump_json(), "hash": made.hash, "at": at}
            await session.execute(_FETCH, values)
        await session.commit()


def day(today: date, ago: int) -> str:
    return str(today - timedelta(days=ago))


ONE: dict[str, Any] = {"advertiser": ADVERTISER_ID}
BOTH: dict[str, Any] = {"advertisers": [ADVERTISER_ID, OTHER_ID]}
MANY: dict[str, Any] = {"advertiser": [ADVERTISER_ID]}
# tool, arguments, days ago, and whether a look of 60 days ago answers it
ASKED: list[tuple[str, dict[str, Any], dict[str, int], bool, str]] = [
    ("show_advertiser", ONE, {}, False, "ads running now are among its figures"),
    ("compare_advertisers", BOTH, {}, False, "so are they here"),
    ("show_timeline", ONE, {}, False, "until today"),
    ("show_timeline", ONE, {"first": 90}, False, "until today, whenever it begins"),
    ("show_timeline", ONE, {"last": 30}, False, "until a day after the look"),
    ("show_timeline", ONE, {"last": 70}, True, "until a day before it"),
    ("search_ads", MANY, {}, True, "all ads, as of the look"),
    ("search_ads", {**MANY, "running": True}, {}, False, "running now"),
    ("search_ads", {**MANY, "running": False}, {}, False, "not running any more"),
    ("search_ads", MANY, {"last_to": 30}, False, "not shown after a day that came later"),
    ("search_ads", MANY, {"last_to": 70}, True, "not shown after a day before it"),
]


@pytest.mark.parametrize("looked", [60, 0])
async def test_figures_of_the_present_are_complete_only_by_a_look_of_late(
    database: Database, database_url: str, tmp_path: Path, today: date, looked: int
) -> None:
    await fetch_by_hand(database, at=ago(days=looked), shown=today - timedelta(days=looked))
    async with open_assistant(serving(database_url, tmp_path)) as client:
        for tool, arguments, days, is_known, reason in ASKED:
            moments = {name: day(today, before) for name, before in days.items()}
            coverage = (await ask(client, tool, **arguments, **moments))["coverage"]
            assert coverage["is_complete"] is (is_known or not looked), (tool, reason, coverage)
            if not coverage["is_complete"]:
                assert coverage["not_looked_at"][0].startswith("Nobody has looked on")


@pytest.mark.parametrize(
    ("search", "looked", "is_known"),
    [
        ({"first_from": 1}, 5, False),
        ({"first_from": 1}, 0, True),
        ({"first_from": 9}, 5, True),
        ({"running": True}, 9, False),
        ({"running": True}, 5, True),
        ({"last_to": -1}, 5, True),
        ({"last_to": -1}, 9, False),
        ({}, 9, True),
    ],
)
async def test_with_a_watch_too_its_last_look_has_to_be_late_enough(
    database: Database,
    database_url: str,
    tmp_path: Path,
    today: date,
    search: dict[str, Any],
    looked: int,
    *,
    is_known: bool,
) -> None:
    moment = ago(days=looked)
    await add_watch(database, baseline_at=moment, complete_at=moment, checked_at=moment)
    asked = {k: v if v is True else day(today, v) for k, v in search.items()}

    async with open_assistant(serving(database_url, tmp_path)) as client:
        answer = await ask(client, "search_ads", watch="shoes", **asked)

    assert answer["coverage"]["is_complete"] is is_known, json.dumps(answer["coverage"])
    assert ("was not looked at since" in str(answer["coverage"]["not_looked_at"])) is not is_known


async def test_ads_that_a_watch_perhaps_never_saw_may_run_now(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await add_watch(database, has_gaps=True)

    async with open_assistant(serving(database_url, tmp_path)) as client:
        answer = await ask(client, "search_ads", watch="shoes", running=True)

    assert answer["coverage"]["is_complete"] is False
