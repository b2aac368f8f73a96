"""The parameters in a request to Prefect's API, judged by the deployment that they are for.

They are a run's, the deployment's own, its schedules', or those with which an automation starts a
run. Of a schedule a mistake would fail a run at every tick: its parameters are judged with the
deployment's below them, as they are put together then, and by all that the flow itself would say.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from pydantic import JsonValue

from adspark.concurrency import in_thread
from adspark.validation.parameter_bounds import find_problem
from adspark.validation.uuids import parse_uuid
from deployments.operations.runs.mistakes import find_mistake
from orchestration.server.prefect_internals import (
    DeployedFlow,
    read_deployed_flow,
    read_deployment_of_run,
)

_CARRIES = re.compile(
    r"/(deployments|flow_runs|automations)"
    r"(?:/([^/]+)(?:/(create_flow_run(?:/bulk)?|schedules(?:/[^/]+)?))?)?/?$"
)
_ACTIONS = ("actions", "actions_on_trigger", "actions_on_resolve")
_OURS = re.compile(r"flows\.\w+\.\w+", re.ASCII)  # the server imports no other code

Object = dict[str, JsonValue]


def may_carry_parameters(path: str, body: bytes) -> bool:
    """Whether a request is worth reading for them."""
    return b"parameters" in body and _CARRIES.search(path) is not None


async def find_parameter_problem(path: str, given: JsonValue) -> str | None:
    """The first parameter of a request that its deployment does not take, and what it takes; None
    where there is none, or where it is Prefect's to refuse."""
    found = _CARRIES.search(path)
    if found is None:
        return None
    kind, name, part = found.groups()
    for one in _objects(given):
        if kind == "automations":
            problem = await _check_automation(one)
        elif kind == "flow_runs":
            problem = await _check_run(one, name)
        elif part and part.startswith("schedules"):
            problem = await _check_schedule(one, await _read(name))
        elif part:
            problem = _check_bounds(one, await _read(name))
        else:
            problem = await _check_deployment(one, name)
        if problem:
            return problem
    return None


async def _check_automation(given: Object) -> str | None:
    for action in (action for name in _ACTIONS for action in _objects(given.get(name))):
        if action.get("type") == "run-deployment":
            found = await _read(action.get("deployment_id"))
            if problem := _check_bounds({"parameters": _without_templates(action)}, found):
                return problem
    return None


async def _check_run(given: Object, name: str | None) -> str | None:
    """Of one that is made without the path of its deployment, or changed."""
    if name is None:
        return _check_bounds(given, await _read(given.get("deployment_id")))
    run_id = parse_uuid(str(name))
    deployment = None if run_id is None else await read_deployment_of_run(run_id)
    return _check_bounds(given, await _read(str(deployment)))


async def _check_deployment(given: Object, name: str | None) -> str | None:
    """Of one that is made or changed, and of the schedules that come with it."""
    found = DeployedFlow() if name is None else await _read(name)
    if found is None:
        return None
    schema, entrypoint = given.get("parameter_openapi_schema"), given.get("entrypoint")
    parameters = given.get("parameters")
    found = replace(
        found,
        schema=schema if isinstance(schema, dict) else found.schema,
        entrypoint=entrypoint if isinstance(entrypoint, str) else found.entrypoint,
        parameters=parameters if isinstance(parameters, dict) else found.parameters,
    )
    if problem := _check_bounds(given, found):
        return problem
    for schedule in _objects(given.get("schedules")):
        if problem := await _check_schedule(schedule, found):
            return problem
    return None


async def _check_schedule(given: Object, found: DeployedFlow | None) -> str | None:
    own = given.get("parameters")
    if found is None or not isinstance(own, dict) or given.get("active") is False:
        return None
    merged = {**found.parameters, **own}
    problem = find_problem(found.schema, merged)
    if problem is None and _OURS.fullmatch(found.entrypoint):
        problem = await in_thread(find_mistake, found.entrypoint, merged)
    return problem


def _check_bounds(given: Object, found: DeployedFlow | None) -> str | None:
    parameters = given.get("parameters")
    if found is None or not isinstance(parameters, dict):
        return None
    return find_problem(found.schema, parameters)


def _without_templates(action: Object) -> Object:
    """The parameters whose values are known before the automation's event."""
    given = action.get("parameters")
    if not isinstance(given, dict):
        return {}
    return {name: one for name, one in given.items() if not isinstance(one, str) or "{" not in one}


def _objects(given: JsonValue) -> Iterator[Object]:
    """A document that is an object, or those in a list."""
    for one in given if isinstance(given, list) else [given]:
        if isinstance(one, dict):
            yield one


async def _read(name: JsonValue) -> DeployedFlow | None:
    deployment_id = parse_uuid(str(name))
    return None if deployment_id is None else await read_deployed_flow(deployment_id)
