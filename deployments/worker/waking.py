"""Poll for runs as soon as there may be some, beside Prefect's own polling now and then."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import httpx
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import (
    EventAnyResourceFilter,
    EventFilter,
    EventNameFilter,
    EventOccurredFilter,
)
from prefect.events.schemas.events import Event

from deployments.worker.base import PoolWorker

_RUN = "prefect.flow-run."
# After them there may be a run to claim; after the others, a slot to claim one for.
_QUEUED = {f"{_RUN}{name}" for name in ("Scheduled", "AwaitingRetry", "Late")}
_ENDED = {
    f"{_RUN}{name}"
    for name in ("Completed", "Failed", "Partly Failed", "TimedOut", "Crashed", "Cancelled")
}
_POOL_ID = "prefect.work-pool."
_POOL_NAME = "prefect.resource.name"
_PAUSE = 5.0  # seconds before a subscription to events that has ended is begun again
_GAP = 0.05  # seconds between two polls at least


async def poll_when_woken(worker: PoolWorker) -> None:
    """Poll whenever the worker is woken, for ever."""
    while True:
        await worker.wake.wait()
        worker.wake.clear()
        if worker.is_setup and worker.may_claim:
            with suppress(httpx.HTTPError):  # the worker's own polling goes on and logs it
                await worker.get_and_submit_flow_runs()
        await asyncio.sleep(_GAP)


async def wake_by_events(pools: Iterable[str], workers: Mapping[str, PoolWorker]) -> None:
    """Wake the worker of a pool when a run is queued in it, or ends, also of a pool that is made
    again; workers come to be meanwhile, and a new one polls at once anyway."""
    while True:
        wanted = EventFilter(
            event=EventNameFilter(name=[*_QUEUED, *_ENDED]),
            any_resource=EventAnyResourceFilter(
                id_prefix=[_POOL_ID], labels={_POOL_NAME: list(pools)}
            ),
            occurred=EventOccurredFilter(since=datetime.now(UTC)),
        )
        with suppress(Exception):  # the server went away; whatever the reason, it is tried again
            async with get_events_subscriber(filter=wanted) as subscriber:
                async for event in subscriber:
                    for pool, worker in workers.items():
                        if pool not in _pools_of(event):
                            continue
                        if event.event in _ENDED:
                            worker.on_slot_freed(UUID(event.resource.id.removeprefix(_RUN)))
                        else:
                            worker.wake.set()
        await asyncio.sleep(_PAUSE)


def _pools_of(event: Event) -> set[str | None]:
    return {one.name for one in event.related if one.id.startswith(_POOL_ID)}
