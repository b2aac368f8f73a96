"""Find a deployment by the name that a person gives."""

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.responses import DeploymentResponse

from adspark.errors import ConfigurationError
from adspark.validation.near_names import ask_for, find_near
from deployments.provisioning.deployments.former import current_flow
from orchestration.runs.optional import read_optional
from orchestration.runs.parameter_errors import show_name
from orchestration.server.deployments import read_deployments


async def find_deployment(client: PrefectClient, name: str) -> DeploymentResponse:
    """The deployment `flow/name`, or the one that is named after a flow.

    Raises:
        ConfigurationError: there is none; the message names those that there are.
    """
    full = name if "/" in name else f"{name}/{name}"
    flow, _, own = full.partition("/")
    has_address = flow and own and "/" not in own and own.isprintable()  # in Prefect's API
    if has_address and (found := await read_optional(client.read_deployment_by_name(full))):
        return found
    names = [short_name(one) for one in await read_deployments(client)]
    current = current_flow(flow)
    near = [current] if current in names else find_near(name, sorted(names))
    known = ask_for(near) or f"it has {', '.join(sorted(names)) or 'none'}."
    raise ConfigurationError(f"The server has no deployment {show_name(full)!r}; {known}")


def short_name(name: str) -> str:
    """What a person gives for `flow/deployment`: the flow alone where both are called the same."""
    flow, _, own = name.partition("/")
    return flow if own == flow else name
