"""The flow fetch-creatives against the sandbox and a real database."""

import logging
import re
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import ParameterTypeError
from sqlalchemy import text

from adspark.creatives.fetch import FetchSummary
from adspark.db.engine import Database
from adspark.db.rates import SEARCHES
from adspark.errors import InvalidCredentialsError, InvalidQueryError, ServiceUnavailableError
from adspark.serpapi.search_query import parse_query
from adspark.settings import get_settings
from flows.fetch_creatives import artifact_key, fetch_creatives
from tests.support.factories import ADVERTISER_ID
from tests.support.sandbox_control import SANDBOX_KEY, searches, switch_on

pytestmark = pytest.mark.usefixtures("environment")


async def run_of(state: State[FetchSummary]) -> FlowRun:
    """The flow run that ended in `state`."""
    assert state.state_details.flow_run_id is not None
    async with get_client() as client:
        return await client.read_flow_run(state.state_details.flow_run_id)


async def count(database: Database, table: str) -> int:
    """Rows of a table."""
    async with database.session() as session:
        return int(await session.scalar(text(f'SELECT count(*) FROM "{table}"')) or 0)


async def test_ads_arrive_in_the_database_and_are_told_apart(database: Database) -> None:
    first = await fetch_creatives(advertiser_ids=[ADVERTISER_ID])
    second = await fetch_creatives(advertiser_ids=[ADVERTISER_ID])
    assert (first.new, first.changed, first.unchanged, first.searches_billed) == (40, 0, 0, 1)
    assert (second.new, second.changed, second.unchanged) == (0, 0, 40)
    assert (second.searches_billed, second.searches_cached) == (0, 1)
    assert await count(database, "creative") == 40


async def test_the_words_of_the_old_guide_work() -> None:
    summary = await fetch_creatives(
        advertiser_ids="AR17828074650563772417", text="tesla.com", region="US"
    )
    assert summary.query.advertiser_ids == ("AR17828074650563772417",)
    assert summary.query.region == "2840"


async def test_the_ledger_names_the_flow_run(database: Database) -> None:
    state = await fetch_creatives(text="hubspot.com", return_state=True)
    run = await run_of(state)
    async with database.session() as session:
        flow_run_id = await session.scalar(text('SELECT flow_run_id FROM "fetch"'))
    assert flow_run_id == run.id


async def test_a_dry_run_shows_a_sample_and_stores_no_ads(database: Database) -> None:
    summary = await fetch_creatives(text="hubspot.com", dry_run=True)
    assert summary.dry_run
    assert summary.new == 3
    assert {row.advertiser for row in summary.new_creatives} == {"Hubspot, Inc."}
    for table in ("creative", "advertiser", "rejected_row"):
        assert await count(database, table) == 0, table
    assert await count(database, "fetch") == 1  # what it cost


async def test_what_is_new_is_a_table_in_the_ui() -> None:
    state = await fetch_creatives(text="hubspot.com", return_state=True)
    run = await run_of(state)
    async with get_client() as client:
        artifacts = await client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))
        )
    (artifact,) = [one for one in artifacts if str(one.key).startswith("new-creatives-")]
    assert artifact.description is not None
    assert "3 new" in artifact.description
    assert "Hubspot, Inc." in str(artifact.data)


def test_each_search_has_a_table_of_its_own() -> None:
    searches = [
        {"text": "hubspot.com"},
        {"text": "hubspot.com", "region": "US"},
        {"text": "hubspot.com.au"},
        {"advertiser_ids": [f"AR{number:020d}" for number in range(1, 21)]},
        {"advertiser_ids": [f"AR{number:020d}" for number in range(1, 20)]},
        {"text": "müller.example"},
    ]
    keys = [artifact_key(parse_query(**search)[0]) for search in searches]  # type: ignore[arg-type]
    assert len(set(keys)) == len(searches)
    assert all(re.fullmatch("[a-z0-9-]{1,80}", key) for key in keys)
    assert keys[0].startswith("new-creatives-hubspot-com-")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        pytest.param({}, "advertiser_ids: give at least one", id="neither advertiser nor text"),
        pytest.param({"text": "x.com", "region": "Germny"}, "did you mean 'Germany'", id="region"),
        pytest.param(
            {"text": "x.com", "start_date": "2026-02-02", "end_date": "2026-01-01"},
            "end_date: 2026-01-01 lies before",
            id="dates the wrong way round",
        ),
        *(
            pytest.param(
                {"text": "x.com", "start_date": day}, "is not a day", id=f"{day!r}, no day"
            )
            for day in (0, "0", "2026-8-1")
        ),
        pytest.param({"text": "x.com", "political_ads": True}, "need a region", id="political"),
        pytest.param({"text": "x.com", "max_pages": 0}, "max_pages: must be 1", id="no page"),
        pytest.param({"text": "x.com", "page_size": 101}, "page_size: must be 1", id="page size"),
    ],
)
async def test_bad_input_fails_with_its_remedy_before_any_search(
    parameters: dict[str, object], message: str, sandbox_url: str
) -> None:
    state: State[FetchSummary] = await fetch_creatives(**parameters, return_state=True)
    assert state.is_failed()
    assert message in (state.message or "")
    with pytest.raises((InvalidQueryError, ParameterTypeError)):
        await state.aresult()
    assert searches(sandbox_url)["requests"] == 0


async def test_a_wrong_key_fails_at_once_and_says_what_to_set(
    environment: pytest.MonkeyPatch, sandbox_url: str
) -> None:
    environment.setenv("ADSPARK_SERPAPI_KEY", "wrong")
    get_settings.cache_clear()
    state: State[FetchSummary] = await fetch_creatives(text="hubspot.com", return_state=True)
    assert state.is_failed()
    assert "ADSPARK_SERPAPI_KEY" in (state.message or "")
    with pytest.raises(InvalidCredentialsError):
        await state.aresult()
    assert searches(sandbox_url)["requests"] == 1


async def test_a_temporary_failure_is_tried_again(sandbox_url: str) -> None:
    switch_on(sandbox_url, {"kind": "unavailable_503", "times": 2})
    summary = await fetch_creatives(text="hubspot.com")
    assert summary.new == 3
    assert searches(sandbox_url)["billed"] == 1


async def test_a_service_that_stays_down_fails_the_run_and_is_named(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("ADSPARK_SERPAPI_URL", "http://127.0.0.1:9")
    get_settings.cache_clear()
    state: State[FetchSummary] = await fetch_creatives(text="hubspot.com", return_state=True)
    assert state.is_failed()
    assert "SerpApi (127.0.0.1) cannot be reached" in (state.message or "")
    with pytest.raises(ServiceUnavailableError):
        await state.aresult()


async def test_a_database_that_is_down_fails_the_run_before_any_search(
    environment: pytest.MonkeyPatch, sandbox_url: str
) -> None:
    environment.setenv("ADSPARK_DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:9/adspark")
    get_settings.cache_clear()
    state: State[FetchSummary] = await fetch_creatives(text="hubspot.com", return_state=True)
    assert state.is_failed()
    assert "PostgreSQL does not answer at 127.0.0.1:9" in (state.message or "")
    assert "hunter2" not in (state.message or "")
    assert searches(sandbox_url)["requests"] == 0


async def test_a_failure_between_pages_is_taken_up_without_a_second_search(
    sandbox_url: str, database: Database
) -> None:
    switch_on(sandbox_url, {"kind": "server_error_500", "after": 2, "times": 1})
    summary = await fetch_creatives(advertiser_ids=[ADVERTISER_ID], page_size=10, max_pages=4)
    assert (summary.new, summary.pages, summary.resumed) == (40, 4, True)
    assert searches(sandbox_url)["billed"] == 4
    assert summary.searches_billed == 4
    assert await count(database, "fetch") == 1


async def test_a_warning_reaches_the_summary_and_the_log() -> None:
    state = await fetch_creatives(text="https://www.hubspot.com/pricing", return_state=True)
    summary = await state.aresult()
    assert summary.warnings == [
        "text: searching for 'hubspot.com', since only a bare domain finds ads."
    ]


async def test_the_key_is_nowhere_to_be_read(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    state = await fetch_creatives(text="hubspot.com", return_state=True)
    run = await run_of(state)
    async with get_client() as client:
        logs = await client.read_logs(
            LogFilter(flow_run_id=LogFilterFlowRunId(any_=[UUID(str(run.id))]))
        )
    told = [record.getMessage() for record in caplog.records] + [line.message for line in logs]
    summary = await state.aresult()
    (headline,) = {message for message in told if summary.headline in message}
    assert headline.startswith("Finished in state Completed(")  # what it came to is said once
    told += [run.model_dump_json(), summary.model_dump_json()]
    assert any("search.json" in message for message in told)  # httpx did log the request
    assert not [message for message in told if SANDBOX_KEY in message]


async def test_the_rate_limit_that_operators_set_in_prefect_is_kept(
    database: Database, sandbox_url: str
) -> None:
    limit = GlobalConcurrencyLimitCreate(name=SEARCHES, limit=2, slot_decay_per_second=2 / 60)
    async with get_client() as client:
        await client.create_global_concurrency_limit(limit)
    try:
        from orchestration.limits.rate_limits import searches_per_minute  # noqa: PLC0415

        assert await searches_per_minute() == 2
        await fetch_creatives(advertiser_ids=[ADVERTISER_ID], page_size=20, max_pages=2)
    finally:
        async with get_client() as client:
            await client.delete_global_concurrency_limit_by_name(SEARCHES)
    assert await count(database, "rate_slot") == 2
