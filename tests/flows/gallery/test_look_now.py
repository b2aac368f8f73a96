"""Look now: a form of the gallery starts the run that looks at a watch, and follows it."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.flow_engine import run_flow_async
from prefect.states import Cancelled
from prefect.utilities.callables import parameter_schema

from adspark.db.engine import Database
from deployments.operations.pools import pause, resume
from flows.process_watch import process_watch
from tests.support.gallery import GalleryClient, open_gallery
from tests.support.noticed import add_watch
from tests.support.queued import open_pools
from tests.support.stored_ads import change

pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    """A server with the deployment of the flow, without workers."""
    async with open_pools() as opened:
        flow_id = await opened.create_flow(process_watch)
        deployment = await opened.create_deployment(
            flow_id,
            "process-watch",
            work_pool_name="data-fetch",
            entrypoint="flows.process_watch.process_watch",
            parameter_openapi_schema=parameter_schema(process_watch).model_dump_for_openapi(),
        )
        yield opened
        await opened.delete_deployment(deployment)


@pytest.fixture
async def pages(database_url: str, tmp_path: Path) -> AsyncIterator[GalleryClient]:
    """The pages over an empty library."""
    async with open_gallery(database_url, tmp_path / "media") as opened:
        yield opened


async def test_a_look_is_started_followed_and_its_outcome_shown(
    client: PrefectClient, pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(
        database, checked_at=None, coverage=None, complete_at=None, baseline_at=None
    )
    path = f"/watches/{watch_id}"

    started = await pages.send_form(f"{path}/look", page=path)
    run = started.url.params["run"]
    assert "Waiting for a worker" in started.text
    assert f'data-progress="{path}/look/{run}"' in started.text
    told = (await pages.get(f"{path}/look/{run}")).json()
    assert (told["is_final"], told["outcome"]) == (False, "")

    found = await client.read_flow_run(UUID(run))
    assert found.parameters == {"watch_id": watch_id}
    await run_flow_async(process_watch, flow_run=found, parameters=found.parameters)

    told = (await pages.get(f"{path}/look/{run}")).json()
    assert (told["is_final"], told["outcome"]) == (True, "done")
    assert "40 known from the start" in told["text"]
    page = (await pages.get(f"{path}?run={run}")).text
    assert "Done:" in page
    assert "data-progress=" not in page
    assert "Everything was looked at" in page
    assert re.search(r'/library\?watch=\d+">40<', page)


async def test_a_look_in_a_paused_pool_says_so_until_it_is_resumed(
    client: PrefectClient, pages: GalleryClient, database: Database
) -> None:
    path = f"/watches/{await add_watch(database)}"
    await pause(client, "data-fetch")

    started = await pages.send_form(f"{path}/look", page=path)
    assert "looks and details are paused; an operator resumes them." in started.text
    assert "Waiting for a worker" not in started.text

    await resume(client, "data-fetch", skip_late=False)
    told = (await pages.get(f"{path}/look/{started.url.params['run']}")).json()
    assert (told["text"], told["is_final"]) == ("Waiting for a worker …", False)


async def test_a_form_that_is_sent_twice_starts_one_look_and_follows_it(
    client: PrefectClient, pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(database)
    path = f"/watches/{watch_id}"
    page = (await pages.get(path)).text
    fields = dict(re.findall(r'name="(key|form_token)" value="([0-9a-f]+)"', page))
    assert len(fields) == 2

    answers = await asyncio.gather(
        *(pages.post(f"{path}/look", data=fields, follow_redirects=True) for _ in range(4))
    )

    (run,) = {one.url.params["run"] for one in answers}
    other = await pages.send_form(f"{path}/look", page=path)  # of another window
    assert other.url.params["run"] == run
    await client.set_flow_run_state(UUID(run), Cancelled(), force=True)
    again = await pages.post(f"{path}/look", data=fields, follow_redirects=True)
    assert again.url.params["run"] != run  # the page was used once more, later


async def test_a_failed_look_says_why(
    client: PrefectClient, pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(database, monthly_budget=None)
    path = f"/watches/{watch_id}"
    started = await pages.send_form(f"{path}/look", page=path)
    found = await client.read_flow_run(UUID(started.url.params["run"]))
    await change(database, "UPDATE watch SET is_active = false")

    await run_flow_async(
        process_watch, flow_run=found, parameters=found.parameters, return_type="state"
    )

    page = (await pages.get(f"{path}?run={found.id}")).text
    assert "It failed: " in page
    assert "is paused" in page


async def test_a_run_of_something_else_is_no_look_at_this_watch(
    client: PrefectClient, pages: GalleryClient, database: Database
) -> None:
    one, other = await add_watch(database), await add_watch(database, name="other")
    started = await pages.send_form(f"/watches/{one}/look", page=f"/watches/{one}")
    run = started.url.params["run"]

    assert (await pages.get(f"/watches/{other}/look/{run}")).status_code == 404
    answer = await pages.get(f"/watches/{other}?run={run}")
    assert answer.status_code == 404
    assert "There is no such look" in answer.text
    assert f'href="/watches/{other}"' in answer.text


async def test_a_paused_watch_is_not_looked_at(
    client: PrefectClient, pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(database, is_active=False)
    path = f"/watches/{watch_id}"

    answer = await pages.send_form(f"{path}/look", page=path)

    assert "The watch is paused" in answer.text
    assert "run=" not in str(answer.url)
