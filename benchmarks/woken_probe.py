"""Prefect's process worker, also woken by events: `python -m benchmarks.woken_probe POOL`."""

import asyncio
import sys

from prefect.client.orchestration import get_client
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventAnyResourceFilter, EventFilter, EventNameFilter
from prefect.workers.process import ProcessWorker


async def serve(pool: str) -> None:
    """Serve the pool until the process is ended."""
    async with get_client() as client:
        pool_id = (await client.read_work_pool(pool)).id
    scheduled = EventFilter(
        event=EventNameFilter(name=["prefect.flow-run.Scheduled"]),
        any_resource=EventAnyResourceFilter(id=[f"prefect.work-pool.{pool_id}"]),
    )
    worker = ProcessWorker(work_pool_name=pool)
    serving = asyncio.create_task(worker.start())
    async with get_events_subscriber(filter=scheduled) as subscriber:
        async for _ in subscriber:
            await worker.get_and_submit_flow_runs()
    await serving


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
