"""What a person is told of by Prefect's server itself, whether or not there is a worker.

Without addresses (ADSPARK_NOTIFY_ADDRESSES) the automations do nothing but show that they were
triggered; an operator can give them any action in the UI.
"""

from collections.abc import Set as AbstractSet
from datetime import timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.events import AutomationCore, EventTrigger, Posture
from prefect.events.actions import DoNothing, SendNotification
from prefect.exceptions import ObjectNotFound

from blocks.alert_recipients import AlertRecipients
from blocks.configured import DOCUMENT
from tasks.announce_spending import BUDGET_SPENT, SEARCHES_USED_UP

_RUN = "prefect.flow-run."
_BAD_ENDS = {f"{_RUN}{name}" for name in ("Failed", "Partly Failed", "TimedOut", "Crashed")}
_MANY_LATE = 5
_LATE_WITHIN = timedelta(minutes=10)
_ONCE_AN_HOUR = timedelta(hours=1)
_ABOUT_RUN = (
    "{{ flow_run.name }} ended {{ flow_run.state.name }}: {{ flow_run.state.message }}\n"
    "{{ flow_run|ui_url }}\nadspark task {{ flow_run.id }}"
)
_ABOUT_EVENT = "{{ event.resource.name }}"


async def alert_automations(client: PrefectClient) -> list[AutomationCore]:
    """The automations, with the action that the server can do now."""
    block = await _find_block(client)

    def alert(name: str, trigger: EventTrigger, body: str) -> AutomationCore:
        action = (
            DoNothing()
            if block is None
            else SendNotification(block_document_id=block, subject=f"AdSpark: {name}", body=body)
        )
        return AutomationCore(name=f"adspark: {name}", trigger=trigger, actions=[action])

    return [
        alert("a sweep failed", _of_flow("process-all-active-watches"), _ABOUT_RUN),
        alert("a health check failed", _of_flow("health-check", _ONCE_AN_HOUR), _ABOUT_RUN),
        alert(
            "a pool has no worker",
            _on({"prefect.work-pool.not-ready"}),
            f"{_ABOUT_EVENT}\nadspark worker {_ABOUT_EVENT}\nadspark status",
        ),
        alert(
            "runs are late",
            _on({f"{_RUN}Late"}, within=_LATE_WITHIN, threshold=_MANY_LATE),
            "Five runs or more are late, the last is {{ flow_run.name }}.\nadspark status",
        ),
        alert(
            "searches are spent",
            _on({BUDGET_SPENT, SEARCHES_USED_UP}),
            f"{_ABOUT_EVENT}\nadspark budget",
        ),
    ]


def _of_flow(flow: str, within: timedelta = timedelta(0)) -> EventTrigger:
    """At each run of the flow that ends badly, or at most once in a while."""
    trigger = _on(_BAD_ENDS, within=within)
    trigger.match_related = {"prefect.resource.role": "flow", "prefect.resource.name": flow}
    return trigger


def _on(
    events: AbstractSet[str], *, within: timedelta = timedelta(0), threshold: int = 1
) -> EventTrigger:
    return EventTrigger(
        expect=set(events), posture=Posture.Reactive, threshold=threshold, within=within
    )


async def _find_block(client: PrefectClient) -> UUID | None:
    slug = AlertRecipients.get_block_type_slug()
    try:
        return (await client.read_block_document_by_name(DOCUMENT, slug)).id
    except ObjectNotFound:
        return None
