"""A run cannot choose its command or surroundings: neither by job variables of its own, nor by
those of its deployment, nor by what the job template of its pool says."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import FlowRun, State, WorkPool
from prefect.workers.process import ProcessWorker
from prefect_docker.worker import DockerWorker

from adspark.settings import get_settings
from deployments.execution.fork import ENGINE
from deployments.provisioning.jobs.container import ContainerJob
from deployments.provisioning.jobs.variables import ENVIRONMENT, find_refusal
from deployments.worker.process_worker import ProcessJob, ProcessPoolWorker

FLOW = """
from pathlib import Path
from prefect import flow

@flow(name="harmless")
async def harmless() -> None:
    pass
"""
SHELL = "prefect.deployments.steps.run_shell_script"
SETTINGS = {
    "ADSPARK_POOL_TYPE": "docker",
    "ADSPARK_RUN_IMAGE": "adspark:ours",
    "ADSPARK_RUN_NETWORK": "ours-runs",
    "ADSPARK_RUN_VOLUME": "ours_data",
    "ADSPARK_HOME": "/var/lib/adspark",
    "ADSPARK_MEDIA_URL": "s3://key:word@bucket/folder",
}
# What Prefect or its template would take for a container, each with what it would be good for.
HOSTILE: dict[str, Any] = {
    "command": "sh -c 'touch /host/owned'",
    "image": "somebody/else:1",
    "image_pull_policy": "Always",
    "registry_credentials": {"username": "a", "password": "b", "registry_url": "evil.example"},
    "volumes": ["/:/host"],
    "privileged": True,
    "network_mode": "host",
    "networks": ["ours"],
    "mem_limit": "64g",
    "memswap_limit": "-1",
    "auto_remove": True,
    "stream_output": False,
    "labels": {"com.docker.compose.project": "ours"},
    "name": "api",
    "container_create_kwargs": {"cap_add": ["SYS_ADMIN"], "user": "root", "pid_mode": "host"},
    # Nothing of Prefect's: what a changed template could map to any of them.
    "ports": {"22/tcp": 22},
    "mounts": [{"source": "/", "target": "/host"}],
    "user": "root",
    "cap_add": ["ALL"],
    "devices": ["/dev/kmsg"],
    "working_dir": "{{ prefect.variables.theirs }}",
}
ENVIRONMENTS: list[dict[str, Any]] = [
    {"env": {"LD_PRELOAD": "/tmp/evil.so"}},
    {"env": {"PYTHONPATH": "/tmp"}},
    {"env.PYTHONPATH": "/tmp"},
    {"env": {"ADSPARK_BROWSER": "/bin/sh"}},
    {"env": {"ADSPARK_BROWSER_SANDBOX": "false"}},
    {"env": {"PREFECT_API_URL": "http://evil.example/api"}},
    {"env": {"PREFECT_LOGGING_SETTINGS_PATH": "/tmp/evil.yml"}},
    {"env": {"PATH": None}},
    {"env": "LD_PRELOAD=/tmp/evil.so"},
    {"env.ADSPARK_TOO_CLOSE.LD_PRELOAD": "/tmp/evil.so"},
    {"volumes.ADSPARK_TOO_CLOSE": "1"},
]


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    async with get_client() as opened:
        yield opened


@pytest.fixture
async def pool(client: PrefectClient) -> AsyncIterator[WorkPool]:
    """A pool with the template that Prefect gives to it, of no use to anybody else."""
    template = ProcessWorker.get_default_base_job_template()
    name = f"pool-{uuid4().hex[:8]}"
    made = WorkPoolCreate(name=name, type="process", base_job_template=template)
    yield await client.create_work_pool(made)
    await client.delete_work_pool(name)


@pytest.fixture
def of_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of a worker whose runs are containers."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()


@pytest.fixture(autouse=True)
def settings_of_each() -> Any:  # noqa: ANN401  (a fixture of its own)
    yield
    get_settings.cache_clear()


async def make_run(
    client: PrefectClient,
    pool: WorkPool,
    folder: Path,
    *,
    run: dict[str, Any] | None = None,
    deployment: dict[str, Any] | None = None,
    steps: list[dict[str, Any]] | None = None,
) -> FlowRun:
    """A run that waits in a pool, with job variables of its own and of its deployment."""
    (folder / "harmless.py").write_text(FLOW)
    made = await client.create_deployment(
        await client.create_flow_from_name("harmless"),
        f"harmless-{uuid4().hex[:8]}",
        work_pool_name=pool.name,
        path=str(folder),
        entrypoint="harmless.py:harmless",
        job_variables=deployment,
        pull_steps=steps,
        enforce_parameter_schema=False,
    )
    return await client.create_flow_run_from_deployment(made, job_variables=run)


async def work(client: PrefectClient, pool: WorkPool, run: FlowRun) -> State:
    """How a run ends that a worker of ours takes."""
    await ProcessPoolWorker(pool.name, name="tried").start(run_once=True)
    state = (await client.read_flow_run(run.id)).state
    assert state is not None
    return state


@pytest.mark.parametrize("place", ["run", "deployment"])
async def test_a_command_that_a_worker_does_not_know_is_refused(
    client: PrefectClient, pool: WorkPool, tmp_path: Path, place: str
) -> None:
    asked = {place: {"command": f"touch {tmp_path}/owned"}}
    run = await make_run(client, pool, tmp_path, **asked)  # type: ignore[arg-type]
    state = await work(client, pool, run)
    assert not (tmp_path / "owned").exists()
    assert (state.type.value, state.message) == (
        "FAILED",
        "command: not for a run to choose, its worker's settings say it; remove it from "
        f"{'the run' if place == 'run' else 'its deployment'}'s job variables.",
    )


@pytest.mark.parametrize(
    "asked",
    [
        {"x" * 5000: 1},
        {"env": {"Y" * 5000: "1"}},
        {f"{number}{'z' * 5000}": 1 for number in range(100)},
        {f"{number}\n\x1b[31m{'é' * 5000}": 1 for number in range(100)},
    ],
)
def test_names_without_an_end_leave_room_for_the_remedy(asked: dict[str, Any]) -> None:
    told = find_refusal({"the run's job variables": asked}, {}) or ""
    names, _, remedy = told.partition("…: not for a run to choose")
    assert remedy == ", its worker's settings say it; remove it from the run's job variables."
    assert "\x1b" not in told
    assert max(map(len, names.split(", "))) <= 61


@pytest.mark.parametrize("place", ["variables", "job_configuration"])
async def test_a_pools_template_cannot_give_a_command_either(
    client: PrefectClient, pool: WorkPool, tmp_path: Path, place: str
) -> None:
    template = ProcessWorker.get_default_base_job_template()
    command = f"touch {tmp_path}/owned"
    if place == "variables":
        template["variables"]["properties"]["command"]["default"] = command
    else:
        template["job_configuration"]["command"] = command
    await client.update_work_pool(pool.name, WorkPoolUpdate(base_job_template=template))
    state = await work(client, pool, await make_run(client, pool, tmp_path))
    assert not (tmp_path / "owned").exists()
    assert state.is_failed()
    assert (state.message or "").startswith("command: ")
    assert (state.message or "").endswith(f"from the job template of the pool {pool.name}.")


async def test_a_pull_step_that_is_a_command_is_refused(
    client: PrefectClient, pool: WorkPool, tmp_path: Path
) -> None:
    steps = [{SHELL: {"script": f"touch {tmp_path}/owned"}}]
    run = await make_run(client, pool, tmp_path, steps=steps)
    state = await work(client, pool, run)
    assert not (tmp_path / "owned").exists()
    assert state.is_failed()
    assert (state.message or "").startswith(f"pull_steps: {SHELL} is not for a run to choose; ")
    assert run.deployment_id is not None
    deployment = await client.read_deployment(run.deployment_id)
    deployment.pull_steps = [{"s" * 5000: {}}]
    job = await ProcessJob.resolve_for_flow_run(
        run, client=client, deployment=deployment, work_pool=pool, worker_name="tried"
    )
    assert (job.refusal or "").endswith("set_working_directory, without `requires`.")


async def test_what_says_the_same_as_the_worker_and_known_names_are_taken(
    client: PrefectClient, pool: WorkPool, tmp_path: Path
) -> None:
    run = await make_run(
        client,
        pool,
        tmp_path,
        deployment={"command": ENGINE, "working_dir": None, "labels": {}},
        run={"env": {"ADSPARK_RENDER_SCALE": "2"}, "env.PREFECT_LOGGING_LEVEL": "DEBUG"},
        steps=[{"prefect.deployments.steps.set_working_directory": {"directory": str(tmp_path)}}],
    )
    job = await ProcessJob.resolve_for_flow_run(
        run, client=client, work_pool=pool, worker_name="tried"
    )
    assert (job.refusal, job.command) == (None, ENGINE)
    assert (job.env["ADSPARK_RENDER_SCALE"], job.env["PREFECT_LOGGING_LEVEL"]) == ("2", "DEBUG")
    assert (await work(client, pool, run)).is_completed()


async def test_a_variable_that_could_bring_code_or_another_server_is_refused(
    client: PrefectClient, pool: WorkPool, tmp_path: Path
) -> None:
    run = await make_run(client, pool, tmp_path)
    for asked in ENVIRONMENTS:
        run.job_variables = asked
        job = await ProcessJob.resolve_for_flow_run(
            run, client=client, work_pool=pool, worker_name="tried"
        )
        (name,) = asked
        inner = f".{next(iter(asked[name]))}" if isinstance(asked[name], dict) else ""
        assert (job.refusal or "").startswith(f"{name}{inner}: not for a run to choose")
        assert "/tmp/evil.so" not in job.env.values()
        assert job.env.get("PYTHONPATH") != "/tmp"


@pytest.mark.usefixtures("of_containers")
@pytest.mark.parametrize("place", ["run", "deployment", "template", "fixed in the template"])
async def test_a_container_is_what_its_workers_settings_say(
    client: PrefectClient, tmp_path: Path, pool: WorkPool, place: str
) -> None:
    run = await make_run(client, pool, tmp_path)
    assert run.deployment_id is not None
    deployment = await client.read_deployment(run.deployment_id)
    for name, value in HOSTILE.items():
        template = DockerWorker.get_default_base_job_template()
        if place == "template":
            template["variables"]["properties"].setdefault(name, {})["default"] = value
        if place == "fixed in the template":
            template["job_configuration"][name] = value
        run.job_variables = {name: value} if place == "run" else None
        deployment.job_variables = {name: value} if place == "deployment" else {}
        docker_pool = pool.model_copy(update={"base_job_template": template, "name": "data-fetch"})
        job = await ContainerJob.resolve_for_flow_run(
            run, client=client, work_pool=docker_pool, worker_name="tried", deployment=deployment
        )
        assert (job.refusal or "").startswith(f"{name}: not for a run to choose"), name
        assert "\n" not in (job.refusal or "")
        check_is_ours(job, run)


def check_is_ours(job: ContainerJob, run: FlowRun) -> None:
    """Whatever was asked for, nothing of it is in what Docker is told."""
    assert (job.command, job.image) == (
        "python -m deployments.execution.in_container",
        "adspark:ours",
    )
    assert (job.networks, job.volumes) == (["ours-runs"], ["ours_data:/var/lib/adspark"])
    assert (job.network_mode, job.privileged, job.auto_remove) == (None, False, False)
    assert (job.mem_limit, job.memswap_limit) == ("1024m", "1024m")
    assert job.name == f"adspark-run-{run.id}"
    assert not any(one.startswith("com.docker.compose") for one in job.labels)
    kwargs = job.container_create_kwargs or {}
    assert (kwargs["user"], kwargs["cap_drop"], kwargs["read_only"]) == ("adspark", ["ALL"], True)
    assert not kwargs.keys() & {"cap_add", "pid_mode", "ports", "mounts", "devices"}
    assert job.env["ADSPARK_MEDIA_URL"] == SETTINGS["ADSPARK_MEDIA_URL"]


@pytest.mark.usefixtures("of_containers")
async def test_a_worker_can_be_told_to_give_its_runs_more_memory(
    client: PrefectClient, tmp_path: Path, pool: WorkPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADSPARK_RUN_MEMORY", "4096")
    get_settings.cache_clear()
    job = await ContainerJob.resolve_for_flow_run(
        await make_run(client, pool, tmp_path), client=client, work_pool=pool, worker_name="tried"
    )
    assert (job.refusal, job.mem_limit, job.memswap_limit) == (None, "4096m", "4096m")


@pytest.mark.usefixtures("of_containers")
async def test_all_that_is_refused_is_named_in_one_line(
    client: PrefectClient, tmp_path: Path, pool: WorkPool
) -> None:
    run = await make_run(client, pool, tmp_path)
    run.job_variables = {"privileged": True, "volumes": ["/:/host"], "evil\n\x1b[31m": 1}
    job = await ContainerJob.resolve_for_flow_run(
        run, client=client, work_pool=pool, worker_name="tried"
    )
    assert (job.refusal or "").startswith("evil [31m, privileged, volumes: not for a run to choose")


def test_what_a_run_may_set_are_settings_that_are_numbers() -> None:
    fields = type(get_settings()).model_fields
    for name in ENVIRONMENT - {"PREFECT_LOGGING_LEVEL"}:
        field = fields[name.removeprefix("ADSPARK_").lower()]
        value = field.get_default(call_default_factory=True, validated_data={})
        assert isinstance(value, int | float | tuple), name
        assert not isinstance(value, bool), name
