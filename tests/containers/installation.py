"""An installation of AdSpark as the README makes it: a folder, a `.env`, and Compose."""

import json
import os
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

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
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
PAUSE = 0.5  # seconds between two looks: each costs those who are waited for some of the processor
_NO_CHECK = ""  # of the health of a container without a check


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
    is_used: bool = False
    client: httpx.Client = field(
        default_factory=lambda: httpx.Client(auth=(USER, PASSWORD), timeout=30), repr=False
    )

    def compose(
        self, *arguments: str, check: bool = True, timeout: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Compose's answer to a command."""
        self.is_used |= arguments[0] == "up"
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
        wait_until(lambda: all(one.is_well for one in self.containers().values()), pause=PAUSE)

    def read_settings(self) -> dict[str, str]:
        """The variables of its `.env`."""
        lines = (self.folder / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def write_settings(self, **settings: str) -> None:
        """Set variables in its `.env`."""
        write_settings(self.folder, self.read_settings() | settings)

    def remove(self) -> None:
        """Leave nothing of it, of its volumes and of its runs."""
        self.client.close()
        if not self.is_used:
            return
        self.compose("down", "--volumes", "--timeout", "5", check=False)
        for network in (f"{self.name}-runs", self.name):
            left = run(["docker", "ps", "-aq", "--filter", f"network={network}"]).stdout.split()
            if left:
                run(["docker", "rm", "-f", *left])
            run(["docker", "network", "rm", network], check=False)

    def ask(self, path: str, body: dict[str, Any] | None = None, **params: str) -> Any:  # noqa: ANN401  (JSON)
        """What Prefect's API answers; it may be away for a while."""
        url = f"http://127.0.0.1:{self.api_port}/api/{path}"
        end = time.monotonic() + 120
        while True:
            try:
                method = "GET" if body is None else "POST"
                answer = self.client.request(method, url, json=body, params=params)
                answer.raise_for_status()
            except httpx.HTTPError:
                assert time.monotonic() < end
                time.sleep(PAUSE)
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
        wait_until(lambda: self.read_run(run_id)["state_type"] in states, pause=PAUSE)
        return self.read_run(run_id)

    def until_ended(self, run_id: str) -> dict[str, Any]:
        """The run at its end."""
        return self.until(run_id, *FINAL)

    def messages(self, run_id: str) -> list[str]:
        """What each of a run's states said, the first one first."""
        states = self.ask("flow_run_states/", flow_run_id=run_id)
        ordered = sorted(states, key=lambda one: str(one["timestamp"]))
        return [one["message"] or "" for one in ordered]

    def cancel(self, run_id: str) -> dict[str, Any]:
        """Have a run cancelled; returns it at its end."""
        self.ask(f"flow_runs/{run_id}/set_state", {"state": {"type": "CANCELLING"}})
        return self.until_ended(run_id)

    def containers_of_run(self, run_id: str) -> dict[str, Container]:
        """The run's own, while it has one."""
        wanted = f"label=io.prefect.flow-run-id={run_id}"
        return inspect(run(["docker", "ps", "-q", "--no-trunc", "--filter", wanted]).stdout.split())

    def select(self, query: str) -> list[str]:
        """Rows of AdSpark's database, columns separated by |."""
        command = ["docker", "exec", self.of("postgres").id]
        command += ["psql", "-h", "127.0.0.1", "-U", "adspark", "-d", "adspark", "-tAc", query]
        return run(command).stdout.split()

    def kill(self, *containers: Container) -> None:
        """SIGKILL to their first processes from outside, as when memory ends: Docker does not know
        that anybody wanted it."""
        kill = "; ".join(["import os", *(f"os.kill({one.pid}, 9)" for one in containers)])
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
