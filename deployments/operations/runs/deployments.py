"""Find a deployment by the name that a person gives."""

import difflib

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound

from adspark.errors import ConfigurationError

_OURS = "/adspark"


async def find_deployment(client: PrefectClient, name: str) -> DeploymentResponse:
    """The deployment `flow/name`, or of ours that of a flow.

    Raises:
        ConfigurationError: there is none; the message names those that there are.
    """
    full = name if "/" in name else f"{name}{_OURS}"
    try:
        return await client.read_deployment_by_name(full)
    except ObjectNotFound:
        pass
    flows = {flow.id: flow.name for flow in await client.read_flows()}
    names = [
        f"{flows.get(one.flow_id, '')}/{one.name}".removesuffix(_OURS)
        for one in await client.read_deployments()
    ]
    near = difflib.get_close_matches(name.removesuffix(_OURS), names, n=1)
    known = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(names)) or 'none'}."
    raise ConfigurationError(f"The server has no deployment {full!r}; {known}")
