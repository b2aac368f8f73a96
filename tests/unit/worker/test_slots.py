"""When a worker may claim another run: its own runs take slots of its pool until their end."""

from uuid import uuid4

import pytest
from prefect.client.schemas.objects import WorkPool

from deployments.worker.process_worker import ProcessPoolWorker


@pytest.fixture
def worker() -> ProcessPoolWorker:
    """A worker of a pool with two slots, which it has read."""
    made = ProcessPoolWorker("default", name="one")
    made._work_pool = WorkPool(
        name="default",
        type="process",
        base_job_template={},
        concurrency_limit=2,
        default_queue_id=uuid4(),
    )
    return made


def has_slot(worker: ProcessPoolWorker) -> bool:
    return worker.may_claim


async def test_a_slot_is_free_once_an_end_is_recorded_and_the_process_may_take_longer(
    worker: ProcessPoolWorker,
) -> None:
    first, second = uuid4(), uuid4()
    worker.active |= {first, second}
    assert not has_slot(worker)

    worker.on_slot_freed(first)
    assert has_slot(worker)
    assert worker.wake.is_set()
    assert first in worker.active  # who stops the worker waits for it

    worker.active.add(uuid4())
    worker.on_run_ended(first)
    assert not has_slot(worker)


async def test_each_end_wakes_it_and_leaves_a_slot_also_one_on_another_host(
    worker: ProcessPoolWorker,
) -> None:
    runs = [uuid4(), uuid4()]
    worker.active |= set(runs)
    worker.on_slot_freed(uuid4())
    assert worker.wake.is_set()
    assert not has_slot(worker)

    worker.wake.clear()
    worker.on_run_ended(runs[0])
    assert worker.wake.is_set()
    assert has_slot(worker)
