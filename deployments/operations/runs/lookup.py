"""Find the run that a person means: by its id, the beginning of its id, or its name."""

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import TaskRunFilter, TaskRunFilterName
from prefect.client.schemas.objects import FlowRun, TaskRun
from prefect.client.schemas.sorting import FlowRunSort, TaskRunSort

from adspark.errors import ConfigurationError
from adspark.text.counts import counted
from adspark.validation.near_names import describe_unknown
from adspark.validation.uuids import parse_uuid
from orchestration.runs.flow_runs import PAGE, filter_runs
from orchestration.runs.optional import read_optional

_RECENT_PAGES = 5  # of flow runs and of task runs, in which a beginning of an id is looked for
_SHORTEST = 6  # characters of a beginning
_BEGINNING = re.compile(rf"[0-9a-f-]{{{_SHORTEST},36}}")
_SHOWN = 5  # of several that a key may mean
_Run = TypeVar("_Run", FlowRun, TaskRun)


class UnknownRunError(ConfigurationError):
    """There is no such run."""


async def find_run(client: PrefectClient, key: str) -> FlowRun | TaskRun:
    """The flow run or task run that `key` means.

    Raises:
        UnknownRunError: none.
        ConfigurationError: several; says which.
    """
    key = key.strip()
    if run_id := parse_uuid(key):
        found = await _read(client, run_id)
    else:
        found = await _named(client, key)
        if not found and _BEGINNING.fullmatch(key.lower()):
            found = await _beginning(client, key.lower())
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(f"{run.id} ({run.name}, {run.state_name})" for run in found[:_SHOWN])
        raise ConfigurationError(
            f"{key!r} means {counted(len(found), 'run')}; give one's whole id: {listed}"
        )
    recent = await client.read_flow_runs(sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=PAGE)
    raise UnknownRunError(
        describe_unknown(f"There is no run {key!r}", key, (run.name for run in recent if run.name)),
        command=f"give the id of a flow run or task run, its name, or the first {_SHORTEST} or "
        "more characters of a recent one's id.",
    )


def ui_url(client: PrefectClient) -> str:
    """The address of Prefect's UI, as `ui_address` has it."""
    return ui_address(str(client.api_url))


def ui_address(api_url: str) -> str:
    """The address of Prefect's UI: PREFECT_UI_URL, else beside the API."""
    url = os.environ.get("PREFECT_UI_URL") or api_url.rstrip("/").removesuffix("/api")
    return url.rstrip("/")


async def _read(client: PrefectClient, run_id: UUID) -> Sequence[FlowRun | TaskRun]:
    if flow_run := await read_optional(client.read_flow_run(run_id)):
        return [flow_run]
    task_run = await read_optional(client.read_task_run(run_id))
    return [task_run] if task_run else []


async def _named(client: PrefectClient, name: str) -> Sequence[FlowRun | TaskRun]:
    flow_runs = await client.read_flow_runs(flow_run_filter=filter_runs(names=[name]), limit=PAGE)
    task_runs = await client.read_task_runs(
        task_run_filter=TaskRunFilter(name=TaskRunFilterName(any_=[name])), limit=PAGE
    )
    return [*flow_runs, *task_runs]


async def _beginning(client: PrefectClient, beginning: str) -> Sequence[FlowRun | TaskRun]:
    # What schedules have planned for later would push the recent ones off the pages.
    wanted = filter_runs(expected_before=datetime.now(UTC) + timedelta(minutes=1))
    found: list[FlowRun | TaskRun] = []
    for page in range(_RECENT_PAGES):
        flow_runs = await client.read_flow_runs(
            flow_run_filter=wanted,
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
            limit=PAGE,
            offset=page * PAGE,
        )
        task_runs = await client.read_task_runs(
            sort=TaskRunSort.EXPECTED_START_TIME_DESC, limit=PAGE, offset=page * PAGE
        )
        found += _that_begin(flow_runs, beginning)
        found += _that_begin(task_runs, beginning)
        if max(len(flow_runs), len(task_runs)) < PAGE:
            break
    return list({run.id: run for run in found}.values())


def _that_begin(runs: Sequence[_Run], beginning: str) -> list[_Run]:
    return [
        run for run in runs if str(run.id).startswith(beginning) or run.id.hex.startswith(beginning)
    ]
