"""What Prefect's server itself does about dead runs.

It sees that they send no heartbeat any more and frees their slots; the flow `reconcile` requeues
them. Without these automations a run whose worker and process were killed stays Running for ever,
and so does its slot in the pool.

Only runs of our deployments are ended: others of the same server may send no heartbeats, or take
longer to start.
"""

from collections.abc import Set as AbstractSet
from datetime import timedelta

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events import AutomationCore, EventTrigger, Posture
from prefect.events.actions import ChangeFlowRunState, RunDeployment

from adspark.settings import Settings
from deployments.provisioning.jobs.templates import POD_WATCH
from orchestration.runs.lost_runs import TAG
from orchestration.runs.requeue import SILENT

RECONCILE = "reconcile/reconcile"

_RUN = "prefect.flow-run."
_SILENCE = timedelta(seconds=90)  # three heartbeats
_STUCK = timedelta(seconds=60)
_STARTING = {"Pending", "Submitting"}
_POD_START = POD_WATCH + timedelta(seconds=60)  # its worker gives it up first
_GATHERING = timedelta(seconds=15)  # in which runs that crash together start one reconcile
# It waits for a person, suspended, without a process that could send heartbeats.
_WAITS = "review-ad-variant"
_OURS = {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{TAG}"}


async def recovery_automations(client: PrefectClient, settings: Settings) -> list[AutomationCore]:
    """The automations; the deployments must be there already.

    Raises:
        ObjectNotFound: `reconcile` is not deployed.
    """
    reconcile = await client.read_deployment_by_name(RECONCILE)
    crashed = StateType.CRASHED
    has_pods = settings.pool_type == "kubernetes"
    begun = {"Running", "heartbeat"}
    silent = _after_silence(
        "a run gives no sign of life",
        begun if has_pods else begun | _STARTING,
        "*",
        _SILENCE,
        (crashed, SILENT),
    )
    unstarted = _after_silence(
        "a run's pod does not start",
        _STARTING,
        "*",
        _POD_START,
        (crashed, f"Its pod did not start in {_POD_START.total_seconds():g} s."),
    )
    return [
        silent,
        *([unstarted] if has_pods else []),
        _after_silence(
            "a run does not end when it is cancelled",
            {"Cancelling"},
            "Cancelled",
            _STUCK,
            (StateType.CANCELLED, "Nobody ended it in 60 s."),
        ),
        AutomationCore(
            name="adspark: a run crashed",
            description="Requeues runs that crashed (flow reconcile).",
            trigger=EventTrigger(
                expect={f"{_RUN}Crashed"},
                match={"prefect.resource.id": f"{_RUN}*"},
                match_related=_OURS,
                posture=Posture.Reactive,
                threshold=1,
                within=_GATHERING,
            ),
            actions=[RunDeployment(deployment_id=reconcile.id, parameters={}, job_variables={})],
        ),
    ]


def _after_silence(
    name: str,
    after: AbstractSet[str],
    expect: str,
    within: timedelta,
    end: tuple[StateType, str],
) -> AutomationCore:
    """End each run of ours for which `expect` does not follow in time upon an event of `after`."""
    state, message = end
    return AutomationCore(
        name=f"adspark: {name}",
        description="Frees the slot of a dead run; then reconcile requeues it.",
        trigger=EventTrigger(
            after={f"{_RUN}{one}" for one in after},
            expect={f"{_RUN}{expect}"},
            match={"prefect.resource.id": f"{_RUN}*"},
            match_related=[
                _OURS,
                {"prefect.resource.role": "flow", "prefect.resource.name": f"!{_WAITS}"},
            ],
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=within,
        ),
        actions=[ChangeFlowRunState(state=state, message=message)],
    )
