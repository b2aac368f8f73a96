"""Runs that keep an operator from going on, named with the command that cancels one."""

from collections.abc import Sequence

from prefect.client.schemas.objects import FlowRun

CANCEL = "prefect flow-run cancel ID"
"""Ends a run also where no worker is online: the server does, a minute later at most."""
CANCEL_IN_CONTAINERS = "docker-compose run --rm --entrypoint prefect adspark flow-run cancel ID"
"""The same in containers."""

_FEW = 3


def name_runs(runs: Sequence[FlowRun]) -> str:
    """The ids and states of the first few, and how many more there are."""
    first = ", ".join(f"{run.id} ({run.state_name})" for run in runs[:_FEW])
    more = len(runs) - _FEW
    return f"{first} and {more} more" if more > 0 else first
