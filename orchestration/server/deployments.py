"""Deployments on Prefect's server by their names."""

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import DeploymentFilter
from prefect.client.schemas.responses import DeploymentResponse

from orchestration.runs.flow_runs import PAGE, read_flow_names


async def read_deployments(
    client: PrefectClient, wanted: DeploymentFilter | None = None
) -> dict[str, DeploymentResponse]:
    """All deployments, or those that match, by flow/deployment."""
    found: list[DeploymentResponse] = []
    while len(found) % PAGE == 0:
        page = await client.read_deployments(
            deployment_filter=wanted, limit=PAGE, offset=len(found)
        )
        if not page:
            break
        found += page
    flows = await read_flow_names(client, [one.flow_id for one in found])
    return {f"{flows.get(one.flow_id, '')}/{one.name}": one for one in found}
