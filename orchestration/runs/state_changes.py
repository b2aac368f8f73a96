"""Set a run's state on the condition that it is still in the one that was read.

The server checks the condition in the same request in which it sets the state, and keeps its own
rules: a run that is being cancelled can only become Cancelled, and one that has ended does not
crash. Who is refused reads the run again, and decides again.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID, uuid4

from prefect.client.orchestration import PrefectClient, SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound
from prefect.states import Failed, Pending, Scheduled, to_state_create
from pydantic import BaseModel, JsonValue

from orchestration.runs.flow_runs import count_runs, filter_runs

_PATH = "/flow_runs/bulk_set_state"
NO_SLOT = "The pool has no free slot."
"""The message of a run that was claimed for a slot that another one has, and is queued again."""

_LONGEST_PAUSE = 1.0  # seconds in which another one of too many may give its run back
_CHANGED = "it has changed meanwhile"
_TRIES = 5  # at a run whose state others change at the same time, as from Scheduled to Late


class StateChange(NamedTuple):
    """Whether the run is in the wanted state, and why not."""

    is_made: bool
    reason: str = ""


class _Details(BaseModel):
    reason: str | None = None


class Transition(BaseModel):
    """What the server made of a state that it was to set; `state` is the one that it has set."""

    flow_run_id: UUID
    status: SetStateStatus
    state: State | None = None
    details: _Details = _Details()

    @property
    def has_cancelled(self) -> bool:
        """Whether the server has cancelled the run for this request of another state; where it was
        Cancelled before, the request is aborted."""
        is_cancelled = self.state is not None and self.state.is_cancelled()
        return is_cancelled and self.status is SetStateStatus.REJECT


class _Response(BaseModel):
    results: list[Transition]


async def set_states(
    client: PrefectClient, run_ids: Sequence[UUID], names: Sequence[str], wanted: State[object]
) -> list[Transition]:
    """Set a state by the server's rules, on those of the runs that are in a state so named.

    Args:
        run_ids: at most 50.
        names: of the states that the runs may be in.
        wanted: the new state.
    """
    return await _send(client, _request(filter_runs(ids=run_ids, states=names), wanted))


async def change_state(
    client: PrefectClient, run: FlowRun, wanted: State[object], *, replaces_end: bool = False
) -> StateChange:
    """Set a run's state unless it has left the one that it was read with.

    Args:
        run: as it was read.
        wanted: the new state.
        replaces_end: whether an end may be replaced, as by one with a better message.

    Raises:
        ObjectNotFound: the run was deleted.
    """
    now = await client.read_flow_run(run.id)
    if run.state is None or now.state is None or now.state.id != run.state.id:
        return StateChange(False, _CHANGED)
    body = _request_for(run, run.state, wanted, replaces_end=replaces_end)
    return _change_in(await _send(client, body))


async def change_while(
    client: PrefectClient,
    run_id: UUID,
    wanted: State[object],
    holds: Callable[[State[object]], bool],
) -> StateChange:
    """Set a run's state as long as something holds of the one that it is in, which may change.

    Args:
        run_id: the run.
        wanted: the new state.
        holds: whether a state may be left for the wanted one.

    Raises:
        ObjectNotFound: the run was deleted.
    """
    change = StateChange(False, _CHANGED)
    for _ in range(_TRIES):
        run = await client.read_flow_run(run_id)
        if run.state is None or not holds(run.state):
            return StateChange(False, f"it is {run.state_name}")
        change = await change_state(client, run, wanted)
        if change.is_made or change.reason != _CHANGED:
            break
    return change


def may_be_ended(state: State[object]) -> bool:
    """Whether a run has neither ended nor is being cancelled."""
    return not (state.is_final() or state.is_cancelling())


async def refuse(client: PrefectClient, run_id: UUID, message: str) -> None:
    """End a run Failed that cannot begin, unless it has ended, is cancelled, or was deleted.

    Args:
        run_id: of the run.
        message: of its state, for a person.
    """
    failed: State[object] = Failed(message=message)
    with suppress(ObjectNotFound):
        await change_while(client, run_id, failed, may_be_ended)


async def claim(client: PrefectClient, run_id: UUID) -> StateChange:
    """Make a queued run Pending; a run that is not queued, as one that has ended, stays as it is.

    Raises:
        ObjectNotFound: the run was deleted.
    """
    pending: State[object] = Pending()
    pending.state_details.transition_id = uuid4()
    queued = filter_runs(ids=[run_id], types=[StateType.SCHEDULED])
    change = _change_in(await _send(client, _request(queued, pending)))
    if change.reason == _CHANGED:  # a request that was sent again finds the run claimed by itself
        state = (await client.read_flow_run(run_id)).state
        mine = state and state.state_details.transition_id == pending.state_details.transition_id
        return StateChange(bool(mine), f"it is {state.name if state else 'without a state'}")
    return change


async def claim_slot(client: PrefectClient, run_id: UUID, pool: str) -> StateChange:
    """Claim a queued run as long as its pool has a slot; else it is queued again.

    The server counts a pool's runs when a worker polls, not when it claims, so of two polls at once
    each may get a run for the same slot. Every claim is counted after it was made: whoever finds
    the pool beyond its limit, also after a moment of its own length, gives its run back, so that
    never more are carried out.

    Args:
        run_id: the run.
        pool: the name of its pool.

    Raises:
        ObjectNotFound: the run or the pool was deleted.
    """
    change = await claim(client, run_id)
    limit = (await client.read_work_pool(pool)).concurrency_limit if change.is_made else None
    if limit is None:
        return change
    claimed = filter_runs(types=[StateType.PENDING, StateType.RUNNING])
    for seconds in (0.0, random.uniform(0.0, _LONGEST_PAUSE)):  # noqa: S311  (no secret)
        await asyncio.sleep(seconds)
        if await count_runs(client, claimed, pool) <= limit:
            return change
    queued: State[object] = Scheduled(message=NO_SLOT)
    await change_while(client, run_id, queued, State.is_pending)
    return StateChange(False, NO_SLOT)


def change_state_sync(
    client: SyncPrefectClient, run: FlowRun, wanted: State[object]
) -> StateChange:
    """The same, for a thread beside an event loop that no longer answers.

    Args:
        run: as it was read.
        wanted: its new state.
    """
    if run.state is None:
        return StateChange(False, _CHANGED)
    body = _request_for(run, run.state, wanted, replaces_end=False)
    response = client.request("POST", _PATH, json=body)  # type: ignore[arg-type]
    return _change_in(_Response.model_validate_json(response.content).results)


async def _send(client: PrefectClient, body: dict[str, JsonValue]) -> list[Transition]:
    response = await client.request("POST", _PATH, json=body)  # type: ignore[arg-type]
    return _Response.model_validate_json(response.content).results


def _request_for(
    run: FlowRun, seen: State[object], wanted: State[object], *, replaces_end: bool
) -> dict[str, JsonValue]:
    """Only a run that is in a state like the one that was read matches."""
    same = filter_runs(ids=[run.id], types=[seen.type], states=[seen.name or ""])
    return _request(same, wanted, force=replaces_end and seen.is_final())


def _request(
    matching: FlowRunFilter, wanted: State[object], *, force: bool = False
) -> dict[str, JsonValue]:
    state = to_state_create(wanted).model_dump(mode="json", serialize_as_any=True)
    return {"flow_runs": matching.model_dump(mode="json"), "state": state, "force": force}


def _change_in(results: list[Transition]) -> StateChange:
    """What became of the one run; it has changed where none matched."""
    if not results:
        return StateChange(False, _CHANGED)
    return StateChange(results[0].status is SetStateStatus.ACCEPT, results[0].details.reason or "")
