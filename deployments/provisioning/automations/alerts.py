"""Alerts that Prefect's server itself sends, whether or not there is a worker.

They exist where there are addresses to send to (ADSPARK_NOTIFY_ADDRESSES).
"""

from collections.abc import Set as AbstractSet
from datetime import timedelta

from prefect.client.orchestration import PrefectClient
from prefect.events import AutomationCore, EventTrigger, Posture
from prefect.events.actions import SendNotification

from blocks.alert_recipients import AlertRecipients
from blocks.configured import DOCUMENT
from deployments.provisioning.automations.provision import OURS
from deployments.queue_classes import QUEUE_CLASSES
from orchestration.limits.spending_events import BUDGET_SPENT, SEARCHES_USED_UP
from orchestration.runs.optional import read_optional

_RUN = "prefect.flow-run."
_POOL = "prefect.work-pool."
_BAD_ENDS = {f"{_RUN}{name}" for name in ("Failed", "Partly Failed", "TimedOut", "Crashed")}
_MANY_LATE = 5
_LATE_WITHIN = timedelta(minutes=10)
# Not the pool of generations: 20 runs of a batch wait there by design, late after seconds. That its
# work does not go on is told by the alerts on a pool without a worker and on the health check.
_WATCHED_FOR_LATE = [one.name for one in QUEUE_CLASSES if one.name != "ai-generation"]
_ONCE_AN_HOUR = timedelta(hours=1)
_ONCE_A_DAY = timedelta(days=1)
# A pool is "not ready" from the start of a server until its workers are there, too.
_WITHOUT_WORKER = timedelta(minutes=2)
_ABOUT_RUN = (
    "{{ flow_run.name }} ended {{ flow_run.state.name }}: {{ flow_run.state.message }}\n\n"
    "{{ flow_run|ui_url }}\n\n`adspark task {{ flow_run.id }}`"
)
_ABOUT_EVENT = "{{ event.resource.name }}"


async def alert_automations(client: PrefectClient) -> list[AutomationCore]:
    """The automations; none where there is no block with addresses."""
    slug = AlertRecipients.get_block_type_slug()
    block = await read_optional(client.read_block_document_by_name(DOCUMENT, slug))
    if block is None:
        return []
    block_id = block.id

    def alert(name: str, trigger: EventTrigger, body: str) -> AutomationCore:
        action = SendNotification(block_document_id=block_id, subject=f"AdSpark: {name}", body=body)
        return AutomationCore(name=f"{OURS}{name}", trigger=trigger, actions=[action])

    return [
        alert("a sweep failed", _of_flow("process-all-active-watches"), _ABOUT_RUN),
        alert("a health check failed", _of_flow("health-check", _ONCE_AN_HOUR), _ABOUT_RUN),
        alert(
            "a pool has no worker",
            _without_worker(),
            f"{_ABOUT_EVENT} has had none for two minutes.\n\n"
            f"`adspark worker {_ABOUT_EVENT}`\n\n`adspark status`",
        ),
        alert(
            "runs are late",
            _many_late(),
            "Five runs or more became late within ten minutes, the last is {{ flow_run.name }}:\n\n"
            "{{ flow_run|ui_url }}\n\n`adspark status`",
        ),
        alert("searches are spent", _spent(), f"{_ABOUT_EVENT}.\n\n`adspark budget`"),
    ]


def _of_flow(flow: str, within: timedelta = timedelta(0)) -> EventTrigger:
    """At each run of the flow that ends badly, or at most once in a while."""
    trigger = _on(_BAD_ENDS, within=within)
    trigger.match_related = {"prefect.resource.role": "flow", "prefect.resource.name": flow}
    return trigger


def _without_worker() -> EventTrigger:
    """For each of our pools: it is not ready, and in a while neither ready nor paused."""
    return EventTrigger(
        match={
            "prefect.resource.id": "prefect.work-pool.*",
            "prefect.resource.name": [one.name for one in QUEUE_CLASSES],
        },
        after={f"{_POOL}not-ready"},
        expect={f"{_POOL}ready", f"{_POOL}paused"},
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=_WITHOUT_WORKER,
    )


def _many_late() -> EventTrigger:
    """Many runs became late within a while, of the pools that have no long queue by design."""
    trigger = _on({f"{_RUN}Late"}, within=_LATE_WITHIN, threshold=_MANY_LATE)
    trigger.match_related = {
        "prefect.resource.role": "work-pool",
        "prefect.resource.name": _WATCHED_FOR_LATE,
    }
    return trigger


def _spent() -> EventTrigger:
    """A watch's budget, or the account: each once a day, however many sweeps notice."""
    trigger = _on({BUDGET_SPENT, SEARCHES_USED_UP}, within=_ONCE_A_DAY)
    trigger.for_each = {"prefect.resource.id"}
    return trigger


def _on(
    events: AbstractSet[str], *, within: timedelta = timedelta(0), threshold: int = 1
) -> EventTrigger:
    return EventTrigger(
        expect=set(events), posture=Posture.Reactive, threshold=threshold, within=within
    )
