"""What the server that runs are forked from does once for all of them, when it is imported."""

from collections.abc import Mapping
from pathlib import Path

from prefect.client.schemas import actions, objects, responses
from prefect.events import Event, filters

from orchestration.server.prefect_internals import settings_variables

# Prefect leaves models incomplete until they are used; each run uses these.
for _model in (
    actions.FlowRunUpdate,
    actions.LogCreate,
    objects.ConcurrencyLeaseHolder,
    objects.FlowRun,
    objects.FlowRunPolicy,
    objects.ServerDefaultResultStorage,
    objects.WorkPool,
    objects.WorkQueue,
    responses.DeploymentResponse,
    Event,
    filters.EventFilter,
    filters.EventIDFilter,
    filters.EventNameFilter,
    filters.EventOccurredFilter,
):
    _model.model_rebuild()

_OF_A_RUN = "PREFECT__"  # variables that are no settings
_FILES = (".env", "prefect.toml", "pyproject.toml")  # of a working folder, with settings
_PASSED_ON = settings_variables()  # in Prefect's own words: False for false


def has_other_settings(environment: Mapping[str, str], folder: str) -> bool:
    """Whether Prefect's settings of a run are others than those of this process."""
    settings = {
        name: value
        for name, value in environment.items()
        if name.startswith("PREFECT_") and not name.startswith(_OF_A_RUN)
    }
    return settings != _PASSED_ON or any((Path(folder) / file).exists() for file in _FILES)
