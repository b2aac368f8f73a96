"""Requeue a run that its worker has lost: again and again, but not for ever.

All our flows may be run again: what was done is not done twice. A run that dies again and again is
what kills its worker, so after `MOST_STARTS` it stays Crashed, for a person (`adspark failures`).
Every start counts, also one that ended before the run was Running.
"""

from collections.abc import Iterable
from enum import Enum, auto
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import AwaitingRetry, Cancelled, Crashed

from orchestration.runs.state_changes import NO_SLOT, change_state

MOST_STARTS = 5
SILENT = "It has given no sign of life for 90 s."
"""The message of a run that the server gives up; it may live all the same, cut off for a while."""

_OUT_OF_MEMORY = "Out of memory: "
_REQUEUED = "It is requeued."
_GIVEN_UP = "look at it before: adspark retry"
_QUEUED = {"Scheduled", "AwaitingRetry", "Resuming"}  # names of states in which a run is queued
_STARTED = {StateType.PENDING, StateType.RUNNING}
_TRIES = 5  # at a run that others change at the same time
# Prefect's messages of a process that ended by itself: it would do so again.
_BY_ITSELF = (
    "Execution was aborted by Python system exit call",
    "Execution was interrupted by an unexpected exception",
)


class RequeueOutcome(Enum):
    """What became of a lost run."""

    REQUEUED = auto()
    GIVEN_UP = auto()
    CANCELLED = auto()
    LEFT = auto()  # it has changed meanwhile, or it has ended


def out_of_memory(limit: int | None) -> str:
    """The message of a run that was killed for its memory; `limit` is in bytes, where known."""
    bound = "the limit" if limit is None else f"its limit of {limit // 2**20} MB"
    return (
        f"{_OUT_OF_MEMORY}it was killed at {bound}. Request less at once, or give the runs of its "
        "pool more, then: adspark retry"
    )


def is_lost(state: State) -> bool:
    """Whether a crashed run may be requeued; one that lacks memory, or whose process ended by
    itself, would crash again."""
    message = state.message or ""
    return state.is_crashed() and not message.startswith((_OUT_OF_MEMORY, *_BY_ITSELF))


def is_over(state: State | None) -> bool:
    """Whether a run has ended, and not only for a server that did not hear of it."""
    return state is not None and state.is_final() and state.message != SILENT


def is_given_up(state: State | None) -> bool:
    """Whether a run has crashed and was started often enough."""
    return state is not None and state.is_crashed() and (state.message or "").endswith(_GIVEN_UP)


def count_starts(states: Iterable[State]) -> int:
    """How often a run was started since somebody else than `requeue` has queued it; `states` are
    all that it has been in, in any order."""
    starts, has_started = 0, False
    for state in _by_time(states):
        if state.type in _STARTED:
            starts += not has_started
            has_started = True
        elif state.type is not StateType.PAUSED:
            has_started = False
        if state.message == NO_SLOT:
            starts -= 1
        elif state.name in _QUEUED and not (state.message or "").endswith(_REQUEUED):
            starts = 0
    return starts


def was_queued_since(states: Iterable[State], state_id: UUID) -> bool:
    """Whether a run was queued again after the state with this id, in which its worker read it;
    `states` are all that it has been in, in any order."""
    ordered = _by_time(states)
    ids = [one.id for one in ordered]
    later = ordered[ids.index(state_id) + 1 :] if state_id in ids else []
    return any(one.name in _QUEUED or one.type is StateType.PAUSED for one in later)


def _by_time(states: Iterable[State]) -> list[State]:
    return sorted(states, key=lambda one: one.timestamp)


def _was_cancelling(states: Iterable[State]) -> bool:
    """Whether its latest start was being cancelled, whatever has overwritten that."""
    is_cancelling = False
    for state in _by_time(states):
        if state.type is StateType.CANCELLING or not state.is_crashed():
            is_cancelling = state.type is StateType.CANCELLING
    return is_cancelling


async def requeue(
    client: PrefectClient, run: FlowRun, reason: str, *, unlimited: bool = False
) -> RequeueOutcome:
    """Requeue a run, or end it Crashed where it was started often enough.

    Args:
        run: as it was read; it is left alone where it has changed since.
        reason: a sentence, for the state's message.
        unlimited: requeue it however often it was started: its worker released it.
    """
    states = await client.read_flow_run_states(run.id)
    if _was_cancelling(states):
        end: State = Cancelled(message=f"It was being cancelled. {reason}")
        ended = await change_state(client, run, end, replaces_end=True)
        return RequeueOutcome.CANCELLED if ended.is_made else RequeueOutcome.LEFT
    starts = count_starts(states)
    if run.deployment_id is None or (starts >= MOST_STARTS and not unlimited):
        if is_given_up(run.state):
            return RequeueOutcome.GIVEN_UP
        end = Crashed(message=f"{reason} It was started {starts} times; {_GIVEN_UP}")
        ended = await change_state(client, run, end, replaces_end=True)
        return RequeueOutcome.GIVEN_UP if ended.is_made else RequeueOutcome.LEFT
    queued = await change_state(client, run, AwaitingRetry(message=f"{reason} {_REQUEUED}"))
    return RequeueOutcome.REQUEUED if queued.is_made else RequeueOutcome.LEFT


async def end_or_requeue(
    client: PrefectClient,
    run: FlowRun,
    reason: str,
    *,
    cancelled: str,
    is_cancelled: bool = False,
    unlimited: bool = False,
    tries: int = _TRIES,
) -> RequeueOutcome:
    """Cancel a run whose process is gone where it was being cancelled, else requeue it.

    Args:
        run: as it was read.
        reason: why it is requeued.
        cancelled: the message where it was being cancelled.
        is_cancelled: whether its process was ended for that.
        unlimited: requeue it however often it was started.
        tries: at a run that others change; 1 leaves it alone where it has changed since.

    Raises:
        ObjectNotFound: the run was deleted.
    """
    for _ in range(tries):
        state = run.state
        if state is None or (state.is_final() and not state.is_crashed()):
            return RequeueOutcome.LEFT
        if state.is_cancelling() or is_cancelled:
            end: State = Cancelled(message=cancelled)
            if (await change_state(client, run, end, replaces_end=is_cancelled)).is_made:
                return RequeueOutcome.CANCELLED
        elif state.type in _STARTED or (state.is_crashed() and is_lost(state)):
            outcome = await requeue(client, run, reason, unlimited=unlimited)
            if outcome is not RequeueOutcome.LEFT:
                return outcome
        else:
            return RequeueOutcome.LEFT
        if tries > 1:
            run = await client.read_flow_run(run.id)
    return RequeueOutcome.LEFT
