"""A deployment that exists, brought up to `prefect.yaml` without undoing what people changed.

Description, parameters, tags, limit and schedules are people's too: each is compared by value with
what was put there last (`merging`). What makes the deployment run is the project's alone.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate
from prefect.client.schemas.objects import ConcurrencyOptions, DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.utilities.callables import parameter_schema
from pydantic import JsonValue

from deployments.provisioning.drift import Merge

Entry = Mapping[str, Any]

_PREFIX = "deployment"


def remember(merge: Merge, name: str, entry: Entry) -> None:
    """Note what a deployment that is made has, so that the next time tells what people changed."""
    for field, value in _wanted(entry).items():
        merge.notes(_thing(name, field), value)


def forget(merge: Merge, name: str) -> None:
    """Leave no memory of a deployment that is removed."""
    merge.forget_all(f"{_PREFIX} {name} ")


async def merge_deployment(
    client: PrefectClient, name: str, entry: Entry, found: DeploymentResponse, merge: Merge,
    *, is_changed: bool,
) -> None:  # fmt: skip
    """Bring it up to date.

    Args:
        is_changed: whether the project's part of it differs from what is there.
    """
    # Versions that remembered no fields had put there all the schedules that the project has.
    knows_fields = merge.remembers(_thing(name, "description"))
    changes: dict[str, Any] = _own_fields(entry) if is_changed else {}
    changes |= _merge_fields(merge, name, entry, found)
    if changes and not merge.dry_run:
        await client.update_deployment(found.id, DeploymentUpdate(**changes))
    await _merge_schedules(client, merge, name, entry, found, knows_fields=knows_fields)


def _own_fields(entry: Entry) -> dict[str, Any]:
    """What makes it run, and the form of its parameters."""
    module, _, function = str(entry["entrypoint"]).rpartition(".")
    schema = parameter_schema(getattr(import_module(module), function))
    return {
        "entrypoint": entry["entrypoint"],
        "pull_steps": entry.get("pull") or [],
        "enforce_parameter_schema": entry.get("enforce_parameter_schema", True),
        "parameter_openapi_schema": schema.model_dump_for_openapi(),
    }


def _wanted(entry: Entry) -> dict[str, JsonValue]:
    """What people may change, as the project has it, by the names under which it is remembered."""
    limit = entry.get("concurrency_limit")
    return {
        "description": str(entry["description"]).strip(),
        "tags": sorted(entry.get("tags", [])),
        "limit": limit["limit"] if limit else None,
        "collision": limit["collision_strategy"] if limit else None,
        **{f"parameter {key}": value for key, value in (entry.get("parameters") or {}).items()},
        **{f"schedule {one['slug']}": _timing(one) for one in entry.get("schedules", [])},
    }


def _merge_fields(
    merge: Merge, name: str, entry: Entry, found: DeploymentResponse
) -> dict[str, Any]:
    """The fields that are to be changed, with what they are to become."""
    wanted = _wanted(entry)
    limit = found.global_concurrency_limit
    options = found.concurrency_options
    changes: dict[str, Any] = {}

    def changes_to(field: str, current: JsonValue) -> bool:
        return merge.changes_to(_thing(name, field), current=current, wanted=wanted[field])

    if changes_to("description", (found.description or "").strip()):
        changes["description"] = wanted["description"]
    if changes_to("limit", limit.limit if limit else None):
        changes["concurrency_limit"] = wanted["limit"]
    # Of a deployment without a limit it means nothing.
    collision = options.collision_strategy.value if options and limit else wanted["collision"]
    if changes_to("collision", collision):
        options = ConcurrencyOptions(collision_strategy=wanted["collision"])
        changes["concurrency_options"] = options
    parameters = _merge_parameters(merge, name, entry, found)
    if parameters != found.parameters:
        changes["parameters"] = parameters
    if _merge_tags(merge, name, wanted["tags"], found.tags) != set(found.tags):
        tags = _merge_tags(merge, name, wanted["tags"], found.tags)
        if merge.does(f"deployment {name} tags: {', '.join(sorted(tags)) or 'none'}"):
            changes["tags"] = sorted(tags)
    _tell_tags(merge, name, wanted["tags"], found.tags)
    if found.paused and not merge.is_reset:
        merge.keeps(f"{_thing(name, 'schedules')}: were paused by hand")
    elif found.paused and merge.does(f"{_thing(name, 'schedules')}: go on"):
        changes["paused"] = False
    return changes


def _merge_parameters(
    merge: Merge, name: str, entry: Entry, found: DeploymentResponse
) -> dict[str, Any]:
    """Each by itself: people's own stay, and what the project has given up goes."""
    wanted: dict[str, JsonValue] = entry.get("parameters") or {}
    merged = dict(found.parameters)
    for key, value in wanted.items():
        thing = _thing(name, f"parameter {key}")
        if key not in merged and (not merge.remembers(thing) or merge.is_reset):
            merge.notes(thing, value)
            if merge.does(f"{thing}: {value}"):
                merged[key] = value
        elif merge.changes_to(thing, current=merged.get(key), wanted=value):
            merged[key] = value
    for key, value in found.parameters.items():
        thing = _thing(name, f"parameter {key}")
        if key in wanted:
            continue
        is_ours = merge.remembers(thing) and merge.remembered(thing) == value
        if not is_ours and not merge.is_reset:
            merge.keeps(f"{thing}: was set by hand (ours: none)")
        elif merge.does(f"{thing}: is removed"):
            del merged[key]
        merge.forget(thing)
    return merged


def _merge_tags(merge: Merge, name: str, wanted: JsonValue, current: list[str]) -> set[str]:
    """Tags that the project has gained or lost are put on or taken off; people's own stay."""
    ours = {str(one) for one in wanted} if isinstance(wanted, list) else set()
    if merge.is_reset:
        return ours
    before = merge.remembered(_thing(name, "tags"))
    last = {str(one) for one in before} if isinstance(before, list) else ours
    return (set(current) | (ours - last)) - (last - ours)


def _tell_tags(merge: Merge, name: str, wanted: JsonValue, current: list[str]) -> None:
    tags = _merge_tags(merge, name, wanted, current)
    ours = {str(one) for one in wanted} if isinstance(wanted, list) else set()
    if tags != ours:
        told = ", ".join(sorted(tags)) or "none"
        merge.keeps(
            f"deployment {name} tags: {told} were set by hand (ours: {', '.join(sorted(ours))})"
        )
    merge.notes(_thing(name, "tags"), wanted)


async def _merge_schedules(
    client: PrefectClient, merge: Merge, name: str, entry: Entry, found: DeploymentResponse,
    *, knows_fields: bool,
) -> None:  # fmt: skip
    present = {one.slug: one for one in found.schedules if one.slug}
    wanted = {one["slug"]: one for one in entry.get("schedules", [])}
    for slug, ours in wanted.items():
        thing = _thing(name, f"schedule {slug}")
        theirs = present.get(slug)
        if theirs is None:
            if (knows_fields and not merge.remembers(thing)) or merge.is_reset:
                await _create_schedule(client, merge, name, found, ours)
            else:
                merge.notes(thing, _timing(ours))
                merge.keeps(f"deployment {name} schedule {slug}: was deleted by hand")
            continue
        await _merge_schedule(client, merge, name, found, ours, theirs)
    for slug, theirs in present.items():
        thing = _thing(name, f"schedule {slug}")
        if slug in wanted or not merge.remembers(thing):
            continue  # the project's, or people's own
        if _timing_of(theirs) != merge.remembered(thing):
            merge.keeps(
                f"deployment {name} schedule {slug}: was changed by hand; the project no longer "
                "has it"
            )
        elif merge.does(f"deployment {name} schedule {slug}: is removed"):
            await client.delete_deployment_schedule(found.id, theirs.id)
        merge.forget(thing)


async def _merge_schedule(
    client: PrefectClient, merge: Merge, name: str, found: DeploymentResponse,
    ours: Entry, theirs: DeploymentSchedule,
) -> None:  # fmt: skip
    slug = ours["slug"]
    thing = _thing(name, f"schedule {slug}")
    if merge.changes_to(thing, current=_timing_of(theirs), wanted=_timing(ours)):
        await client.update_deployment_schedule(found.id, theirs.id, schedule=_cron(ours))
    if theirs.active == ours.get("active", True):
        return
    if not merge.is_reset:
        state = "active" if theirs.active else "inactive"
        merge.keeps(f"deployment {name} schedule {slug}: was made {state} by hand")
    elif merge.does(f"deployment {name} schedule {slug}: is active again"):
        await client.update_deployment_schedule(found.id, theirs.id, active=True)


async def _create_schedule(
    client: PrefectClient, merge: Merge, name: str, found: DeploymentResponse, ours: Entry
) -> None:
    told = f"deployment {name} schedule {ours['slug']}: is made, {_timing(ours)}"
    merge.notes(_thing(name, f"schedule {ours['slug']}"), _timing(ours))
    if merge.does(told):
        new = DeploymentScheduleCreate(schedule=_cron(ours), active=True, slug=ours["slug"])
        await client.create_deployment_schedules(found.id, [new])


def _cron(entry: Entry) -> CronSchedule:
    return CronSchedule(cron=entry["cron"], timezone=entry.get("timezone", "UTC"))


def _timing(entry: Entry) -> str:
    return f"{entry['cron']} {entry.get('timezone', 'UTC')}"


def _timing_of(found: DeploymentSchedule) -> str:
    """When a schedule starts runs, and with which parameters of its own."""
    schedule = found.schedule
    if isinstance(schedule, CronSchedule) and not found.parameters:
        return f"{schedule.cron} {schedule.timezone or 'UTC'}"
    parameters = f" {found.parameters}" if found.parameters else ""
    return f"{schedule.model_dump(mode='json', exclude_none=True)}{parameters}"


def _thing(name: str, field: str) -> str:
    return f"{_PREFIX} {name} {field}"
