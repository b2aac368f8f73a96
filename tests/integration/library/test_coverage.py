"""Whether somebody has looked for the ads of a question: as they were looked for, and no wider."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.insight.watching import read_advertiser_watches
from adspark.library.coverage import Scope, ScopeCoverage, read_coverage
from adspark.models import Coverage
from tests.support.factories import creative, query
from tests.support.library import ad
from tests.support.noticed import add_watch, ago
from tests.support.stored_ads import change

ID, OTHER = (f"AR{number:020d}" for number in (1, 2))
_FETCH = text("""
    INSERT INTO "fetch" (id, query, query_hash, is_dry_run, is_refreshed, status, stop_reason,
        pages, searches_billed, searches_cached, new_count, changed_count, unchanged_count,
        rejected_count, started_at)
    VALUES (:id, CAST(:query AS jsonb), 'h', :is_dry_run, false, :status, :stop_reason,
        1, 1, 0, :new, 0, :unchanged, :rejected, :at)
""")


async def read(database: Database, **scope: Any) -> ScopeCoverage:  # noqa: ANN401
    async with database.session() as session:
        return await read_coverage(session, Scope(**scope))


@pytest.mark.parametrize(
    ("watch", "scope", "lacks"),
    [
        ({}, {}, None),
        ({"advertiser_ids": [OTHER, ID]}, {}, None),
        ({"region": "2840"}, {"region": "2840"}, None),
        ({"region": "2840"}, {}, "it searches in United States only"),
        ({"region": "2840"}, {"region": "2276"}, "it searches in United States only"),
        ({}, {"region": "2276"}, "it does not search by country"),
        ({"platform": "YOUTUBE"}, {"platform": "YOUTUBE"}, None),
        ({"platform": "YOUTUBE"}, {}, "it searches on YOUTUBE only"),
        ({}, {"platform": "YOUTUBE"}, "it does not search by platform"),
        ({"creative_format": "video"}, {"creative_format": "video"}, None),
        (
            {"creative_format": "video"},
            {"creative_format": "image"},
            "ads of the format video only",
        ),
        ({"creative_format": "video"}, {}, "ads of the format video only"),
        ({}, {"creative_format": "video"}, None),  # each ad says itself of which it is
        ({"political_ads": True, "region": "2840"}, {"region": "2840"}, "political ads only"),
        ({"text": "example.com"}, {}, "that lead to example.com only"),
    ],
)
async def test_a_watch_covers_what_it_searches_for(
    database: Database, watch: dict[str, Any], scope: dict[str, Any], lacks: str | None
) -> None:
    await add_watch(database, **{"advertiser_ids": [ID]} | watch)

    found = await read(database, advertiser_ids=(ID,), **scope)

    (look,) = found.looks
    assert (look.subjects, look.is_enough) == ([ID], lacks is None)
    assert (lacks or "") in " ".join(look.lacks)
    assert (found.uncovered, found.as_of is None) == ([ID] if lacks else [], lacks is not None)


@pytest.mark.parametrize(
    ("fields", "is_enough"),
    [
        ({}, True),
        ({"has_gaps": True}, False),
        ({"coverage": Coverage.PARTIAL}, False),
        ({"coverage": Coverage.NONE}, False),
        ({"checked_at": None, "coverage": None, "complete_at": None}, False),
        ({"is_active": False}, False),
    ],
)
async def test_only_a_complete_look_counts(
    database: Database, fields: dict[str, Any], is_enough: bool
) -> None:
    await add_watch(database, advertiser_ids=[ID], **fields)

    found = await read(database, advertiser_ids=(ID,))

    assert [one.is_enough for one in found.looks] == [is_enough]


@pytest.mark.parametrize(
    ("domain", "is_covered"),
    [("example.com", True), ("shop.example.com", True), ("other.com", False), ("com", False)],
)
async def test_a_domain_is_covered_by_who_looks_for_it_or_for_what_it_is_below(
    database: Database, domain: str, is_covered: bool
) -> None:
    await add_watch(database, advertiser_ids=[], text="example.com")
    await add_watch(database, name="advertiser", advertiser_ids=[ID])

    found = await read(database, advertiser_ids=(ID,), domain=domain)

    assert (found.uncovered == []) is is_covered


async def test_a_watch_of_a_domain_has_not_seen_all_ads_of_whom_it_found_there(
    database: Database,
) -> None:
    async with database.session() as session:
        await save_creatives(session, rows=[creative(1, advertiser_id=ID)])
        await session.commit()
    finding = await add_watch(database, advertiser_ids=[], text="example.com")
    await add_watch(database, name="other", advertiser_ids=[], text="other.example")
    await change(
        database,
        f"INSERT INTO watch_creative (watch_id, ad_creative_id) VALUES ({finding}, '{ad(1)}')",
    )

    found = await read(database, advertiser_ids=(ID,))

    (look,) = found.looks
    assert (look.watch_id, look.subjects, look.is_enough) == (finding, [ID], False)
    assert found.uncovered == [ID]
    async with database.session() as session:
        watches = await read_advertiser_watches(session, advertiser_id=ID)
    assert [(one.id, one.domain) for one in watches] == [(finding, "example.com")]


async def test_each_of_several_has_to_be_covered_and_the_oldest_look_says_as_of_when(
    database: Database,
) -> None:
    early, late = ago(hours=9), ago(hours=1)
    await add_watch(database, advertiser_ids=[ID], complete_at=early)
    alone = await read(database, advertiser_ids=(ID, OTHER))
    await add_watch(database, name="both", advertiser_ids=[ID, OTHER], complete_at=late)
    await add_watch(database, name="other", advertiser_ids=[OTHER], complete_at=early)
    both = await read(database, advertiser_ids=(ID, OTHER))

    assert (alone.uncovered, alone.as_of) == ([OTHER], early)
    assert (both.uncovered, both.as_of) == ([], late)
    assert await read(database) == ScopeCoverage(looks=[], uncovered=[], as_of=None)


@pytest.mark.parametrize(
    ("fields", "search", "is_enough"),
    [
        ({}, {}, True),
        ({"stop_reason": "page_limit"}, {}, None),
        ({"status": "failed", "stop_reason": "error"}, {}, None),
        ({"is_dry_run": True}, {}, None),
        ({"new": 0, "unchanged": 2}, {}, True),
        ({"new": 0}, {}, None),  # that nothing came is no proof that there is nothing
        ({"rejected": 1}, {}, None),
        ({}, {"start_date": "2026-01-01"}, False),
        ({}, {"region": "2840"}, False),
    ],
)
async def test_a_fetch_by_hand_counts_where_it_saw_all_ads_to_the_end(
    database: Database, fields: dict[str, Any], search: dict[str, Any], is_enough: bool | None
) -> None:
    document = query(advertiser_ids=ID).model_copy(update=search).model_dump_json(warnings=False)
    values = {
        "id": uuid4(), "query": document, "is_dry_run": False, "status": "completed",
        "stop_reason": "end", "new": 2, "unchanged": 0, "rejected": 0, "at": ago(hours=2),
    }  # fmt: skip
    async with database.session() as session:
        await session.execute(_FETCH, values | fields)
        await session.commit()

    found = await read(database, advertiser_ids=(ID,))

    assert [one.is_enough for one in found.looks] == ([] if is_enough is None else [is_enough])
    assert found.uncovered == ([] if is_enough else [ID])
