"""What a stack that stops does about the runs that its workers have left."""

from prefect.states import Running

from deployments.operations.runs.active import requeue_unfinished_runs
from deployments.operations.worker_names import WORKER_LABEL, hold_name
from tests.support.queued import POOL, open_pools, queue


async def test_runs_of_another_worker_that_lives_are_left_to_it() -> None:
    async with open_pools() as client:
        left, alive = await queue(client, Running(), Running())
        await client.update_flow_run_labels(left.id, {WORKER_LABEL: "the stack's"})
        await client.update_flow_run_labels(alive.id, {WORKER_LABEL: "second"})
        with hold_name("second", POOL, str(client.api_url)):
            assert await requeue_unfinished_runs("The local stack was stopped.") == 1
            assert (await client.read_flow_run(left.id)).state_name == "AwaitingRetry"
            assert (await client.read_flow_run(alive.id)).state_name == "Running"
        assert await requeue_unfinished_runs("The local stack was stopped.") == 1
        assert (await client.read_flow_run(alive.id)).state_name == "AwaitingRetry"
