"""What the server that runs are forked from does once for all of them, when it is imported."""

from collections.abc import Mapping
from pathlib import Path

from prefect.client.schemas.actions import FlowRunUpdate, LogCreate
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import DeploymentResponse
from prefect.settings import get_current_settings

# Prefect leaves models incomplete until they are used; each run uses these.
for _model in (FlowRun, DeploymentResponse, FlowRunUpdate, LogCreate):
    _model.model_rebuild()

_OF_A_RUN = "PREFECT__"  # variables that are no settings
_FILES = (".env", "prefect.toml", "pyproject.toml")  # of a working folder, with settings


def _prefect_variables(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name.startswith("PREFECT_") and not name.startswith(_OF_A_RUN)
    }


# As a worker passes its settings on, which Prefect writes in words of its own.
_PASSED_ON = _prefect_variables(get_current_settings().to_environment_variables(exclude_unset=True))


def has_other_settings(environment: Mapping[str, str], folder: str) -> bool:
    """Whether Prefect's settings of a run are others than those of this process.

    Args:
        environment: of the run.
        folder: in which it works.
    """
    return _prefect_variables(environment) != _PASSED_ON or any(
        (Path(folder) / file).exists() for file in _FILES
    )
