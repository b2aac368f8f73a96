"""Death, limits and stopping: no run stays behind, its work is done, and nothing else is hurt."""

import asyncio
import importlib.util
import itertools
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from prefect import Flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.events import AutomationCore, Event, EventTrigger
from prefect.events.clients import EventsClient, get_events_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Completed, Pending, Running, Submitting
from prefect.utilities.callables import parameter_schema

from adspark.home.running_stack import StackState
from orchestration.runs.lost_runs import TAG
from orchestration.runs.requeue import SILENT
from tests.support import asking
from tests.support.stack import Stack
from tests.support.waiting import wait_until

FLOW = """
import asyncio, os, subprocess, sys, time
from pathlib import Path
import psutil
from prefect import flow, task
from orchestration.limits.time_limits import time_limit

@task
@time_limit("cleanup_time_limit")
async def limited(folder: str, how: str) -> None:
    if how == "blocks":
        time.sleep(120)
    try:
        await asyncio.sleep(120)
    finally:
        Path(folder, "tidied").touch()

@flow(name="tried")
async def tried(
    folder: str, seconds: float = 0.0, how: str = "sleeps", child: bool = False, waits: bool = False
) -> str:
    if "PREFECT__FLOW_RUN_ID" in psutil.Process().environ():  # it began with it
        Path(folder, "own-interpreter").touch()
    Path(folder, "main").write_text(getattr(sys.modules["__main__"], "__file__", "none"))
    if child:
        subprocess.Popen(["sleep", "600"], start_new_session=True)
    Path(folder, f"begun-{time.time_ns()}").write_text(str(os.getppid()))
    if how != "sleeps":
        await limited(folder, how)
    await asyncio.sleep(seconds)
    while waits and not Path(folder, "may-end").exists():
        await asyncio.sleep(0.05)
    Path(folder, "done").write_text(str(time.time_ns()))
    return os.environ.get("ADSPARK_RENDER_SCALE", "")
"""
HEARTBEAT = "prefect.flow-run.heartbeat"
FOREIGN = "it is another project's, without heartbeats"
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


@dataclass
class Run:
    """A run of the flow, and what it leaves in its folder."""

    api_url: str
    id: str
    folder: Path

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = asking.get(f"{self.api_url}/flow_runs/{self.id}").json()
        return found

    def begun(self) -> list[int]:
        """The parent of each of its processes, in their order."""
        return [int(one.read_text() or 0) for one in sorted(self.folder.glob("begun-*"))]

    def span(self) -> tuple[int, int]:
        """When its flow began for the last time and when it ended, in nanoseconds."""
        begun = max(int(one.name.removeprefix("begun-")) for one in self.folder.glob("begun-*"))
        return begun, int((self.folder / "done").read_text())

    def until_begun(self, times: int = 1) -> "Run":
        wait_until(lambda: len(self.begun()) >= times)
        return self

    def let_end(self) -> None:
        """Let a run end that waits for it."""
        (self.folder / "may-end").touch()

    def until_ended(self) -> dict[str, Any]:
        """As it is at its end, once the server is there to tell."""

        def ended() -> bool:
            with suppress(httpx.HTTPError, KeyError, ValueError):
                return self.read()["state_type"] in FINAL
            return False

        wait_until(ended)
        return self.read()

    def process(self) -> psutil.Process:
        wait_until(lambda: self.read()["infrastructure_pid"] is not None)
        return psutil.Process(int(self.read()["infrastructure_pid"].split(":")[1]))

    def leftovers(self) -> list[psutil.Process]:
        """What it has started and what still runs."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("PREFECT__FLOW_RUN_ID") == self.id:
                    found.append(process)
        return found


@dataclass
class Place:
    """A stack with a flow of one's own, deployed to each pool."""

    stack: Stack
    deployments: dict[str, str]
    folders: Iterator[Path]

    def start(
        self, pool: str = "default", *, variables: dict[str, Any] | None = None, **given: object
    ) -> Run:
        """Have the flow run."""
        folder = next(self.folders)
        folder.mkdir()
        url = f"{self.stack.api_url}/deployments/{self.deployments[pool]}/create_flow_run"
        body = {"parameters": {"folder": str(folder), **given}, "job_variables": variables or {}}
        return Run(self.stack.api_url, asking.post(url, json=body).json()["id"], folder)

    def part(self, name: str) -> psutil.Process:
        """The process of a part of the stack."""

        def find() -> psutil.Process | None:
            path = self.stack.home / "stack.json"
            return StackState.model_validate_json(path.read_text()).parts[name].find()

        wait_until(lambda: find() is not None)
        found = find()
        assert found is not None
        return found

    def postgres(self) -> psutil.Process:
        path = self.stack.home / "sandbox" / "postgres" / "data" / "postmaster.pid"
        return psutil.Process(int(path.read_text().split()[0]))


@pytest.fixture(scope="module")
def place(stack: Stack) -> Place:
    """The flow, deployed."""
    file = stack.home / "code" / "tried.py"
    file.parent.mkdir()
    file.write_text(FLOW)
    spec = importlib.util.spec_from_file_location("tried", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    async def deploy() -> dict[str, str]:
        async with get_client() as client:
            flow_id = await client.create_flow(module.tried)
            return {
                pool: str(
                    await client.create_deployment(
                        flow_id,
                        f"tried-{pool}",
                        work_pool_name=pool,
                        path=str(file.parent),
                        entrypoint="tried.py:tried",
                        parameter_openapi_schema=parameter_schema(module.tried).model_dump(),
                    )
                )
                for pool in ("default", "data-fetch", "maintenance")
            }

    with temporary_settings({PREFECT_API_URL: stack.api_url}):
        deployments = asyncio.run(deploy())
    return Place(stack, deployments, (stack.home / f"run-{n}" for n in itertools.count()))


def test_runs_share_what_is_imported_and_one_with_its_own_environment_shares_nothing(
    place: Place,
) -> None:
    first, second = place.start(), place.start()
    other = place.start("data-fetch", variables={"env": {"ADSPARK_RENDER_SCALE": "2"}})
    for run in (first, second, other):
        assert run.until_ended()["state_type"] == "COMPLETED"
    assert first.begun() == second.begun()
    own = [(run.folder / "own-interpreter").exists() for run in (first, second, other)]
    assert own == [False, False, True]
    assert {(run.folder / "main").read_text() for run in (first, second)} == {"none"}


def test_a_pool_carries_out_as_many_runs_at_once_as_its_slots(place: Place) -> None:
    runs = [place.start("maintenance", seconds=1.0) for _ in range(3)]
    for run in runs:
        run.until_ended()
    spans = sorted(run.span() for run in runs)
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans)), spans


def test_past_its_time_a_run_may_tidy_up_and_is_killed_with_its_children_if_it_hangs(
    place: Place,
) -> None:
    tidy = place.start(how="overruns", child=True)
    hanging = place.start(how="blocks", child=True)
    neighbour = place.start("data-fetch", seconds=6.0)
    ended = tidy.until_ended()
    assert (ended["state_name"], (tidy.folder / "tidied").exists()) == ("TimedOut", True)
    ended = hanging.until_ended()
    assert ended["state_name"] == "TimedOut"
    assert (
        "had not ended 2 s after its time limit of 4 s, and was killed"
        in (ended["state"]["message"])
    )
    wait_until(lambda: not hanging.leftovers() + tidy.leftovers())
    assert neighbour.until_ended()["state_type"] == "COMPLETED"


def test_a_cancelled_run_is_gone_with_its_children(place: Place) -> None:
    run = place.start(seconds=600, child=True).until_begun()
    assert run.leftovers()
    body = {"state": {"type": "CANCELLING"}}
    asking.post(f"{run.api_url}/flow_runs/{run.id}/set_state", json=body).raise_for_status()
    assert run.until_ended()["state_type"] == "CANCELLED"
    wait_until(lambda: not run.leftovers())


def test_killed_workers_cost_nothing_and_a_killed_run_is_run_again(place: Place) -> None:
    kept = place.start("data-fetch", waits=True).until_begun()
    lost = place.start("default", waits=True, child=True).until_begun()
    process = lost.process()
    for victim in (place.part("workers"), process):
        victim.kill()
    kept.let_end()
    lost.let_end()
    again = lost.until_ended()
    assert (again["state_type"], again["run_count"], len(lost.begun())) == ("COMPLETED", 2, 2)
    alone = kept.until_ended()
    assert (alone["state_type"], alone["run_count"], len(kept.begun())) == ("COMPLETED", 1, 1)
    wait_until(lambda: not lost.leftovers())


def test_a_second_worker_of_a_name_is_refused_and_the_first_ones_runs_go_on(place: Place) -> None:
    run = place.start("data-fetch", waits=True).until_begun()
    first = place.part("workers").pid
    refused = place.stack.adspark("worker", "data-fetch")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(
        f"Error: Process {first} of this host is the worker data-fetch-"
    )
    assert refused.stderr.endswith("; stop it, or give this one another name: --name\n")
    run.let_end()
    ended = run.until_ended()
    assert (ended["state_type"], ended["run_count"]) == ("COMPLETED", 1)


def test_a_run_outlives_the_server_and_the_database(place: Place) -> None:
    run = place.start(waits=True).until_begun()
    postgres = place.postgres()
    place.part("prefect server").kill()
    for process in [*postgres.children(), postgres]:
        with suppress(
            psutil.NoSuchProcess
        ):  # with one of them, or a client, others go by themselves
            process.kill()
    run.let_end()
    ended = run.until_ended()
    assert (ended["state_type"], ended["run_count"]) == ("COMPLETED", 1)
    late = place.start("maintenance")
    assert late.until_ended()["state_type"] == "COMPLETED"


def test_a_worker_told_to_stop_lets_runs_end_and_hands_back_what_takes_too_long(
    place: Place,
) -> None:
    short = place.start(waits=True).until_begun()
    long = place.start(waits=True, child=True).until_begun()
    place.part("workers").send_signal(signal.SIGTERM)
    short.let_end()
    ended = short.until_ended()
    assert (ended["state_type"], ended["run_count"]) == ("COMPLETED", 1)
    long.until_begun(times=2).let_end()
    again = long.until_ended()
    assert (again["state_type"], again["run_count"]) == ("COMPLETED", 2)
    states = asking.get(f"{long.api_url}/flow_run_states/", params={"flow_run_id": long.id}).json()
    told = [one["message"] or "" for one in states if one["name"] == "AwaitingRetry"]
    assert [one.endswith("was stopped. It is requeued.") for one in told] == [True]


def test_a_run_that_cannot_begin_fails_at_once_and_status_tells_it(place: Place) -> None:
    url = f"{place.stack.api_url}/deployments/{place.deployments['maintenance']}"
    open_door = {"enforce_parameter_schema": False}
    asking.patch(url, json=open_door).raise_for_status()
    told = {}
    for variables in (
        {},
        {"env": {"ADSPARK_RENDER_SCALE": "2"}},
    ):  # forked, and in an interpreter of its own
        body = {"parameters": {"colour": "red"}, "job_variables": variables}
        run_id = asking.post(f"{url}/create_flow_run", json=body).json()["id"]
        ended = Run(place.stack.api_url, run_id, place.stack.home).until_ended()
        assert (ended["state_type"], ended["run_count"]) == ("FAILED", 0)
        told[run_id] = ended["state"]["message"]
    assert set(told.values()) == {
        "colour: tried has no such parameter; it has folder, seconds, how, child, waits.\n"
        "folder: is missing."
    }
    status = place.stack.adspark("status")
    assert status.returncode == 1
    assert "2 runs of tried could not begin: colour: tried has no such parameter" in status.stdout
    assert "Everything is well" not in status.stdout
    for run_id in told:
        params = {"flow_run_id": run_id}
        states = asking.get(f"{place.stack.api_url}/flow_run_states/", params=params).json()
        assert [one["name"] for one in states].count("Pending") == 1
    place.start("maintenance").until_ended()
    assert "could not begin" not in place.stack.adspark("status").stdout


def test_the_server_itself_ends_a_run_of_which_nothing_is_heard_and_no_other(place: Place) -> None:
    left: dict[str, list[State | str]] = {
        "it ended": [Pending(), Running(), HEARTBEAT, Completed()],
        "it goes on": [Pending(), Running(), HEARTBEAT],
        "it was killed": [Pending(), Running(), HEARTBEAT],
        "it was killed at once": [Pending(), Running()],
        "it did not begin": [Pending()],
        "its container did not begin": [Pending(), Submitting()],
        FOREIGN: [Pending(), Running()],
    }
    dead = set(left) - {"it ended", "it goes on", FOREIGN}

    async def leave_runs() -> dict[str, tuple[str | None, str | None]]:
        async with get_client() as client, get_events_client() as events:
            name = "adspark: a run gives no sign of life"
            (found,) = await client.read_automations_by_name(name)
            assert isinstance(found.trigger, EventTrigger)
            found.trigger.within = timedelta(seconds=30)  # more than a busy machine is silent
            changed = AutomationCore(**found.model_dump(exclude={"id", "owner_resource"}))
            await client.update_automation(found.id, changed)
            flow = Flow(lambda: None, name="nobody-runs-it")
            runs = {
                one: await client.create_flow_run(flow, tags=[] if one == FOREIGN else [TAG])
                for one in left
            }
            living = asyncio.create_task(go_on(events, runs["it goes on"]))
            for one, happened in left.items():
                for state in happened:
                    if isinstance(state, str):
                        await events.emit(beat(runs[one]))
                    else:
                        await client.set_flow_run_state(runs[one].id, state, force=True)
            while True:
                ends = {one: await read_state(client, run) for one, run in runs.items()}
                assert not living.done(), living.exception()
                if all(ends[one][0] == "Crashed" for one in dead):
                    living.cancel()
                    return ends
                await asyncio.sleep(1)

    async def go_on(events: EventsClient, run: FlowRun) -> None:
        while True:
            await events.emit(beat(run))
            await asyncio.sleep(1)

    def beat(run: FlowRun) -> Event:
        flow = {
            "prefect.resource.id": f"prefect.flow.{run.flow_id}",
            "prefect.resource.role": "flow",
            "prefect.resource.name": "nobody-runs-it",
        }
        ours = {"prefect.resource.id": f"prefect.tag.{TAG}", "prefect.resource.role": "tag"}
        return Event.model_validate(
            {
                "event": HEARTBEAT,
                "resource": {"prefect.resource.id": f"prefect.flow-run.{run.id}"},
                "related": [flow, ours],
            }
        )

    async def read_state(client: PrefectClient, run: FlowRun) -> tuple[str | None, str | None]:
        state = (await client.read_flow_run(run.id)).state
        return (state.name, state.message) if state else (None, None)

    with temporary_settings({PREFECT_API_URL: place.stack.api_url}):
        ends = asyncio.run(leave_runs())
    assert ends == dict.fromkeys(dead, ("Crashed", SILENT)) | {
        "it ended": ("Completed", None),
        "it goes on": ("Running", None),
        FOREIGN: ("Running", None),
    }
