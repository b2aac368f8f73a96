"""A deployment that exists, brought up to `prefect.yaml` without undoing what people changed.

Description, parameters, tags, limit, pool and schedules are people's too: each is compared by value
with what was applied last (`drift`). What makes the deployment run is the project's alone, and a
schedule that people added is theirs alone: it is named, and stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate
from prefect.client.schemas.objects import ConcurrencyOptions, DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule
from prefect.utilities.callables import parameter_schema
from pydantic import JsonValue

from adspark.text.shortened import shorten
from deployments.provisioning.drift import Merge

_LONGEST_RULE = 60  # characters of a schedule's rule in a message
Entry = Mapping[str, Any]
"""Of a deployment in `prefect.yaml`."""


def own_fields(entry: Entry) -> dict[str, Any]:
    """What makes a deployment run, and the form of its parameters: fields of `DeploymentUpdate`."""
    module, _, function = str(entry["entrypoint"]).rpartition(".")
    schema = parameter_schema(getattr(import_module(module), function))
    return {
        "entrypoint": entry["entrypoint"],
        "pull_steps": entry.get("pull") or [],
        "enforce_parameter_schema": entry.get("enforce_parameter_schema", True),
        "parameter_openapi_schema": schema.model_dump_for_openapi(),
    }


def shared_fields(entry: Entry) -> dict[str, JsonValue]:
    """What people may change too, as the project has it, by the names used in records."""
    limit = entry.get("concurrency_limit") or {}
    return {
        "description": str(entry["description"]).strip(),
        "tags": sorted(entry.get("tags", [])),
        "limit": limit.get("limit"),
        "collision": limit.get("collision_strategy"),
        **{f"parameter {key}": value for key, value in (entry.get("parameters") or {}).items()},
        **{f"schedule {one['slug']}": _timing(one) for one in entry.get("schedules", [])},
    }


def new_schedule(schedule: Entry) -> DeploymentScheduleCreate:
    """A schedule of `prefect.yaml`, as the server takes it."""
    return DeploymentScheduleCreate(schedule=_cron(schedule), active=True, slug=schedule["slug"])


@dataclass(frozen=True)
class DeploymentMerge:
    """The merge of one deployment: `entry` is what the project wants, `found` what there is."""

    client: PrefectClient
    merge: Merge
    name: str
    entry: Entry
    found: DeploymentResponse

    async def apply(self, *, is_changed: bool) -> None:
        """Bring it up to date; `is_changed` where what makes it run differs from the project's."""
        changes = own_fields(self.entry) if is_changed else {}
        changes |= self._merge_fields()
        if changes and not self.merge.dry_run:
            await self.client.update_deployment(self.found.id, DeploymentUpdate(**changes))
        await self._merge_schedules()

    def _thing(self, field: str) -> str:
        return f"deployment {self.name} {field}"

    def _merge_fields(self) -> dict[str, Any]:
        """The fields that are to be changed, with what they are to become."""
        wanted, found = shared_fields(self.entry), self.found
        limit, options = found.global_concurrency_limit, found.concurrency_options
        changes: dict[str, Any] = {}

        def differs(field: str, current: JsonValue) -> bool:
            return self.merge.update(self._thing(field), current=current, wanted=wanted[field])

        if differs("description", (found.description or "").strip()):
            changes["description"] = wanted["description"]
        if differs("limit", limit.limit if limit else None):
            changes["concurrency_limit"] = wanted["limit"]
        # Of a deployment without a limit it means nothing.
        collision = options.collision_strategy.value if options and limit else wanted["collision"]
        if differs("collision", collision):
            options = ConcurrencyOptions(collision_strategy=wanted["collision"])
            changes["concurrency_options"] = options
        if (parameters := self._merge_parameters()) != found.parameters:
            changes["parameters"] = parameters
        if (tags := self._merge_tags()) != set(found.tags):
            changes["tags"] = sorted(tags)
        if found.paused and not self.merge.is_reset:
            self.merge.keep(f"{self._thing('schedules')}: were paused by hand")
        elif found.paused and self.merge.change(f"{self._thing('schedules')}: go on"):
            changes["paused"] = False
        return changes | self._merge_pool()

    def _merge_pool(self) -> dict[str, str]:
        """Its pool again where that was removed; in another one it was put by hand."""
        pool, current = self.entry["work_pool"]["name"], self.found.work_pool_name
        if current == pool:
            return {}
        if current is not None and not self.merge.is_reset:
            self.merge.keep(f"{self._thing('pool')}: {current} was set by hand (ours: {pool})")
            return {}
        self.merge.change(f"deployment {self.name}: is put into its pool {pool} again")
        return {"work_pool_name": pool}

    def _merge_parameters(self) -> dict[str, Any]:
        """Each by itself: people's own stay, and what the project no longer has is removed."""
        wanted: dict[str, JsonValue] = self.entry.get("parameters") or {}
        merge, merged = self.merge, dict(self.found.parameters)
        for key, value in wanted.items():
            thing = self._thing(f"parameter {key}")
            if key not in merged and (not merge.was_applied(thing) or merge.is_reset):
                merge.record(thing, value)
                if merge.change(f"{thing}: {value}"):
                    merged[key] = value
            elif merge.update(thing, current=merged.get(key), wanted=value):
                merged[key] = value
        for key, value in self.found.parameters.items():
            thing = self._thing(f"parameter {key}")
            if key in wanted:
                continue
            is_ours = merge.was_applied(thing) and merge.last_applied(thing) == value
            if not is_ours and not merge.is_reset:
                merge.keep(f"{thing}: was set by hand (ours: none)")
            elif merge.change(f"{thing}: is removed"):
                del merged[key]
            merge.discard(thing)
        return merged

    def _merge_tags(self) -> set[str]:
        """Tags that the project has gained or lost are put on or taken off; people's own stay."""
        thing = self._thing("tags")
        ours, current = set(self.entry.get("tags", [])), set(self.found.tags)
        last = self.merge.last_applied(thing)
        before = set(map(str, last)) if isinstance(last, list) else ours
        tags = ours if self.merge.is_reset else (current | (ours - before)) - (before - ours)
        shown = ", ".join(sorted(tags)) or "none"
        if tags != current:
            self.merge.change(f"{thing}: {shown}")
        if tags != ours:
            self.merge.keep(f"{thing}: {shown} were set by hand (ours: {', '.join(sorted(ours))})")
        self.merge.record(thing, sorted(ours))
        return tags

    async def _merge_schedules(self) -> None:
        merge = self.merge
        present = {one.slug: one for one in self.found.schedules if one.slug}
        wanted = {one["slug"]: one for one in self.entry.get("schedules", [])}
        # Versions that recorded no fields had applied all the schedules that the project has.
        records_fields = merge.was_applied(self._thing("description"))
        for slug, ours in wanted.items():
            thing = self._thing(f"schedule {slug}")
            if slug in present:
                await self._merge_schedule(ours, present[slug])
            elif merge.is_reset or (records_fields and not merge.was_applied(thing)):
                merge.record(thing, _timing(ours))
                if merge.change(f"{thing}: is made, {_timing(ours)}"):
                    await self.client.create_deployment_schedules(
                        self.found.id, [new_schedule(ours)]
                    )
            else:
                merge.record(thing, _timing(ours))
                merge.keep(f"{thing}: was deleted by hand")
        self._report_added(set(wanted))
        for slug, theirs in present.items():
            thing = self._thing(f"schedule {slug}")
            if slug in wanted or not merge.was_applied(thing):
                continue  # the project's, or people's own
            if _timing_of(theirs) != merge.last_applied(thing):
                merge.keep(f"{thing}: was changed by hand; the project no longer has it")
            elif merge.change(f"{thing}: is removed"):
                await self.client.delete_deployment_schedule(self.found.id, theirs.id)
            merge.discard(thing)

    def _report_added(self, wanted: set[str]) -> None:
        """Name the schedules that people added, by their slug or when they start runs."""
        for one in self.found.schedules:
            name = one.slug or _starts(one)
            if name not in wanted and not self.merge.was_applied(self._thing(f"schedule {name}")):
                self.merge.add(f"{self._thing(f'schedule {name}')}: was added by hand, and stays")

    async def _merge_schedule(self, ours: Entry, theirs: DeploymentSchedule) -> None:
        thing = self._thing(f"schedule {ours['slug']}")
        changes: dict[str, Any] = {}
        if self.merge.update(thing, current=_timing_of(theirs), wanted=_timing(ours)):
            changes["schedule"] = _cron(ours)
        if not theirs.active and not self.merge.is_reset:
            self.merge.keep(f"{thing}: was made inactive by hand")
        elif not theirs.active and self.merge.change(f"{thing}: is active again"):
            changes["active"] = True
        if changes:
            await self.client.update_deployment_schedule(self.found.id, theirs.id, **changes)


def _cron(schedule: Entry) -> CronSchedule:
    return CronSchedule(cron=schedule["cron"], timezone=schedule.get("timezone", "UTC"))


def _timing(schedule: Entry) -> str:
    return f"{schedule['cron']} {schedule.get('timezone', 'UTC')}"


def _timing_of(found: DeploymentSchedule) -> str:
    """When a schedule starts runs, and with which parameters of its own."""
    schedule = found.schedule
    if isinstance(schedule, CronSchedule) and not found.parameters:
        return f"{schedule.cron} {schedule.timezone or 'UTC'}"
    parameters = f" {found.parameters}" if found.parameters else ""
    return f"{schedule.model_dump(mode='json', exclude_none=True)}{parameters}"


def _starts(found: DeploymentSchedule) -> str:
    """When a schedule without a slug starts runs, for people."""
    schedule = found.schedule
    if isinstance(schedule, IntervalSchedule):
        return f"every {schedule.interval.total_seconds():g} s"
    if isinstance(schedule, RRuleSchedule):
        return shorten(schedule.rrule, _LONGEST_RULE)
    return _timing_of(found.model_copy(update={"parameters": {}}))
