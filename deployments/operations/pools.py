"""Work pools in an operator's hands: pause, resume, drain and scale them.

A paused pool's workers begin nothing more; what they have begun continues.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.client.schemas.objects import FlowRun, State, WorkPool
from prefect.states import Cancelled

from adspark.errors import InvalidQueryError
from adspark.validation.bounds import RUNS
from deployments.queue_classes import unknown_pool
from orchestration.runs.flow_runs import ACTIVE, LATE, count_runs, filter_runs, read_runs
from orchestration.runs.optional import read_optional
from orchestration.runs.state_changes import change_while
from orchestration.server.pool_snapshot import count_workers

MOST_SLOTS = int(RUNS.most)
"""Beyond any machine; Prefect's own answer to too large a number is an error of its database."""

_POLL = 1.0  # seconds between two looks at a pool that is being drained
_SKIPPED = "Skipped: its pool was paused."


async def pause(client: PrefectClient, pool: str) -> None:
    """Let nothing more begin in it.

    Raises:
        ConfigurationError: there is no such pool.
    """
    await _update(client, pool, WorkPoolUpdate(is_paused=True))


async def resume(client: PrefectClient, pool: str, *, skip_late: bool) -> int:
    """Let its runs begin again; returns how many were skipped.

    Args:
        pool: its name.
        skip_late: cancel what schedules had planned for the time of the pause, so that nothing
            piles up; what a person or a flow requested runs in any case.

    Raises:
        ConfigurationError: there is no such pool.
    """
    skipped = 0
    for run in await find_overdue(client, pool) if skip_late else ():
        end: State = Cancelled(message=_SKIPPED)
        change = await change_while(client, run.id, end, State.is_scheduled)
        skipped += change.is_made
    await _update(client, pool, WorkPoolUpdate(is_paused=False))
    return skipped


async def find_overdue(client: PrefectClient, pool: str) -> list[FlowRun]:
    """Runs of a paused pool that a schedule made, and whose time has passed; not those that
    somebody has retried.

    Raises:
        ConfigurationError: there is no such pool.
    """
    if not (await _read(client, pool)).is_paused:
        return []
    wanted = filter_runs(states=[LATE, "Scheduled"], due_before=datetime.now(UTC))
    runs = await read_runs(client, wanted, pools=[pool])
    return [run for run in runs if run.auto_scheduled and not run.run_count]


async def drain(
    client: PrefectClient,
    pool: str,
    *,
    on_wait: Callable[[int], None],
    on_no_worker: Callable[[list[FlowRun]], None],
    patience: float | None = None,
) -> bool:
    """Pause it and wait until nothing of it is under way; returns whether it is empty.

    Args:
        pool: its name.
        on_wait: called with the number of runs that are left, whenever that changes.
        on_no_worker: called once with these runs where no worker of the pool is online.
        patience: seconds to wait for its runs at most; None waits for as long as it takes.

    Raises:
        ConfigurationError: there is no such pool.
    """
    await pause(client, pool)
    clock = asyncio.get_running_loop()
    end = None if patience is None else clock.time() + patience
    active = filter_runs(types=ACTIVE)
    reported, was_empty, is_told = 0, False, False
    while True:
        left = await count_runs(client, active, pool)
        if left != reported:
            reported = left
            on_wait(left)
        if left and not is_told and not (await count_workers(client, [pool]))[pool]:
            is_told = True
            on_no_worker(await read_runs(client, active, pools=[pool]))
        # Twice, for a worker may have been handed a run just before the pause; the second look is
        # taken however little patience is left.
        if not left and was_empty:
            return True
        was_empty = not left
        if left and end is not None and clock.time() + _POLL > end:
            return False
        await asyncio.sleep(_POLL)


async def scale(client: PrefectClient, pool: str, slots: int | None) -> int | None:
    """Set how many runs it has at once, None is no bound; returns how many it had before.

    Args:
        pool: its name.
        slots: from 1 on.

    Raises:
        ConfigurationError: there is no such pool.
        InvalidQueryError: too few, for that is a pause, or too many.
    """
    if slots is not None and not 1 <= slots <= MOST_SLOTS:
        hint = f"; to let nothing begin: adspark pause {pool}" if slots < 1 else ""
        raise InvalidQueryError("slots", f"{slots} is not from 1 to {MOST_SLOTS}{hint}")
    return (await _update(client, pool, WorkPoolUpdate(concurrency_limit=slots))).concurrency_limit


async def _read(client: PrefectClient, pool: str) -> WorkPool:
    if pool and (found := await read_optional(client.read_work_pool(pool))):
        return found
    raise unknown_pool(pool, sorted(one.name for one in await client.read_work_pools()))


async def _update(client: PrefectClient, pool: str, change: WorkPoolUpdate) -> WorkPool:
    """Change a pool; returns it as it was."""
    before = await _read(client, pool)
    await client.update_work_pool(pool, change)
    return before
