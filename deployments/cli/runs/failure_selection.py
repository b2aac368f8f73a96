"""Which failures a person means to retry: groups by their keys, runs by their ids, or all."""

from collections.abc import Sequence

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, StateType, TaskRun

from adspark.errors import ConfigurationError
from adspark.text.redaction import redact_document
from deployments.operations.runs.failures import (
    RETRIED,
    FailureGroup,
    group_of,
    has_deployment,
    is_key,
    read_failures,
)
from deployments.operations.runs.lookup import UnknownRunError, find_run
from deployments.operations.runs.report import command_anew
from orchestration.runs.results import to_document


async def choose_failures(
    client: PrefectClient,
    keys: Sequence[str],
    *,
    hours: float,
    pools: Sequence[str] = (),
    flow: str | None = None,
) -> list[FailureGroup]:
    """The failures with these keys, or without keys all; a run by itself is a group of one.

    Args:
        keys: of failures, or ids of runs.
        hours: how far back to look.
        pools: names of work pools; none: all.
        flow: only of this flow.

    Raises:
        ConfigurationError: a key means nothing, or a run that cannot be retried; says why.
    """
    groups = await read_failures(client, hours=hours, pools=pools, flow=flow)
    if not keys:
        return groups
    by_key = {group.key: group for group in groups}
    return [
        by_key[key] if key in by_key else await _find_one(client, key)
        for key in dict.fromkeys(keys)
    ]


async def _find_one(client: PrefectClient, key: str) -> FailureGroup:
    try:
        run = await find_run(client, key)
    except UnknownRunError:
        if not is_key(key):
            raise
        raise ConfigurationError(
            f"There is no run {key}, and no failure of this key now: its runs were retried or "
            "deleted meanwhile, or failed before --hours; those there are: adspark failures"
        ) from None
    if isinstance(run, TaskRun):
        raise ConfigurationError(
            f"{key} is a task run; retry the flow run it belongs to: "
            f"adspark retry {run.flow_run_id}"
        )
    flow = (await client.read_flow(run.flow_id)).name
    if problem := await _problem_of(client, run, flow):
        raise ConfigurationError(f"Run {run.id} ({run.name}) {problem}")
    return group_of(run, flow)


async def _problem_of(client: PrefectClient, run: FlowRun, flow: str) -> str | None:
    """Why a run cannot be retried."""
    if run.state_type == StateType.COMPLETED:
        return f"has completed; how to do the same again: adspark task {run.id}"
    if run.state_type not in RETRIED:
        return f"is {run.state_name}, not ended; to end it: prefect flow-run cancel {run.id}"
    if run.deployment_id is None:
        return "has no deployment, so no worker can take it; start it anew as you started it."
    if not await has_deployment(client, run):
        anew = command_anew(flow, redact_document(to_document(run.parameters)))
        return f"is of a deployment that is gone, so no worker takes it; start it anew: {anew}"
    return None
