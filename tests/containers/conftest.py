"""Installations of AdSpark as the README makes them: a folder, a `.env`, and Compose."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deployments.queue_classes import QUEUE_CLASSES
from tests.support.stack import free_port
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
FOLDERS = ("adspark", "blocks", "orchestration", "tasks", "flows", "deployments")
FILES = ("pyproject.toml", "uv.lock", "README.md", "LICENSE", "prefect.yaml", ".dockerignore")
IMAGE = "adspark:test"
USER, PASSWORD = "operator", "a-word-for-tests"
ONE_SHOT = {"configuration", "databases", "provisioning", "adspark"}
SECRETS = (
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "PREFECT_SERVER_API_AUTH_STRING",
    "ADSPARK_SERPAPI_KEY",
)
_NO_CHECK = ""  # of the health of a container without a check
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


def compose_programs() -> list[tuple[str, ...]]:
    """Compose's versions on this machine: v1, v2."""
    found: list[tuple[str, ...]] = []
    for program in (("docker-compose",), ("docker", "compose")):
        with suppress(OSError):
            if run([*program, "version"], check=False).returncode == 0:
                found.append(program)
    return found


def run(
    command: list[str], *, check: bool = True, timeout: float = 600, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; what it said is shown where it fails."""
    ours = ("ADSPARK_", "PREFECT_", "POSTGRES_", "REDIS_", "COMPOSE_")  # they would win over .env
    done = subprocess.run(
        command,
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if not name.startswith(ours)},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if check:
        assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


FLOWS = """
import asyncio, os, signal, time
from prefect import flow, task
from orchestration.limits.time_limits import time_limit

@task
@time_limit("cleanup_time_limit")
async def limited() -> None:
    time.sleep(600)

@flow(name="hungry")
async def hungry(megabytes: int = 0, seconds: float = 0.0, how: str = "") -> str:
    taken = bytearray(0)
    for _ in range(megabytes // 10):
        taken += b"1" * 10 * 2**20
    if how == "breaks":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "exits":
        print("the disk is full", flush=True)
        os._exit(3)
    if how == "hangs":
        await limited()
    await asyncio.sleep(seconds)
    return f"{len(taken) // 2**20} MB"
"""
BROKEN = "import no_such_module\n"
CODE = "/var/lib/adspark/tried"  # in the volume that each run has


@dataclass(frozen=True)
class Container:
    """A container of a service."""

    id: str
    service: str
    state: str
    health: str
    exit_code: int
    started: str
    pid: int

    @property
    def is_well(self) -> bool:
        """Whether it does its work, or has done it."""
        if self.service in ONE_SHOT:
            return self.state == "exited" and self.exit_code == 0
        return self.state == "running" and self.health in {"healthy", _NO_CHECK}


@dataclass
class Installation:
    """One of them.

    Attributes:
        program: the Compose that is used.
        options: before its command, as files and profiles.
        folder: with the compose files and `.env`.
        name: before the names of its containers, network and volumes.
    """

    program: tuple[str, ...]
    options: tuple[str, ...]
    folder: Path
    name: str
    api_port: int
    sandbox_port: int

    def compose(
        self, *arguments: str, check: bool = True, timeout: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Compose's answer to a command."""
        command = [*self.program, "-p", self.name, *self.options, *arguments]
        return run(command, cwd=self.folder, check=check, timeout=timeout)

    def adspark(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Our command, beside the running system."""
        return self.compose("run", "--rm", "-T", "adspark", *arguments, check=check)

    def containers(self) -> dict[str, Container]:
        """Those that there are, by name."""
        project = f"label=com.docker.compose.project={self.name}"
        ids = run(["docker", "ps", "-aq", "--no-trunc", "--filter", project]).stdout.split()
        return inspect(ids)

    def of(self, service: str) -> Container:
        """The container of a service of which there is one."""
        (found,) = [one for one in self.containers().values() if one.service == service]
        return found

    def until_well(self) -> None:
        """Wait until each container does its work, or has done it."""
        wait_until(lambda: all(one.is_well for one in self.containers().values()))

    def read_setting(self, name: str) -> str:
        """A variable of its `.env`."""
        lines = (self.folder / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)[name]

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401  (JSON)
        """What Prefect's API answers; it may be away for a while."""
        url = f"http://127.0.0.1:{self.api_port}/api/{path}"
        end = time.monotonic() + 120
        while True:
            try:
                method = "GET" if body is None else "POST"
                answer = httpx.request(method, url, json=body, auth=(USER, PASSWORD), timeout=30)
                answer.raise_for_status()
            except httpx.HTTPError:
                assert time.monotonic() < end
                time.sleep(0.5)
            else:
                return answer.json()

    def start(
        self,
        deployment: str,
        parameters: dict[str, Any] | None = None,
        **variables: object,
    ) -> str:
        """Have a deployment run; returns the run's id."""
        found = self.ask(f"deployments/name/{deployment}")
        body = {"parameters": parameters or {}, "job_variables": variables}
        return str(self.ask(f"deployments/{found['id']}/create_flow_run", body)["id"])

    def read_run(self, run_id: str) -> dict[str, Any]:
        """A run as the server tells it."""
        found: dict[str, Any] = self.ask(f"flow_runs/{run_id}")
        return found

    def until(self, run_id: str, *states: str) -> dict[str, Any]:
        """The run, once it is in one of these states."""
        wait_until(lambda: self.read_run(run_id)["state_type"] in states)
        return self.read_run(run_id)

    def until_ended(self, run_id: str) -> dict[str, Any]:
        """The run at its end."""
        return self.until(run_id, *FINAL)

    def messages(self, run_id: str) -> list[str]:
        """What each of a run's states said, the first one first."""
        url = f"http://127.0.0.1:{self.api_port}/api/flow_run_states/"
        answer = httpx.get(url, params={"flow_run_id": run_id}, auth=(USER, PASSWORD), timeout=30)
        states = sorted(answer.json(), key=lambda one: str(one["timestamp"]))
        return [one["message"] or "" for one in states]

    def containers_of_run(self, run_id: str) -> dict[str, Container]:
        """The run's own, while it has one."""
        wanted = f"label=io.prefect.flow-run-id={run_id}"
        return inspect(run(["docker", "ps", "-q", "--no-trunc", "--filter", wanted]).stdout.split())

    def select(self, query: str) -> list[str]:
        """Rows of AdSpark's database, columns separated by |."""
        command = ["docker", "exec", self.of("postgres").id]
        command += ["psql", "-h", "127.0.0.1", "-U", "adspark", "-d", "adspark", "-tAc", query]
        return run(command).stdout.split()

    def kill(self, container: Container) -> None:
        """SIGKILL to its first process from outside, as when memory ends: Docker does not know that
        anybody wanted it."""
        kill = f"import os; os.kill({container.pid}, 9)"
        host = ["docker", "run", "--rm", "--pid=host", "--user=root", "--entrypoint=python", IMAGE]
        run([*host, "-c", kill])


def inspect(ids: list[str]) -> dict[str, Container]:
    """What the engine knows of containers; one that goes meanwhile is left out."""
    if not ids:
        return {}
    told = run(["docker", "inspect", *ids], check=False).stdout
    return {one["Name"]: _container(one) for one in json.loads(told or "[]")}


def _container(told: dict[str, Any]) -> Container:
    state = told["State"]
    return Container(
        id=told["Id"],
        service=(told["Config"]["Labels"] or {}).get("com.docker.compose.service", ""),
        state=state["Status"],
        health=state.get("Health", {}).get("Status", ""),
        exit_code=state["ExitCode"],
        started=state["StartedAt"],
        pid=state["Pid"],
    )


def copy_source(folder: Path) -> Path:
    """The source, as a fresh clone has it."""
    for name in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    return folder


def write_settings(folder: Path, settings: dict[str, str]) -> None:
    """The `.env` of an installation."""
    lines = (f"{variable}={value}\n" for variable, value in settings.items())
    (folder / ".env").write_text("".join(lines))


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image, built from this source by Compose, once for all."""
    docker = shutil.which("docker")
    if docker is None or run([docker, "version"], check=False).returncode != 0:
        pytest.skip("no Docker engine answers")
    folder = copy_source(tmp_path_factory.mktemp("build"))
    shutil.copy(ROOT / "docker-compose.yml", folder)
    settings = {"ADSPARK_IMAGE": IMAGE} | dict.fromkeys(SECRETS, "no-secret")
    write_settings(folder, settings)
    run([*compose_programs()[0], "build", "--quiet", "configuration"], cwd=folder, timeout=900)
    return IMAGE


@pytest.fixture(scope="session")
def installations(
    image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Installation]]:
    """Makes installations; at the end nothing of them is left."""
    made: list[Installation] = []

    def make(program: tuple[str, ...], *files: str, **settings: str) -> Installation:
        folder = copy_source(tmp_path_factory.mktemp("installation"))
        name = f"adspark-test-{uuid4().hex[:6]}"
        for file in ROOT.glob("docker-compose*.yml"):
            # The volumes of development have a fixed name, so that nobody's are used here.
            text = file.read_text().replace("adspark-dev_", f"{name}_")
            (folder / file.name).write_text(text)
        options = [part for file in files for part in ("-f", file)]
        if "docker-compose.dev.yml" not in files:
            options += ["--profile", "sandbox"]
        one = Installation(program, tuple(options), folder, name, free_port(), free_port())
        values = {
            "POSTGRES_PASSWORD": uuid4().hex,
            "REDIS_PASSWORD": uuid4().hex,
            "POSTGRES_PORT": str(free_port()) if "docker-compose.dev.yml" in files else "5432",
            "PREFECT_SERVER_API_AUTH_STRING": f"{USER}:{PASSWORD}",
            "ADSPARK_STACK": name,
            "ADSPARK_IMAGE": image,
            "ADSPARK_API_PORTS": str(one.api_port),
            "ADSPARK_METRICS_PORT": str(free_port()),
            "ADSPARK_SANDBOX_PORT": str(one.sandbox_port),
            "ADSPARK_SERPAPI_KEY": "sandbox-key",
            "ADSPARK_SERPAPI_URL": "http://sandbox:4300",
            "ADSPARK_DIFY_KEY": "app-sandbox",
            "ADSPARK_DIFY_URL": "http://sandbox:4300/v1",
            "ADSPARK_TRUSTED_HOSTS": "sandbox:4300",
            "ADSPARK_SEARCHES_PER_MINUTE": "1000",
            "ADSPARK_RETRY_DELAYS": "2,4,8,16,32",
            "ADSPARK_DRAIN_TIME": "2",
            **settings,
        }
        write_settings(folder, values)
        made.append(one)
        return one

    yield make
    for one in made:
        one.compose("down", "--volumes", "--timeout", "5", check=False)
        left = run(["docker", "ps", "-aq", "--filter", f"network={one.name}"]).stdout.split()
        if left:
            run(["docker", "rm", "-f", *left])
        run(["docker", "network", "rm", one.name], check=False)


@pytest.fixture(scope="session")
def production(installations: Callable[..., Installation]) -> Installation:
    """Started from nothing, on the sandbox."""
    made = installations(compose_programs()[0], "docker-compose.yml")
    made.compose("up", "-d")
    made.until_well()
    return made


@pytest.fixture(scope="session")
def hungry(production: Installation) -> Callable[..., str]:
    """Starts a run of a flow that wants memory, or time, or ends in some way, in a pool."""
    volume = ["docker", "exec", "-i", production.of("metrics").id, "sh", "-c"]
    for name, text in (("tried.py", FLOWS), ("broken.py", BROKEN)):
        copy = [*volume, f"mkdir -p {CODE} && cat > {CODE}/{name}"]
        subprocess.run(copy, input=text, text=True, check=True)
    flow = production.ask("flows/", {"name": "hungry"})["id"]
    for pool in (one.name for one in QUEUE_CLASSES):
        for name, entrypoint in ((pool, "tried.py:hungry"), (f"broken-{pool}", "broken.py:hungry")):
            body = {
                "name": name,
                "flow_id": flow,
                "path": CODE,
                "entrypoint": entrypoint,
                "work_pool_name": pool,
                "tags": ["adspark"],
                "pull_steps": [],
                "enforce_parameter_schema": False,
            }
            production.ask("deployments/", body)

    def start(
        pool: str, *, variables: dict[str, object] | None = None, **parameters: object
    ) -> str:
        return production.start(f"hungry/{pool}", parameters, **(variables or {}))

    return start
