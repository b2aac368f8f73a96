"""Runs of pools as Prefect's server tells them: page after page, to the last."""

import os
from collections.abc import Sequence

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort

from deployments.queue_classes import QUEUE_CLASSES

PAGE = 200
"""Runs that the server tells at once."""


def ui_url(client: PrefectClient) -> str:
    """The address of Prefect's UI: as people are said to reach it, else beside the API."""
    told = os.environ.get("PREFECT_UI_URL")
    return (told or str(client.api_url).rstrip("/").removesuffix("/api")).rstrip("/")


def of_pools(pools: Sequence[str] = ()) -> WorkPoolFilter:
    """What is in these pools; empty is all of ours."""
    names = list(pools) or [one.name for one in QUEUE_CLASSES]
    return WorkPoolFilter(name=WorkPoolFilterName(any_=names))


def in_state(*types: StateType) -> FlowRunFilter:
    """Runs whose state is of one of these types, whatever its name."""
    return FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types))))


async def read_runs(
    client: PrefectClient,
    wanted: FlowRunFilter,
    *,
    pools: Sequence[str] = (),
    flows: FlowFilter | None = None,
    sort: FlowRunSort = FlowRunSort.ID_DESC,
) -> list[FlowRun]:
    """All of them, each once, though runs come and go between two pages."""
    found: dict[object, FlowRun] = {}
    offset = 0
    while True:
        page = await client.read_flow_runs(
            flow_filter=flows,
            flow_run_filter=wanted,
            work_pool_filter=of_pools(pools),
            sort=sort,
            limit=PAGE,
            offset=offset,
        )
        found |= {run.id: run for run in page}
        offset += len(page)
        if len(page) < PAGE:
            return list(found.values())


async def read_flow_names(client: PrefectClient, runs: Sequence[FlowRun]) -> dict[object, str]:
    """The names of the flows that these are runs of, by the flow's id."""
    ids = {run.flow_id for run in runs}
    if not ids:
        return {}
    found = await client.read_flows(
        flow_filter=FlowFilter(id=FlowFilterId(any_=list(ids))), limit=PAGE
    )
    return {flow.id: flow.name for flow in found}
