"""Start a run of a deployment; a mistake in its parameters shows before there is a run."""

import inspect
from collections.abc import Mapping
from typing import Any

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import PrefectHTTPStatusError
from prefect.utilities.importtools import import_object
from pydantic import JsonValue

from adspark.errors import ConfigurationError, InvalidQueryError
from adspark.serpapi.search_query import parse_query
from adspark.validation.near_names import describe_unknown
from adspark.validation.parameter_bounds import find_problem
from deployments.operations.runs.deployments import find_deployment
from orchestration.runs.parameter_errors import find_mistakes


async def start_run(
    client: PrefectClient,
    deployment: str,
    parameters: Mapping[str, JsonValue],
    *,
    key: str | None = None,
) -> FlowRun:
    """Start a run of a deployment, after what its parameters are checked against.

    Args:
        client: of Prefect's server.
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
    if mistake := _first_mistake(found, parameters):
        raise ConfigurationError(mistake)
    try:
        return await client.create_flow_run_from_deployment(
            found.id, parameters=dict(parameters), idempotency_key=key
        )
    except PrefectHTTPStatusError as error:
        raise ConfigurationError(f"{deployment}: {_reason(error.response)}") from None


def _first_mistake(
    deployment: DeploymentResponse, parameters: Mapping[str, JsonValue]
) -> str | None:
    """What the flow would say against its parameters; None where it is not installed here."""
    try:
        flow = import_object(deployment.entrypoint or "")
    except (ImportError, AttributeError, ValueError):
        return None
    given = {**deployment.parameters, **parameters}
    if mistake := next(find_mistakes(flow, given), None):
        return mistake
    try:
        if check := _CHECKS.get(flow.name):
            check(flow.validate_parameters(given))
    except InvalidQueryError as error:
        return str(error)
    return None


def _check_query(parameters: Mapping[str, Any]) -> None:
    """Raise InvalidQueryError where the parts of a search do not go together."""
    own = inspect.signature(parse_query).parameters
    parse_query(**{name: value for name, value in parameters.items() if name in own})


_CHECKS = {"fetch-creatives": _check_query}


def _reason(response: httpx.Response) -> str:
    try:
        detail = response.json().get("detail") or response.json().get("exception_detail")
    except ValueError:
        detail = None
    return str(detail or response.text)
