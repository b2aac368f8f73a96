"""What a run may choose of its surroundings: a few environment variables, nothing else.

Prefect lets a run, its deployment and its pool override all that a worker starts it with, by job
variables and the pool's job template: the command, the container's image, mounts and privileges.
Whoever reaches the API, as each run does, would own the worker's host. So a worker builds all of it
from its own settings, and never from a template; a run that asks for something else is refused.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Self
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, WorkPool
from prefect.client.schemas.responses import DeploymentResponse
from prefect.workers.base import BaseJobConfiguration
from pydantic import JsonValue, PrivateAttr

from deployments.queue_classes import QUEUE_CLASSES
from orchestration.runs.parameter_errors import show_error, show_name
from orchestration.server.prefect_internals import JobHooks

ENVIRONMENT = frozenset(
    {
        "PREFECT_LOGGING_LEVEL",
        "ADSPARK_RENDER_SCALE",
        "ADSPARK_RENDER_TIME_LIMIT",
        "ADSPARK_RETRY_DELAYS",
        "ADSPARK_REVIEW_TIME_LIMIT",
        "ADSPARK_SERPAPI_TIMEOUT",
        "ADSPARK_SWEEP_SHARD_SIZE",
        "ADSPARK_TIDY_UP_TIME",
        "ADSPARK_TOO_CLOSE",
        *(
            f"ADSPARK_{flow.time_limit.upper()}"
            for queue_class in QUEUE_CLASSES
            for flow in queue_class.flows
            if flow.time_limit
        ),
    }
)
"""Environment variables that job variables may set: numbers and a log level. Any other name may be
one by which the loader, Python, a browser or Prefect takes code or an address."""

_STEPS = frozenset(
    f"prefect.deployments.steps.{name}"
    for name in ("git_clone", "pull_with_block", "set_working_directory")
)
"""Pull steps that fetch a flow's code; any other function, as a shell, would be a command."""

_ENV, _ENV_PREFIX = "env", "env."
_UNSET: tuple[JsonValue, ...] = (None, "", {}, [])
_PLACEHOLDER = re.compile(r"\{\{\s*[\w-]+\s*\}\}")  # it takes a variable's value
_MOST_NAMED = 8  # variables named in one message
_LONGEST_NAMES = 250  # characters of them, of the 500 that the message may have
_RUN, _DEPLOYMENT = "the run's job variables", "its deployment's job variables"

Variables = Mapping[str, Any]


class OwnJob(JobHooks, BaseJobConfiguration):
    """A run's surroundings, as its worker's own settings have them."""

    _refusal: str | None = PrivateAttr(default=None)

    @property
    def refusal(self) -> str | None:
        """Why the run must not be started, in one line; None where it may."""
        return self._refusal

    @classmethod
    def own_values(cls, flow_run: FlowRun, work_pool: WorkPool) -> dict[str, JsonValue]:
        """What the worker gives to a run of the pool, by the names of job variables."""
        raise NotImplementedError

    @classmethod
    async def resolve_for_flow_run(
        cls,
        flow_run: FlowRun,
        *,
        client: PrefectClient,
        work_pool: WorkPool,
        worker_name: str,
        worker_id: UUID | None = None,
        deployment: DeploymentResponse | None = None,
    ) -> Self:
        """As Prefect's, but without any template, and with nothing that was refused.

        Args:
            flow_run: whose job it is.
            work_pool: of the run.
            worker_name: of the worker that takes it.
            worker_id: of that worker.
            deployment: of the run; read where it is not given.
        """
        if deployment is None and flow_run.deployment_id:
            deployment = await client.read_deployment(flow_run.deployment_id)
        flow = await client.read_flow(flow_run.flow_id)
        requested = {
            f"the job template of the pool {show_name(work_pool.name)}": _of_template(work_pool),
            _DEPLOYMENT: getattr(deployment, "job_variables", None) or {},
            _RUN: flow_run.job_variables or {},
        }
        own = cls.own_values(flow_run, work_pool)
        environment = {
            name.removeprefix(_ENV_PREFIX): value
            for variables in requested.values()
            for name, value in _flatten(variables)
            if _is_allowed(name)
        }
        configuration = cls.model_validate({**own, _ENV: environment})
        configuration._refusal = find_refusal(requested, own) or _find_step(deployment)
        configuration.prepare_for_flow_run(
            flow_run, deployment, flow, work_pool, worker_name, worker_id=worker_id
        )
        return configuration


def find_refusal(requested: Mapping[str, Variables], own: Variables) -> str | None:
    """Why job variables are refused, in one line that names them; None where they are not.

    They come by the place where they were set; to request what the worker gives is allowed.
    """
    for place, variables in requested.items():
        names = sorted(
            {name for name, value in _flatten(variables) if not _may_be(name, value, own)}
        )
        if names:
            return show_error(
                f"{_show_names(names)}: not for a run to choose, its worker's settings say it; "
                f"remove it from {place}."
            )
    return None


def _show_names(names: list[str]) -> str:
    shown = [show_name(name) for name in names[:_MOST_NAMED]]
    while len(", ".join(shown)) > _LONGEST_NAMES:
        shown.pop()
    return ", ".join(shown) + (", …" if len(shown) < len(names) else "")


def _may_be(name: str, value: JsonValue, own: Variables) -> bool:
    """Whether a job variable may have a value; to unset one of the environment is to set it."""
    if name.startswith(_ENV_PREFIX):
        return _is_allowed(name)
    return value in _UNSET or own.get(name) == value


def _is_allowed(name: str) -> bool:
    return name.startswith(_ENV_PREFIX) and name.removeprefix(_ENV_PREFIX) in ENVIRONMENT


def _flatten(variables: Variables) -> Iterator[tuple[str, Any]]:
    """Job variables with those of the environment as `env.NAME`, as Prefect also writes them."""
    for name, value in variables.items():
        if name == _ENV and isinstance(value, Mapping):
            yield from ((f"{_ENV_PREFIX}{variable}", one) for variable, one in value.items())
        else:
            yield name, value


def _of_template(work_pool: WorkPool) -> dict[str, Any]:
    """What a pool's job template sets by itself: its variables' defaults, and what is fixed."""
    template = work_pool.base_job_template
    properties = (template.get("variables") or {}).get("properties") or {}
    fixed = {
        name: value
        for name, value in (template.get("job_configuration") or {}).items()
        if not (isinstance(value, str) and _PLACEHOLDER.fullmatch(value))
    }
    defaults = {
        name: one["default"]
        for name, one in properties.items()
        if isinstance(one, Mapping) and "default" in one
    }
    return {**defaults, **fixed}


def _find_step(deployment: DeploymentResponse | None) -> str | None:
    for step in getattr(deployment, "pull_steps", None) or []:
        for name, inputs in step.items():
            if name not in _STEPS or "requires" in (inputs or {}):
                known = ", ".join(one.rpartition(".")[2] for one in sorted(_STEPS))
                return show_error(
                    f"pull_steps: {show_name(name)} is not for a run to choose; its deployment may "
                    f"have {known}, without `requires`."
                )
    return None
