"""What Prefect's server itself does about dead runs.

It sees that they give no sign of life any more, and takes their slots from them; the flow
`reconcile` has them run again.

Without these automations a run whose worker and process were killed stays Running for ever, and so
does its slot in the pool.
"""

from datetime import timedelta

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events import AutomationCore, EventTrigger, Posture
from prefect.events.actions import ChangeFlowRunState, RunDeployment

from orchestration.requeue import SILENT

_HEARTBEAT = "prefect.flow-run.heartbeat"
_SILENCE = timedelta(seconds=90)  # three heartbeats
_STUCK = timedelta(seconds=60)
_GATHERING = timedelta(seconds=15)  # in which runs that crash together start one reconcile
# It waits for a person, suspended, without a process that could give signs of life.
_WAITS = "review-ad-variant"
RECONCILE = "reconcile/adspark"


async def recovery_automations(client: PrefectClient) -> list[AutomationCore]:
    """The automations; the deployments must be there already.

    Raises:
        ObjectNotFound: `reconcile` is not deployed.
    """
    reconcile = await client.read_deployment_by_name(RECONCILE)
    return [
        _after_silence(
            "adspark: a run gives no sign of life",
            _HEARTBEAT,
            "prefect.flow-run.*",
            _SILENCE,
            _end(StateType.CRASHED, SILENT),
        ),
        _after_silence(
            "adspark: a run does not begin",
            "prefect.flow-run.Pending",
            "prefect.flow-run.*",
            _STUCK,
            _end(StateType.CRASHED, "It was taken by a worker, and did not begin in 60 s."),
        ),
        _after_silence(
            "adspark: a run's container does not begin",
            "prefect.flow-run.Submitting",
            "prefect.flow-run.*",
            _SILENCE,
            _end(StateType.CRASHED, "Its container was started, and it did not begin in 90 s."),
        ),
        _after_silence(
            "adspark: a run does not end when it is cancelled",
            "prefect.flow-run.Cancelling",
            "prefect.flow-run.Cancelled",
            _STUCK,
            _end(StateType.CANCELLED, "Nobody ended it in 60 s."),
        ),
        AutomationCore(
            name="adspark: a run crashed",
            description="Has runs that crashed run again (flow reconcile).",
            trigger=EventTrigger(
                expect={"prefect.flow-run.Crashed"},
                match={"prefect.resource.id": "prefect.flow-run.*"},
                match_related=_ours(),
                posture=Posture.Reactive,
                threshold=1,
                within=_GATHERING,
            ),
            actions=[
                RunDeployment(deployment_id=reconcile.id, parameters={}, job_variables={}),
            ],
        ),
    ]


def _after_silence(
    name: str, after: str, expect: str, within: timedelta, action: ChangeFlowRunState
) -> AutomationCore:
    """For each run: act where `expect` does not follow upon `after` in time."""
    return AutomationCore(
        name=name,
        description="Frees the place of a run that is dead; then reconcile has it run again.",
        trigger=EventTrigger(
            after={after},
            expect={expect},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related={"prefect.resource.role": "flow", "prefect.resource.name": f"!{_WAITS}"},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=within,
        ),
        actions=[action],
    )


def _end(state: StateType, message: str) -> ChangeFlowRunState:
    return ChangeFlowRunState(state=state, message=message)


def _ours() -> dict[str, str]:
    return {"prefect.resource.role": "tag", "prefect.resource.id": "prefect.tag.adspark"}
