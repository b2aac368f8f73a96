"""Deployments as `prefect.yaml` says: missing ones are made, the others brought up to date."""

import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
from prefect.client.schemas.objects import ConcurrencyOptions
from prefect.client.schemas.responses import DeploymentResponse

from adspark.errors import ConfigurationError
from deployments.provisioning.deployments.drift import (
    DeploymentMerge,
    Entry,
    new_schedule,
    own_fields,
    shared_fields,
)
from deployments.provisioning.deployments.former import (
    former_name,
    move_schedule_bounds,
    redirect_automations,
    retire,
    shared_values,
)
from deployments.provisioning.drift import Merge, fingerprint
from orchestration.runs.optional import read_optional
from orchestration.server.deployments import read_deployments


def project_file() -> Path:
    """The `prefect.yaml` of the checkout, or the copy in the installed package.

    Raises:
        ConfigurationError: there is neither.
    """
    package = Path(__file__).parents[2]
    for candidate in (package / "prefect.yaml", package.parent / "prefect.yaml"):
        if candidate.exists():
            return candidate
    raise ConfigurationError("prefect.yaml is missing; install AdSpark again.")


async def provision_deployments(client: PrefectClient, merge: Merge) -> None:
    """Deploy what is missing or changed, and remove what the project no longer has."""
    project = yaml.safe_load(project_file().read_text())
    entries = {name_of(entry): entry for entry in project["deployments"]}
    names = {name.partition("/")[2] for name in [*entries, *map(former_name, entries)]}
    wanted = DeploymentFilter(name=DeploymentFilterName(any_=sorted(names)))
    present = await read_deployments(client, wanted)
    for name, entry in entries.items():
        if name in present or former_name(name) in present:
            await _provision(client, name, entry, present, merge)
        elif _record_new(name, entry, merge):  # one by one: SQLite refuses several at once
            await _create(client, entry, {})
    for name in merge.find_removed("deployment", set(entries)):
        if merge.change(f"deployment {name}: is removed, for the project no longer has it"):
            if found := await read_optional(client.read_deployment_by_name(name)):
                await client.delete_deployment(found.id)
            merge.discard_all(f"deployment {name}")


def name_of(entry: Entry) -> str:
    """The full name of a deployment: that of its flow, which its module has too, and its own."""
    flow = str(entry["entrypoint"]).rpartition(".")[2].replace("_", "-")
    return f"{flow}/{entry['name']}"


def _record_new(name: str, entry: Entry, merge: Merge) -> bool:
    """Report that a deployment is made; returns whether it is to be made."""
    thing = f"deployment {name}"
    merge.rename(f"deployment {former_name(name)}", thing)
    for field, value in {"": _mark(entry), **shared_fields(entry)}.items():
        merge.record(f"{thing} {field}".strip(), value)
    return merge.create(thing, {})


async def _provision(
    client: PrefectClient,
    name: str,
    entry: Entry,
    present: Mapping[str, DeploymentResponse],
    merge: Merge,
) -> None:
    """Merge a deployment; where it is there under its former name, make it from that."""
    thing, mark, earlier = f"deployment {name}", _mark(entry), former_name(name)
    merge.rename(f"deployment {earlier}", thing)
    found = present.get(name)
    former = None if earlier == name else present.get(earlier)
    is_changed = False
    if found is None and former is not None:
        merge.record(thing, mark)
        if merge.change(f"deployment {earlier}: moves to {name}, with what was changed by hand"):
            made = await _create(client, entry, shared_values(former))
            found = await client.read_deployment(made)
    else:
        is_changed = merge.redefine(thing, mark)
    if current := found or former:  # the former one in a dry run
        await DeploymentMerge(client, merge, name, entry, current).apply(is_changed=is_changed)
    if former is not None:
        if found is not None:
            await move_schedule_bounds(client, former, found)
            await redirect_automations(client, former.id, found.id)
        await retire(client, earlier, former, entry, merge)


async def _create(client: PrefectClient, entry: Entry, values: dict[str, Any]) -> UUID:
    """Make a deployment in one request: an entry, but for these values of `create_deployment`."""
    limit = entry.get("concurrency_limit")
    options = limit and ConcurrencyOptions(collision_strategy=limit["collision_strategy"])
    fields = own_fields(entry) | {
        "name": entry["name"],
        "description": str(entry["description"]).strip(),
        "parameters": entry.get("parameters"),
        "tags": entry.get("tags"),
        "concurrency_limit": limit and limit["limit"],
        "concurrency_options": options,
        "schedules": [new_schedule(one) for one in entry.get("schedules", [])],
        "work_pool_name": entry["work_pool"]["name"],
    }
    flow_id = await client.create_flow_from_name(name_of(entry).partition("/")[0])
    return await client.create_deployment(flow_id, **(fields | values))


def _mark(entry: Entry) -> str:
    """Of the entry and of the flow's file, from which its parameters and their form come."""
    spec = find_spec(str(entry["entrypoint"]).rpartition(".")[0])
    source = Path(spec.origin).read_text() if spec and spec.origin else ""
    return fingerprint(json.dumps(entry, sort_keys=True, default=str) + source)
