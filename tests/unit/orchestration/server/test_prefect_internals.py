"""What AdSpark uses of Prefect's private parts is there, and stands in one module."""

import ast
import socket
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.settings import (
    PREFECT_LOGGING_LEVEL,
    PREFECT_WORKER_WEBSERVER_HOST,
    PREFECT_WORKER_WEBSERVER_PORT,
    temporary_settings,
)
from prefect.utilities import engine
from prefect.workers.base import BaseJobConfiguration
from prefect.workers.process import ProcessWorker

from deployments.provisioning.jobs.variables import OwnJob
from orchestration.server.prefect_internals import (
    FlowRunExecutorContext,
    create_server,
    serve_health,
)

ROOT = Path(__file__).parents[4]
INTERNALS = ROOT / "orchestration" / "server" / "prefect_internals.py"
PRODUCT = ("adspark", "blocks", "orchestration", "tasks", "flows", "deployments")
# Without an underscore, and yet not for others: Prefect's server and the engine of its runs.
INSIDE = ("prefect.server", "prefect.engine", "prefect.flow_engine", "prefect.task_engine")
# Attributes that a class of Prefect's sets on its instances; others are found on the class.
WORKER = (
    "_work_pool",
    "_work_pool_name",
    "_runs_task_group",
    "_submitting_flow_run_ids",
    "_cancelling_observer",
)
METHODS = (
    "_propose_pending_state",
    "_propose_submitting_state",
    "_submit_run_and_capture_errors",
    "_record_work_pool_snapshot",
)


def private_imports(file: Path) -> Iterator[tuple[str, str]]:
    """Names that a file imports and that are Prefect's own: module and name."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("prefect"):
            for alias in node.names:
                if is_private(str(node.module), alias.name):
                    yield str(node.module), alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("prefect") and is_private(alias.name, ""):
                    yield alias.name, ""


def is_private(module: str, name: str) -> bool:
    parts = [*module.split("."), name]
    inside = any(module == one or module.startswith(f"{one}.") for one in INSIDE)
    return inside or any(part.startswith("_") for part in parts)


def attributes(file: Path) -> set[str]:
    """Attributes with an underscore that a file uses."""
    return {
        node.attr
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and node.attr.startswith("_")
    }


def gone(name: str) -> str:
    return (
        f"Prefect {version('prefect')} no longer has {name}, which "
        "orchestration/server/prefect_internals.py uses: adapt that module."
    )


@pytest.mark.parametrize(("module", "name"), sorted(private_imports(INTERNALS)))
def test_prefect_has_what_is_imported(module: str, name: str) -> None:
    try:
        found = hasattr(import_module(module), name)
    except ModuleNotFoundError:
        found = False
    assert found, gone(f"{module}.{name}")


@pytest.mark.parametrize("name", [*WORKER, *METHODS])
def test_prefects_worker_has_what_is_overridden_or_read(name: str) -> None:
    worker = ProcessWorker("default")
    assert hasattr(worker, name), gone(f"the attribute {name} of prefect.workers.base.BaseWorker")


def test_prefects_job_has_what_is_overridden() -> None:
    name = "_base_environment"
    assert hasattr(BaseJobConfiguration, name), gone(
        f"the attribute {name} of prefect.workers.base.BaseJobConfiguration"
    )


def test_a_worker_passes_on_the_settings_that_it_has_now() -> None:
    with temporary_settings({PREFECT_LOGGING_LEVEL: "ERROR"}):
        assert OwnJob()._base_environment() == BaseJobConfiguration()._base_environment()
        assert OwnJob()._base_environment()["PREFECT_LOGGING_LEVEL"] == "ERROR"
    with temporary_settings({PREFECT_LOGGING_LEVEL: "WARNING"}):
        assert OwnJob()._base_environment()["PREFECT_LOGGING_LEVEL"] == "WARNING"


def test_prefects_executor_has_what_is_replaced() -> None:
    name = "_state_proposer"
    assert name in attributes(
        Path(str(import_module(FlowRunExecutorContext.__module__).__file__))
    ), gone(f"the attribute {name} of {FlowRunExecutorContext.__module__}")


def test_prefects_handler_of_sigterm_is_replaced() -> None:
    name = "_prefect_sigterm_handler"
    assert hasattr(engine, name), gone(f"prefect.utilities.engine.{name}")


def test_all_private_attributes_are_in_the_table() -> None:
    own = {"_record", "__init__"}
    of_prefect = {*WORKER, *METHODS[1:], "_state_proposer", "_prefect_sigterm_handler"}
    assert attributes(INTERNALS) - own == of_prefect


def test_no_other_module_uses_anything_of_it() -> None:
    files = [one for name in PRODUCT for one in sorted((ROOT / name).rglob("*.py"))]
    assert len(files) > 300
    elsewhere = [
        f"{file.relative_to(ROOT)}: {'.'.join(found)}"
        for file in files
        if file != INTERNALS
        for found in private_imports(file)
    ]
    assert elsewhere == [], "import it in orchestration/server/prefect_internals.py"
    of_worker = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in files
        if file != INTERNALS
        for name in attributes(file) & {*WORKER, *METHODS, "_base_environment"}
    }
    assert of_worker == set(), "use orchestration.server.prefect_internals.WorkerHooks"


def test_a_worker_answers_whether_it_is_healthy(unused_tcp_port: int) -> None:
    health = [True]
    address = f"http://127.0.0.1:{unused_tcp_port}"
    settings = {
        PREFECT_WORKER_WEBSERVER_HOST: "127.0.0.1",
        PREFECT_WORKER_WEBSERVER_PORT: unused_tcp_port,
    }
    patient = httpx.HTTPTransport(retries=8)  # until it listens
    with (
        temporary_settings(settings),
        serve_health(lambda: health[0]),
        httpx.Client(base_url=address, transport=patient) as client,
    ):
        assert client.get("/health").status_code == 200
        health[0] = False
        assert client.get("/health").status_code == 503


@pytest.mark.parametrize("error", [ConnectionRefusedError, socket.gaierror, TimeoutError])
async def test_a_server_that_cannot_connect_to_its_database_has_clients_retry(
    error: type[OSError],
) -> None:
    async def fail() -> None:
        raise error

    app: Any = create_server(has_services=False)
    app.api_app.add_api_route(f"/{error.__name__}", fail)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        response = await client.get(f"/api/{error.__name__}")
    assert response.status_code == 503
