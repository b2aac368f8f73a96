"""All about one run, without its secrets."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from prefect import flow, task
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import LogCreate
from prefect.states import Cancelled, Completed, Failed, Running
from prefect.types._datetime import now
from pydantic import BaseModel

from adspark.errors import ConfigurationError
from deployments.operations.runs.report import read_report
from tests.support.queued import open_pools, queue

SECRET = "s3cret-0"


class Parts(BaseModel):
    """What the flow gives back."""

    number: int
    api_token: str


@task
async def add(number: int) -> int:
    """A task to be seen."""
    return number + 1


@flow(name="adds", persist_result=True, result_serializer="json")
async def adds(number: int, serpapi_key: str) -> Parts:
    """A flow with a secret among its parameters and in its result."""
    return Parts(number=await add(number), api_token=serpapi_key)


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    """A server with our pools."""
    async with open_pools() as opened:
        yield opened


async def write_log(client: PrefectClient, run_id: UUID, *lines: str) -> None:
    """Lines of a run's log."""
    made = [
        LogCreate(name="prefect", level=40, message=line, timestamp=now(), flow_run_id=run_id)
        for line in lines
    ]
    await client.create_logs(made)


async def test_a_completed_run_shows_its_result_and_tasks(client: PrefectClient) -> None:
    state = await adds(1, SECRET, return_state=True)
    run_id = state.state_details.flow_run_id
    report = await read_report(client, str(run_id))
    assert (report.kind, report.flow, report.state_type) == ("flow run", "adds", "COMPLETED")
    assert report.parameters == {"number": 1, "serpapi_key": "***"}
    assert report.result == {"number": 2, "api_token": "***"}
    while [one.state for one in report.task_runs] != ["Completed"]:  # they arrive later, as events
        await asyncio.sleep(0.1)
        report = await read_report(client, str(run_id))
    (line,) = report.task_runs
    assert line.name.startswith("add-")
    below = await read_report(client, line.name)
    assert (below.kind, below.id) == ("task run", line.id)
    assert below.remedy[0] == f"adspark task {run_id}"


@flow(name="kept", persist_result=True, result_serializer="json")
async def kept(document: dict[str, object]) -> dict[str, object]:
    """A flow whose result is kept as an earlier version has written its own."""
    return document


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("adspark.fetching.Parts", {"number": 2, "api_token": "***"}, id="moved"),
        pytest.param(f"{__name__}.Parts", {"number": 2, "api_token": "***"}, id="there"),
        pytest.param("adspark.watches.check.WatchSummary", None, id="of other fields since"),
    ],
)
async def test_a_result_of_an_earlier_version_is_shown_where_it_can_be_read(
    client: PrefectClient, name: str, shown: object
) -> None:
    document = {"__class__": name, "data": {"number": 2, "api_token": SECRET}}
    state = await kept(document, return_state=True)
    report = await read_report(client, str(state.state_details.flow_run_id))
    assert (report.state, report.result) == ("Completed", shown)


async def test_a_run_that_was_cancelled_before_it_began_was_never_started(
    client: PrefectClient,
) -> None:
    (run,) = await queue(client, Cancelled())
    report = await read_report(client, run.name)
    assert (report.started, report.run_count) == (None, 0)
    assert report.ended is not None


async def test_a_failed_run_shows_why_and_what_to_do_and_no_secret(client: PrefectClient) -> None:
    why = (
        f"Flow run encountered an exception: ValueError: https://me:{SECRET}@host/?api_key={SECRET}"
    )
    (run,) = await queue(client, Failed(message=why))
    trace = f"Traceback (most recent call last):\n  ValueError: {{'token': '{SECRET}'}}"
    await write_log(client, run.id, "first", "second", f"Encountered exception\n{trace}")
    report = await read_report(client, run.name, log_lines=2)
    assert report.message == "ValueError: https://***@host/?api_key=***"
    assert report.traceback is not None
    assert report.traceback.startswith("Traceback")
    assert [line.text for line in report.log] == ["second", "Encountered exception"]
    ui_url = str(client.api_url).removesuffix("/").removesuffix("/api")
    assert report.remedy == [f"adspark retry {run.id}", f"{ui_url}/runs/flow-run/{run.id}"]
    assert report.deployment == "probe/data-fetch"
    assert SECRET not in report.model_dump_json()


async def test_what_can_be_done_depends_on_the_state(client: PrefectClient) -> None:
    running, completed = await queue(client, Running(), Completed())
    report = await read_report(client, str(running.id))
    assert report.remedy[0] == f"prefect flow-run cancel {running.id}"
    report = await read_report(client, str(completed.id))
    assert report.remedy[0] == "adspark run probe/data-fetch"


async def test_wrong_parameters_are_to_be_started_anew(client: PrefectClient) -> None:
    refused = "watch_id: is not a whole number."
    unknown = "Flow run encountered an exception: UnknownWatchError: There is no watch 9"
    wrong, begun = await queue(client, Failed(message=refused), Running())
    await client.set_flow_run_state(begun.id, Failed(message=unknown), force=True)
    await client.update_flow_run(begun.id, parameters={"watch_id": 9})
    anew = "adspark run probe/data-fetch -p NAME=VALUE"  # as `adspark failures` says
    for run in (wrong, begun):
        assert (await read_report(client, str(run.id))).remedy[:-1] == [anew]


async def test_a_key_means_one_run_or_says_which(client: PrefectClient) -> None:
    first, second = await queue(client, Completed(), Completed())
    beginning = str(first.id)[:8]
    assert (await read_report(client, beginning.upper())).id == first.id
    await client.update_flow_run(second.id, name="twin")
    await client.update_flow_run(first.id, name="twin")
    with pytest.raises(ConfigurationError, match=r"means 2 runs; .*twin"):
        await read_report(client, "twin")
    for unknown in ("abc", "0" * 8, "no-such-run", "0f9b1c1e-9a1d-4c0e-8f3a-2b1c5d7e9f00"):
        with pytest.raises(ConfigurationError, match=f"no run '{unknown}'"):
            await read_report(client, unknown)
