"""docker-compose.yml, from nothing to its end: started, used, killed part by part, taken down."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from benchmarks.ports import free_port
from deployments.queue_classes import QUEUE_CLASSES
from orchestration.runs.requeue import SILENT
from tests.containers.hungry_flow import HungryFlow
from tests.containers.installation import (
    ONE_SHOT,
    PASSWORD,
    PAUSE,
    SECRETS,
    USER,
    Container,
    Installation,
    compose_programs,
    run,
)
from tests.support import asking
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

PAGE = 10
# What is killed, at once, while ads of a recorded advertiser are fetched; how many there are of it.
VICTIMS = {
    "postgres": (("postgres",), "AR01566006373894848513", 40),
    "redis": (("redis",), "AR13494478831020408833", 40),
    "api": (("api",), "AR10871259591425916929", 40),
    "services": (("services",), "AR03556834903704207361", 40),
    "the run's worker": (("worker-data-fetch",), "AR17137590075693989889", 24),
    "the other workers": (
        ("worker-default", "worker-ai-generation", "worker-maintenance"),
        "AR02261580089873399809",
        24,
    ),
    "sandbox and metrics": (("sandbox", "metrics"), "AR12707166228507000833", 23),
    "the run's own": ((), "AR01614014350098432001", 41),
}


def lasting(installation: Installation) -> dict[str, Container]:
    """Its containers that stay up."""
    found = installation.containers()
    return {name: one for name, one in found.items() if one.service not in ONE_SHOT}


@pytest.mark.parametrize("program", compose_programs(), ids=" ".join)
def test_each_compose_reads_every_file_and_builds_the_same_image(
    installations: Callable[..., Installation], image: str, program: tuple[str, ...]
) -> None:
    new = f"adspark-new:{uuid4().hex[:6]}"
    made = installations(program, ADSPARK_IMAGE=new)
    for files in (
        "docker-compose.yml",
        "docker-compose.yml:docker-compose.process.yml",
        "docker-compose.yml:docker-compose.hosts.yml",
        "docker-compose.dev.yml",
    ):
        made.write_settings(COMPOSE_FILE=files)
        made.compose("config", "-q")
    made.write_settings(COMPOSE_FILE="docker-compose.yml")
    made.compose("build", "configuration")
    layers = ["docker", "inspect", "--format", "{{.RootFS.Layers}}"]
    assert run([*layers, new]).stdout == run([*layers, image]).stdout
    run(["docker", "rmi", new])


@pytest.mark.parametrize("program", compose_programs(), ids=" ".join)
def test_without_a_secret_nothing_starts_and_it_is_named(
    installations: Callable[..., Installation], program: tuple[str, ...]
) -> None:
    made = installations(program, "docker-compose.yml")
    complete = made.read_settings()
    for name in SECRETS:
        made.write_settings(**complete | {name: ""})
        started = made.compose("up", "-d", check=False)
        assert started.returncode != 0
        assert f"{name} is missing in .env; " in started.stderr
        assert made.containers() == {}


def test_with_a_placeholder_nothing_but_the_check_starts_and_it_is_named(
    installations: Callable[..., Installation],
) -> None:
    made = installations(compose_programs()[0], "docker-compose.yml", POSTGRES_PASSWORD="changeme")
    started = made.compose("up", "-d", check=False)
    assert started.returncode != 0
    running = {one.service for one in made.containers().values() if one.state == "running"}
    assert running <= {"sandbox"}
    told = made.compose("logs", "configuration").stdout
    assert "POSTGRES_PASSWORD: is still a placeholder" in told
    made.remove()


def test_a_probe_of_each_pool_runs_within_the_memory_of_its_class(production: Installation) -> None:
    checked = json.loads(production.adspark("status", "--probe", "--json").stdout)
    assert checked["problems"] + checked["check"]["problems"] == []
    answers = {one["pool"]: one["answer"] for one in checked["check"]["probes"]}
    assert list(answers) == [one.name for one in QUEUE_CLASSES]
    for one in QUEUE_CLASSES:
        assert answers[one.name].endswith(f"within {one.memory} MB of memory")


def test_the_ui_is_served(production: Installation) -> None:
    page = asking.get(f"http://127.0.0.1:{production.api_port}/", follow_redirects=True)
    assert (page.status_code, "<title>Prefect" in page.text) == (200, True), page.text[:500]


def test_the_api_asks_for_the_password(production: Installation) -> None:
    url = f"http://127.0.0.1:{production.api_port}/api/flows/count"
    assert asking.post(url, json={}).status_code == 401
    assert asking.post(url, json={}, auth=(USER, "wrong")).status_code == 401
    assert asking.post(url, json={}, auth=(USER, PASSWORD)).status_code == 200
    program = str(Path(sys.executable).parent / "adspark")
    elsewhere = {
        "PATH": os.environ["PATH"],
        "PREFECT_API_URL": f"http://127.0.0.1:{production.api_port}/api",
    }
    for password, told in (("", "PREFECT_API_AUTH_STRING: "), (f"{USER}:{PASSWORD}", "")):
        known = elsewhere | {"PREFECT_API_AUTH_STRING": password}
        asked = subprocess.run([program, "status"], env=known, capture_output=True, text=True)
        assert (asked.returncode, told in asked.stderr) == (2 if told else 0, True), asked.stderr


def test_a_second_start_changes_nothing(production: Installation) -> None:
    before = lasting(production)
    production.compose("up", "-d")
    production.until_well()
    assert lasting(production) == before
    assert "Nothing to change." in production.compose("logs", "provisioning").stdout


def test_the_background_services_schedule_runs(production: Installation) -> None:
    wanted = {
        "deployments": {"name": {"any_": ["health-check"]}},
        "flow_runs": {"tags": {"all_": ["auto-scheduled"]}},
    }
    wait_until(lambda: production.ask("flow_runs/count", wanted) > 0, pause=PAUSE)


def test_the_flows_of_the_demo_run_as_containers_of_their_own(production: Installation) -> None:
    wanted_ads = {"advertiser_ids": ["AR04323445746671026177"]}
    ended = production.until_ended(production.start("fetch-creatives/fetch-creatives", wanted_ads))
    assert ended["state_type"] == "COMPLETED", ended["state"]["message"]
    (ad, *_) = production.select(
        "SELECT ad_creative_id FROM creative WHERE image_url IS NOT NULL ORDER BY 1"
    )
    production.adspark("watch", "create", "hubspot", "--text", "hubspot.com", "--region", "US")
    wanted: dict[str, dict[str, Any]] = {
        "process-all-active-watches/process-all-active-watches": {},
        "generate-ad-variant/generate-ad-variant": {
            "original_ad_id": ad,
            "prompt": "For summer",
            "user_id": 1,
        },
        "cleanup-old-creatives/cleanup-old-creatives": {"dry_run": True},
        "health-check/health-check": {},
    }
    runs = [production.start(name, parameters) for name, parameters in wanted.items()]
    for run_id in runs:
        ended = production.until_ended(run_id)
        assert ended["state_type"] == "COMPLETED", ended["state"]["message"]
        assert ":" in ended["infrastructure_pid"]
    wait_until(lambda: not any(map(production.containers_of_run, runs)), pause=PAUSE)
    (path,) = production.select("SELECT image_path FROM ad_variant WHERE status = 'completed'")
    picture = ["exec", production.of("metrics").id, "test", "-s", f"/var/lib/adspark/media/{path}"]
    run(["docker", *picture])


def test_a_run_past_its_memory_is_crashed_with_the_cause_and_its_neighbours_go_on(
    production: Installation, hungry: HungryFlow
) -> None:
    neighbour = hungry("default", megabytes=100, waits=True)
    production.until(neighbour, "RUNNING")
    greedy = hungry("default", megabytes=800)
    # The same in a pool that gives its runs more.
    roomy = hungry("ai-generation", megabytes=800)
    ended = production.until_ended(greedy)
    assert ended["state_type"] == "CRASHED"
    assert "Out of memory: it was killed at its limit of 512 MB" in ended["state"]["message"]
    hungry.let_end(neighbour)
    assert production.until_ended(neighbour)["state_type"] == "COMPLETED"
    assert production.until_ended(roomy)["state_type"] == "COMPLETED"
    # It would only die again, so what requeues lost runs leaves it as it is, for a person.
    assert production.until_ended(production.start("reconcile/reconcile"))["state_type"] == (
        "COMPLETED"
    )
    assert production.read_run(greedy)["state_id"] == ended["state_id"]


@pytest.fixture(scope="module")
def beside(production: Installation, hungry: HungryFlow) -> Iterator[list[str]]:
    """Two runs that are under way while others' containers are killed, and one that waits."""
    runs = [hungry(pool, waits=True) for pool in ("default", "ai-generation")]
    for run_id in runs:
        production.until(run_id, "RUNNING")
    runs.append(hungry("ai-generation", waits=True))
    yield runs
    hungry.let_end(*runs)


@pytest.mark.usefixtures("beside")
@pytest.mark.parametrize("victim", VICTIMS)
def test_a_killed_container_loses_no_run_and_no_row(production: Installation, victim: str) -> None:
    services, advertiser, ads = VICTIMS[victim]
    sandbox = f"http://127.0.0.1:{production.sandbox_port}/sandbox"
    asking.put(f"{sandbox}/faults", json=[{"kind": "latency", "seconds": 2}]).raise_for_status()
    billed = asking.get(f"{sandbox}/stats").json()["billed"]
    parameters = {"advertiser_ids": [advertiser], "page_size": PAGE, "max_pages": 9}
    run_id = production.start("fetch-creatives/fetch-creatives", parameters)
    wait_until(lambda: count_ads(production, advertiser) > 0, pause=PAUSE)
    own = production.containers_of_run(run_id).values()
    production.kill(*(map(production.of, services) if services else own))
    # Its own container's death is noted as Crashed at first, before it is run again.
    ended = production.until(run_id, "COMPLETED", "FAILED", "CANCELLED")
    assert ended["state_type"] == "COMPLETED", ended["state"]["message"]
    assert count_ads(production, advertiser) == ads
    production.until_well()
    if "sandbox" not in services:  # which counts from its start
        pages = -(-ads // PAGE)
        assert asking.get(f"{sandbox}/stats").json()["billed"] - billed == pages
    if not services:
        told = production.messages(run_id)
        assert any("Its process was killed from outside (SIGKILL)." in one for one in told), told


def test_runs_beside_a_killed_container_complete_and_what_was_queued_too(
    production: Installation, hungry: HungryFlow, beside: list[str]
) -> None:
    hungry.let_end(*beside)
    for run_id in beside:
        ended = production.until(run_id, "COMPLETED", "FAILED", "CANCELLED")
        assert ended["state_type"] == "COMPLETED", ended["state"]["message"]
        # More than once only where the server was away for so long that it was given up.
        told = production.messages(run_id)
        assert ended["run_count"] == 1 or any(SILENT in one for one in told), told


def count_ads(production: Installation, advertiser: str) -> int:
    """Its stored ads; none while the database is away."""
    query = f"SELECT count(*) FROM creative WHERE advertiser_id = '{advertiser}'"
    (count,) = production.select(query)
    return int(count)


def test_a_worker_that_is_restarted_hands_back_its_run(
    production: Installation, hungry: HungryFlow
) -> None:
    run_id = hungry("maintenance", waits=True)
    production.until(run_id, "RUNNING")
    production.compose("restart", "worker-maintenance")
    hungry.let_end(run_id)
    ended = production.until_ended(run_id)
    assert (ended["state_type"], ended["run_count"]) == ("COMPLETED", 2)


def test_more_runs_at_once_with_more_slots_and_more_workers(
    production: Installation, hungry: HungryFlow
) -> None:
    production.adspark("scale", "maintenance", "2")
    production.compose("up", "-d", "--no-recreate", "--scale", "worker-maintenance=2")
    production.until_well()
    runs = [hungry("maintenance", waits=True) for _ in range(2)]
    for run_id in runs:
        production.until(run_id, "RUNNING")
    assert [production.read_run(run_id)["state_type"] for run_id in runs] == ["RUNNING"] * 2
    pool = json.loads(production.adspark("status", "--json").stdout)["pools"][-1]
    assert (pool["name"], pool["slots"], pool["workers"]) == ("maintenance", 2, 2)
    hungry.let_end(*runs)
    for run_id in runs:
        assert production.until_ended(run_id)["state_type"] == "COMPLETED"


def test_down_and_up_keep_all_data_also_with_the_newest_compose(production: Installation) -> None:
    def rows() -> list[str]:
        tables = ("creative", "fetch", "watch", "creative_event", "ad_variant")
        counts = ", ".join(f'(SELECT count(*) FROM "{one}")' for one in tables)
        return production.select(f"SELECT {counts}")

    def runs() -> int:
        completed = {"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
        return int(str(production.ask("flow_runs/count", completed)))

    rows_before, runs_before = rows(), runs()
    production.compose("down", "--timeout", "60")
    assert production.containers() == {}
    production.program = compose_programs()[-1]
    production.compose("up", "-d")
    production.until_well()
    assert rows() == rows_before
    assert runs() >= runs_before  # schedules go on: a health check may have ended meanwhile
    kept = production.compose("logs", "provisioning").stdout
    assert "pool maintenance slots: 2 was set by hand" in kept


def test_the_same_without_dockers_socket(production: Installation) -> None:
    """The override: runs are processes in their worker's container, within the same bounds.

    Before, the pools are emptied as the page about containers says.
    """
    for one in QUEUE_CLASSES:
        production.adspark("drain", one.name)
    production.adspark("purge", "--yes")
    production.options = (
        *("-f", "docker-compose.yml", "-f", "docker-compose.process.yml"),
        *("--profile", "sandbox"),
    )
    production.compose("up", "-d", "--remove-orphans")
    production.until_well()
    check_workers_without_socket(production)
    test_a_probe_of_each_pool_runs_within_the_memory_of_its_class(production)
    fetched = production.start("fetch-creatives/fetch-creatives", {"text": "hubspot.com"})
    assert production.until_ended(fetched)["state_type"] == "COMPLETED"


def check_workers_without_socket(production: Installation) -> None:
    """There is one for each slot, and none that reaches the engine."""
    workers = [one for one in production.containers().values() if one.service.startswith("worker-")]
    assert len(workers) == sum(one.concurrency for one in QUEUE_CLASSES)
    for one in workers:
        (told,) = json.loads(run(["docker", "inspect", one.id]).stdout)
        mounted = {mount["Destination"]: mount["Source"] for mount in told["Mounts"]}
        assert mounted.get("/var/run/docker.sock", "/dev/null") == "/dev/null"
        assert told["Config"]["User"] == "adspark"


def test_down_v_removes_the_data_and_three_servers_can_begin_at_once_on_an_empty_database(
    production: Installation,
) -> None:
    """Without Docker's socket, and with the first Compose: all of it, from nothing."""
    production.compose("down", "--volumes", "--timeout", "60")
    volumes = run(["docker", "volume", "ls", "-q", "--filter", f"name={production.name}"])
    assert volumes.stdout == ""
    production.program = compose_programs()[0]
    first = free_port()
    production.write_settings(ADSPARK_API_PORTS=f"{first}-{first + 2}")
    production.compose("up", "-d", "--scale", "api=3")
    production.until_well()
    servers = [one for one in production.containers().values() if one.service == "api"]
    assert len(servers) == 3
    assert "Error" not in production.compose("logs", "api").stdout
    check_workers_without_socket(production)
    for port in range(first, first + 3):
        production.api_port = port
        assert production.ask("flows/count", {}) > 0
