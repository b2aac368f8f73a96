"""Prefect's automations: missing ones are made, and those whose definition changed are renewed.

One that an operator switched off or changed stays so until our definition changes.
"""

import json
from collections.abc import Sequence

from prefect.client.orchestration import PrefectClient
from prefect.events import AutomationCore
from prefect.events.actions import DoNothing

from deployments.provisioning.drift import Merge, fingerprint

OURS = "adspark: "
"""How the names of our automations begin."""

_FORMER = {f"{OURS}{name}" for name in ("a run does not begin", "a run's container does not begin")}


async def provision_automations(
    client: PrefectClient, wanted: Sequence[AutomationCore], merge: Merge
) -> None:
    """Make what is missing, and renew what we have changed.

    Args:
        wanted: the automations as they are to be.
        merge: says what is ours to change.
    """
    for one in wanted:
        thing, mark = f"automation {one.name}", _mark(one)
        found = await client.read_automations_by_name(one.name)
        if not found:
            if merge.create(thing, {}):
                await client.create_automation(one)
            merge.record(thing, mark)
        elif merge.redefine(thing, mark):
            enabled = merge.is_reset or found[0].enabled
            changed = one.model_copy(update={"enabled": enabled})
            await client.update_automation(found[0].id, changed)


async def remove_former_automations(client: PrefectClient, merge: Merge) -> None:
    """Remove what earlier versions have made: those without an action, where there were no
    addresses, and those that others have replaced."""
    for one in await client.read_automations():
        is_idle = all(isinstance(action, DoNothing) for action in one.actions)
        if not one.name.startswith(OURS) or not (is_idle or one.name in _FORMER):
            continue
        thing = f"automation {one.name}"
        reason = "it does nothing" if is_idle else "another one does its work"
        if merge.change(f"{thing}: is removed, for {reason}"):
            await client.delete_automation(one.id)
            merge.discard(thing)


def _mark(automation: AutomationCore) -> str:
    """Its fingerprint, in which the order of a set's elements does not count."""

    def sort(value: object) -> object:
        if isinstance(value, dict):
            return {key: sort(one) for key, one in value.items()}
        if isinstance(value, list):
            return sorted((sort(one) for one in value), key=str)
        return value

    return fingerprint(json.dumps(sort(automation.model_dump(mode="json")), sort_keys=True))
