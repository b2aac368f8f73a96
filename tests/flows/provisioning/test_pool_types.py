"""A pool of another type is made anew, and nothing that waits or runs in it is lost."""

from collections.abc import AsyncIterator

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.states import AwaitingRetry, Completed, Running

from adspark.errors import ConfigurationError
from adspark.settings import Settings
from deployments.provisioning.drift import Merge
from deployments.provisioning.pools import provision_pool
from deployments.provisioning.provision import provision
from deployments.queue_classes import QUEUE_CLASSES
from orchestration.runs.naming import CANCEL
from tests.support.queued import POOL, open_pools, queue

CONTAINERS = Settings(pool_type="docker", run_image="adspark:test")


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    """A server with our pools, whose runs are processes."""
    async with open_pools() as opened:
        yield opened


async def change_type(client: PrefectClient) -> None:
    """Provision the pool, so that its runs are containers."""
    (queue_class,) = [one for one in QUEUE_CLASSES if one.name == POOL]
    merge = Merge({}, dry_run=False, reset=False)
    await provision_pool(client, queue_class, CONTAINERS, merge)


async def test_one_pool_with_runs_keeps_all_as_they_are(
    client: PrefectClient, database_url: str
) -> None:
    last = QUEUE_CLASSES[-1].name
    (run,) = await queue(client, Running(), pool=last)
    with pytest.raises(ConfigurationError, match=f"The pool {last} is of the type process"):
        await provision(CONTAINERS, database_url=database_url)
    assert {one.type for one in await client.read_work_pools()} == {"process"}
    await client.set_flow_run_state(run.id, Completed(), force=True)


async def test_what_keeps_a_pool_is_named_with_what_ends_it_also_without_a_worker(
    client: PrefectClient,
) -> None:
    running, waiting, *more = await queue(
        client, Running(), AwaitingRetry(), Running(), Running(), Running()
    )
    with pytest.raises(ConfigurationError) as raised:
        await change_type(client)
    said = str(raised.value)
    assert "is of the type process, ADSPARK_POOL_TYPE is docker, and it has 5 runs left: " in said
    assert " and 2 more; " in said
    assert CANCEL in said
    await client.set_flow_run_state(waiting.id, Completed(), force=True)
    for run in more:
        await client.set_flow_run_state(run.id, Completed(), force=True)
    with pytest.raises(ConfigurationError, match=rf"has 1 run left: {running.id} \(Running\); "):
        await change_type(client)
    assert (await client.read_work_pool(POOL)).type == "process"
    await client.set_flow_run_state(running.id, Completed(), force=True)
    await change_type(client)
    assert (await client.read_work_pool(POOL)).type == "docker"
