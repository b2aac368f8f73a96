"""Find runs which no worker carries out any more, and requeue them.

Workers notice most deaths at once, and Prefect's automations that of a whole host within two
minutes (`deployments/provisioning/automations/recovery.py`); what both have missed is found here.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.events.filters import (
    EventAnyResourceFilter,
    EventFilter,
    EventNameFilter,
    EventOccurredFilter,
)
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Crashed
from pydantic import BaseModel

from orchestration.runs.flow_runs import ACTIVE, filter_runs, read_begun, read_runs
from orchestration.runs.requeue import SILENT, RequeueOutcome, is_lost, requeue
from orchestration.runs.state_changes import change_state
from orchestration.runs.without_queue import replace_runs_without_queue

TAG = "adspark"
"""On each of our deployments."""
OURS = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
"""All of them."""
RECOVERABLE = timedelta(hours=24)
"""Within which a crashed run is requeued; what crashed longer ago is for a person."""

_HEARD_AGAIN = timedelta(seconds=45)  # in which a living run gives a sign of it


class LostRuns(BaseModel):
    """What was found and done.

    Attributes:
        requeued: that will be run again; a new run replaces one whose pool was deleted.
        given_up: that were started too often, or that a newer run of their schedule replaces.
        cancelled: whose cancelling nobody had ended, or whose pool and turn are gone.
        uncertain: that the server gave up a moment ago, and that may be heard of again.
    """

    requeued: int = 0
    given_up: int = 0
    cancelled: int = 0
    uncertain: int = 0

    @property
    def is_settled(self) -> bool:
        """Whether another search would find nothing new."""
        return not (self.requeued or self.uncertain)

    def and_then(self, later: "LostRuns") -> "LostRuns":
        """This and what a later search found."""
        return LostRuns(
            requeued=self.requeued + later.requeued,
            given_up=self.given_up + later.given_up,
            cancelled=self.cancelled + later.cancelled,
            uncertain=later.uncertain,
        )

    @property
    def headline(self) -> str:
        """What was done, in one line."""
        counts = [f"{count} {name.replace('_', ' ')}" for name, count in self if count]
        return ", ".join(counts) or "no run was lost"


async def requeue_lost(
    client: PrefectClient,
    except_for: UUID | None,
    patience: timedelta,
    *,
    on_loss: Callable[[str], None],
) -> LostRuns:
    """Requeue lost runs of our deployments, replace those whose pool was deleted, and end stuck
    cancellings.

    A run that changes meanwhile is left alone.

    Args:
        except_for: the caller's own run.
        patience: how long a run may be Pending or Cancelling, or give no sign of life.
        on_loss: called with a line about each lost run.
    """
    found = LostRuns()
    for run in await _read_runs(client):
        if run.id == except_for:
            continue
        if _may_be_heard_of(run):
            found.uncertain += 1
        elif reason := await _why_lost(client, run, patience):
            on_loss(f"{run.name} ({run.state_name}): {reason}")
            with suppress(ObjectNotFound):  # it was deleted meanwhile
                await _end(client, run, reason, found)
    replaced, cancelled = await replace_runs_without_queue(client, OURS, on_loss=on_loss)
    found.requeued += replaced
    found.cancelled += cancelled
    return found


async def _end(client: PrefectClient, run: FlowRun, reason: str, found: LostRuns) -> None:
    if run.state is None:
        return
    if run.state.is_cancelling():
        found.cancelled += (await change_state(client, run, Cancelled(message=reason))).is_made
    elif await _is_replaced(client, run):
        if run.state.is_crashed():
            found.given_up += 1
            return
        end: State = Crashed(message=f"{reason} A newer run of its schedule replaces it.")
        found.given_up += (await change_state(client, run, end)).is_made
    else:
        outcome = await requeue(client, run, reason)
        found.given_up += outcome is RequeueOutcome.GIVEN_UP
        found.cancelled += outcome is RequeueOutcome.CANCELLED
        found.requeued += outcome is RequeueOutcome.REQUEUED


async def _why_lost(client: PrefectClient, run: FlowRun, patience: timedelta) -> str | None:
    """Why a run is lost; None where a worker carries it out."""
    if run.state is None:
        return None
    now = datetime.now(UTC)
    if run.state.is_crashed():
        if not is_lost(run.state):
            return None
        lives = await _lives(client, run.id, since=run.state.timestamp)
        return None if lives else run.state.message or "It crashed."
    if now - run.state.timestamp < patience:
        return None
    seconds = f"{patience.total_seconds():g} s."
    if run.state.is_running():
        lives = await _lives(client, run.id, since=now - patience)
        return None if lives else f"It has given no sign of life for {seconds}"
    return f"It was {run.state.name} for {seconds}"


def _may_be_heard_of(run: FlowRun) -> bool:
    """Whether a run that was just given up for its silence may still give a sign of life: a server
    that was away gives up all runs that it could not hear."""
    return (
        run.state is not None
        and run.state.is_crashed()
        and run.state.message == SILENT
        and datetime.now(UTC) - run.state.timestamp < _HEARD_AGAIN
    )


async def _lives(client: PrefectClient, run_id: UUID, *, since: datetime) -> bool:
    """Whether a run's process has given a sign of life after this time."""
    page = await client.read_events(
        EventFilter(
            event=EventNameFilter(name=["prefect.flow-run.heartbeat"]),
            any_resource=EventAnyResourceFilter(id=[f"prefect.flow-run.{run_id}"]),
            occurred=EventOccurredFilter(since=since),
        ),
        limit=1,
    )
    return bool(page.events)


async def _is_replaced(client: PrefectClient, run: FlowRun) -> bool:
    """Whether its schedule has started a newer run, which does what this one was for."""
    schedule = _schedule_of(run)
    if schedule is None or run.start_time is None or run.deployment_id is None:
        return False
    after = run.start_time + timedelta(seconds=1)
    async for newer in read_begun(client, run.deployment_id, after=after):
        if _schedule_of(newer) == schedule:
            return True
    return False


def _schedule_of(run: FlowRun) -> UUID | None:
    """Which of its deployment's schedules has made a run; None where somebody requested it."""
    return run.created_by.id if run.auto_scheduled and run.created_by else None


async def _read_runs(client: PrefectClient) -> list[FlowRun]:
    """Runs of our deployments that are active, or that crashed lately."""
    crashed = filter_runs(types=[StateType.CRASHED], ended_after=datetime.now(UTC) - RECOVERABLE)
    return [
        run
        for wanted in (crashed, filter_runs(types=ACTIVE))
        for run in await read_runs(client, wanted, deployments=OURS)
    ]
