"""docker-compose.yml, from nothing to its end: started, used, killed part by part, taken down."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deployments.queue_classes import QUEUE_CLASSES
from tests.containers.conftest import (
    ONE_SHOT,
    PASSWORD,
    SECRETS,
    USER,
    Container,
    Installation,
    compose_programs,
    run,
)
from tests.support.stack import free_port
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

# Recorded advertisers, each with what there is to fetch of it: ads, in pages of ten.
ADVERTISERS = {
    "AR01566006373894848513": 40,
    "AR13494478831020408833": 40,
    "AR10871259591425916929": 40,
    "AR03556834903704207361": 40,
    "AR17137590075693989889": 24,
    "AR02261580089873399809": 24,
    "AR12707166228507000833": 23,
    "AR01614014350098432001": 41,
    "AR10072600183532683265": 3,
    "AR17828074650563772417": 4,
    "AR14106713362364628993": 1,
}
PAGE = 10
VICTIMS = (
    "postgres",
    "redis",
    "api",
    "services",
    "worker-data-fetch",
    "worker-maintenance",
    "sandbox",
    "the run's own",
    "metrics",
    "worker-default",
    "worker-ai-generation",
)


def lasting(installation: Installation) -> dict[str, Container]:
    """Its containers that stay up."""
    found = installation.containers()
    return {name: one for name, one in found.items() if one.service not in ONE_SHOT}


@pytest.mark.parametrize("program", compose_programs(), ids=" ".join)
def test_both_versions_of_compose_read_every_file(
    installations: Callable[..., Installation], program: tuple[str, ...]
) -> None:
    for files in (
        ["docker-compose.yml"],
        ["docker-compose.yml", "docker-compose.process.yml"],
        ["docker-compose.yml", "docker-compose.hosts.yml"],
        ["docker-compose.dev.yml"],
    ):
        installations(program, *files).compose("config", "-q")


@pytest.mark.parametrize("name", SECRETS)
def test_without_a_secret_nothing_starts_and_it_is_named(
    installations: Callable[..., Installation], name: str
) -> None:
    for program in compose_programs():
        made = installations(program, "docker-compose.yml", **{name: ""})
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


@pytest.mark.parametrize("program", compose_programs(), ids=" ".join)
def test_each_compose_builds_the_image_and_starts_it_all(
    installations: Callable[..., Installation], production: Installation, program: tuple[str, ...]
) -> None:
    """The one whose installation serves all tests of this file has built the image for them."""
    new = f"adspark-new:{uuid4().hex[:6]}"
    if is_own := program != production.program:
        made = installations(program, "docker-compose.yml", ADSPARK_IMAGE=new)
        made.compose("up", "-d")
        made.until_well()
    else:
        made = production
    before = lasting(made)
    made.compose("up", "-d")
    made.until_well()
    assert lasting(made) == before
    assert "Everything is well." in made.adspark("status").stdout
    if is_own:
        made.compose("down", "--timeout", "10")
        run(["docker", "rmi", new])


def test_several_servers_can_begin_at_once_on_an_empty_database(
    installations: Callable[..., Installation],
) -> None:
    first = free_port()
    ports = f"{first}-{first + 2}"
    made = installations(compose_programs()[0], "docker-compose.yml", ADSPARK_API_PORTS=ports)
    made.compose("up", "-d", "--scale", "api=3", "api")
    made.until_well()
    assert [one.service for one in made.containers().values()].count("api") == 3
    assert "Error" not in made.compose("logs", "api").stdout


def test_a_probe_of_each_pool_runs_within_the_memory_of_its_class(production: Installation) -> None:
    checked = json.loads(production.adspark("status", "--probe", "--json").stdout)
    assert checked["problems"] + checked["check"]["problems"] == []
    answers = {one["pool"]: one["answer"] for one in checked["check"]["probes"]}
    assert list(answers) == [one.name for one in QUEUE_CLASSES]
    for one in QUEUE_CLASSES:
        assert answers[one.name].endswith(f"within {one.memory} MB of memory")


def test_the_ui_is_served(production: Installation) -> None:
    page = httpx.get(f"http://127.0.0.1:{production.api_port}/", follow_redirects=True)
    assert (page.status_code, "<title>Prefect" in page.text) == (200, True), page.text[:500]


def test_the_api_asks_for_the_password(production: Installation) -> None:
    url = f"http://127.0.0.1:{production.api_port}/api/flows/count"
    assert httpx.post(url, json={}).status_code == 401
    assert httpx.post(url, json={}, auth=(USER, "wrong")).status_code == 401
    assert httpx.post(url, json={}, auth=(USER, PASSWORD)).status_code == 200
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
    wait_until(lambda: not any(map(production.containers_of_run, runs)))
    (path,) = production.select("SELECT image_path FROM ad_variant WHERE status = 'completed'")
    picture = ["exec", production.of("metrics").id, "test", "-s", f"/var/lib/adspark/media/{path}"]
    run(["docker", *picture])


def test_a_runs_container_has_no_key_no_rights_and_nothing_to_write_to(
    production: Installation, hungry: Callable[..., str]
) -> None:
    run_id = hungry("default", seconds=60)
    production.until(run_id, "RUNNING")
    (container,) = production.containers_of_run(run_id).values()
    (told,) = json.loads(run(["docker", "inspect", container.id]).stdout)
    names = {one.partition("=")[0] for one in told["Config"]["Env"]}
    secrets = {"ADSPARK_SERPAPI_KEY", "ADSPARK_DIFY_KEY", "POSTGRES_PASSWORD"}
    assert not names & (secrets | {"ADSPARK_DATABASE_URL", "PREFECT_SERVER_API_AUTH_STRING"})
    host = told["HostConfig"]
    assert (host["ReadonlyRootfs"], host["CapDrop"], host["Privileged"]) == (True, ["ALL"], False)
    assert not any("docker.sock" in one for one in host["Binds"])
    assert told["Config"]["User"] == "adspark"
    production.ask(f"flow_runs/{run_id}/set_state", {"state": {"type": "CANCELLING"}})
    assert production.until_ended(run_id)["state_type"] == "CANCELLED"
    wait_until(lambda: not production.containers_of_run(run_id))


def test_a_run_past_its_memory_is_crashed_with_the_cause_and_its_neighbours_go_on(
    production: Installation, hungry: Callable[..., str]
) -> None:
    neighbour = hungry("default", megabytes=100, seconds=20)
    greedy = hungry("default", megabytes=800)
    # The same in a pool that gives its runs more.
    roomy = hungry("ai-generation", megabytes=800)
    ended = production.until_ended(greedy)
    seen = time.monotonic()
    assert ended["state_type"] == "CRASHED"
    assert "Out of memory: it was killed at its limit of 512 MB" in ended["state"]["message"]
    assert production.until_ended(neighbour)["state_type"] == "COMPLETED"
    assert production.until_ended(roomy)["state_type"] == "COMPLETED"
    # It would only die again, so it stays what it is, for a person.
    time.sleep(max(0.0, seen + 20 - time.monotonic()))
    assert production.read_run(greedy)["state_type"] == "CRASHED"


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_killed_container_loses_no_run_and_no_row(
    production: Installation, hungry: Callable[..., str], victim: str
) -> None:
    advertiser, ads = list(ADVERTISERS.items())[VICTIMS.index(victim)]
    sandbox = f"http://127.0.0.1:{production.sandbox_port}/sandbox"
    httpx.put(f"{sandbox}/faults", json=[{"kind": "latency", "seconds": 2}]).raise_for_status()
    billed = httpx.get(f"{sandbox}/stats").json()["billed"]
    # Two that are under way when it happens, one of them the victim's own, and one that waits.
    pool = victim.removeprefix("worker-") if victim.startswith("worker-") else "ai-generation"
    slow = hungry(pool, seconds=10)
    parameters = {"advertiser_ids": [advertiser], "page_size": PAGE, "max_pages": 9}
    under_way = production.start("fetch-creatives/fetch-creatives", parameters)
    waiting = production.start("cleanup-old-creatives/cleanup-old-creatives", {"dry_run": True})
    for run_id in (slow, under_way):
        production.until(run_id, "RUNNING", "COMPLETED")
    wait_until(lambda: count_ads(production, advertiser) > 0)
    if victim == "the run's own":
        (killed,) = production.containers_of_run(under_way).values()
    else:
        killed = production.of(victim)
    production.kill(killed)
    for run_id in (slow, under_way, waiting):
        # Its own container's death is noted as Crashed at first, before it is run again.
        ended = production.until(run_id, "COMPLETED", "FAILED", "CANCELLED")
        assert ended["state_type"] == "COMPLETED", ended["state"]["message"]
    assert count_ads(production, advertiser) == ads
    production.until_well()
    if victim != "sandbox":  # which counts from its start
        pages = -(-ads // PAGE)
        assert httpx.get(f"{sandbox}/stats").json()["billed"] - billed == pages


def count_ads(production: Installation, advertiser: str) -> int:
    """Its stored ads; none while the database is away."""
    query = f"SELECT count(*) FROM creative WHERE advertiser_id = '{advertiser}'"
    (count,) = production.select(query)
    return int(count)


def test_a_worker_that_is_restarted_hands_back_its_run(
    production: Installation, hungry: Callable[..., str]
) -> None:
    run_id = hungry("maintenance", seconds=15)
    production.until(run_id, "RUNNING")
    production.compose("restart", "worker-maintenance")
    ended = production.until_ended(run_id)
    assert (ended["state_type"], ended["run_count"]) == ("COMPLETED", 2)


def test_more_runs_at_once_with_more_slots_and_more_workers(
    production: Installation, hungry: Callable[..., str]
) -> None:
    production.adspark("scale", "maintenance", "2")
    production.compose("up", "-d", "--no-recreate", "--scale", "worker-maintenance=2")
    production.until_well()
    runs = [hungry("maintenance", seconds=25) for _ in range(2)]
    for run_id in runs:
        production.until(run_id, "RUNNING")
    assert [production.read_run(run_id)["state_type"] for run_id in runs] == ["RUNNING"] * 2
    pool = json.loads(production.adspark("status", "--json").stdout)["pools"][-1]
    assert (pool["name"], pool["slots"], pool["workers"]) == ("maintenance", 2, 2)
    for run_id in runs:
        assert production.until_ended(run_id)["state_type"] == "COMPLETED"


def test_down_and_up_keep_all_data(production: Installation) -> None:
    def data() -> list[str]:
        tables = ("creative", "fetch", "watch", "creative_event", "ad_variant")
        counts = ", ".join(f'(SELECT count(*) FROM "{one}")' for one in tables)
        runs = production.ask(
            "flow_runs/count", {"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
        )
        return [*production.select(f"SELECT {counts}"), str(runs)]

    before = data()
    production.compose("down", "--timeout", "60")
    assert production.containers() == {}
    production.compose("up", "-d")
    production.until_well()
    assert data() == before
    kept = production.compose("logs", "provisioning").stdout
    assert "pool maintenance slots: 2 was set by hand" in kept


def test_the_same_without_dockers_socket(production: Installation) -> None:
    """The override: runs are processes in their worker's container, within the same bounds."""
    production.options = (
        *("-f", "docker-compose.yml", "-f", "docker-compose.process.yml"),
        *("--profile", "sandbox"),
    )
    production.compose("up", "-d", "--remove-orphans")
    production.until_well()
    workers = [one for one in production.containers().values() if one.service.startswith("worker-")]
    assert len(workers) == sum(one.concurrency for one in QUEUE_CLASSES)
    for one in workers:
        (told,) = json.loads(run(["docker", "inspect", one.id]).stdout)
        mounted = {mount["Destination"]: mount["Source"] for mount in told["Mounts"]}
        assert mounted.get("/var/run/docker.sock", "/dev/null") == "/dev/null"
        assert told["Config"]["User"] == "adspark"
    test_a_probe_of_each_pool_runs_within_the_memory_of_its_class(production)
    fetched = production.start("fetch-creatives/fetch-creatives", {"text": "hubspot.com"})
    assert production.until_ended(fetched)["state_type"] == "COMPLETED"
