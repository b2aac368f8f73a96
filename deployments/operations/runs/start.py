"""Start a run of a deployment; a mistake in its parameters shows before there is a run."""

from collections.abc import Mapping

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import PrefectHTTPStatusError
from pydantic import JsonValue

from adspark.errors import ConfigurationError, InvalidQueryError
from adspark.validation.near_names import describe_unknown
from adspark.validation.parameter_bounds import find_problem
from deployments.operations.runs.deployments import find_deployment
from deployments.operations.runs.mistakes import find_mistake


async def start_run(
    client: PrefectClient,
    deployment: str,
    parameters: Mapping[str, JsonValue],
    *,
    key: str | None = None,
) -> FlowRun:
    """Start a run of a deployment, after what its parameters are checked against.

    Args:
        deployment: `flow/name`, or a flow's name alone.
        parameters: by name; those left out have the deployment's values.
        key: of which there is one run; that is returned where it was started before.

    Raises:
        ConfigurationError: no such deployment, or parameters that it does not take.
    """
    found = await find_deployment(client, deployment)
    known = set((found.parameter_openapi_schema or {}).get("properties", {}))
    if unknown := sorted(set(parameters) - known):
        has_no = f"{deployment} has no such parameter; it has {', '.join(sorted(known))}."
        raise InvalidQueryError(unknown[0], describe_unknown(has_no, unknown[0], sorted(known)))
    if problem := find_problem(found.parameter_openapi_schema or {}, parameters):
        raise ConfigurationError(problem)
    if mistake := find_mistake(found.entrypoint or "", {**found.parameters, **parameters}):
        raise ConfigurationError(mistake)
    try:
        return await client.create_flow_run_from_deployment(
            found.id, parameters=dict(parameters), idempotency_key=key
        )
    except PrefectHTTPStatusError as error:
        raise ConfigurationError(f"{deployment}: {_reason(error.response)}") from None


def _reason(response: httpx.Response) -> str:
    try:
        detail = response.json().get("detail") or response.json().get("exception_detail")
    except ValueError:
        detail = None
    return str(detail or response.text)
