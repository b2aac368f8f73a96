"""What a run of docker-compose.yml cannot choose, and what it and others cannot reach."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prefect.exceptions import InfrastructureNotFound

from deployments.provisioning.jobs.container import ContainerJob
from deployments.worker.container_worker import ContainerPoolWorker
from deployments.worker.docker_containers import RUN
from tests.containers.hungry_flow import HungryFlow
from tests.containers.installation import (
    PASSWORD,
    USER,
    Container,
    Installation,
    inspect,
    run,
)
from tests.support import asking

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

HOSTILE: dict[str, Any] = {
    "privileged": True,
    "volumes": ["/:/host"],
    "command": "touch /host/tmp/adspark-owned",
    "image": "postgres:17",
    "networks": ["bridge"],
}
KEYS = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "ADSPARK_SERPAPI_KEY", "ADSPARK_DIFY_KEY")
# Which service has which secret, in whatever variable: of the values above, and the API's password.
SECRETS: dict[str, set[str]] = {
    "postgres": {"POSTGRES_PASSWORD"},
    "redis": {"REDIS_PASSWORD"},
    "databases": {"POSTGRES_PASSWORD"},
    "api": {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "API"},
    "services": {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "API"},
    "provisioning": {"POSTGRES_PASSWORD", "API", "ADSPARK_SERPAPI_KEY", "ADSPARK_DIFY_KEY"},
    "gallery": {"POSTGRES_PASSWORD", "API"},
    "metrics": {"POSTGRES_PASSWORD", "API", "ADSPARK_SERPAPI_KEY"},
    "sandbox": set(),
    "worker-default": {"API"},
    "a run": {"API"},
}


@pytest.fixture(scope="module")
def running(production: Installation, hungry: HungryFlow) -> Iterator[Container]:
    """The container of a run that waits."""
    run_id = hungry("default", waits=True)
    production.until(run_id, "RUNNING")
    (container,) = production.containers_of_run(run_id).values()
    yield container
    hungry.let_end(run_id)
    production.until_ended(run_id)


def test_a_run_that_asks_for_the_host_is_refused_and_has_no_container(
    production: Installation, hungry: HungryFlow
) -> None:
    wishes = [*({name: value} for name, value in HOSTILE.items()), HOSTILE]
    runs = [hungry("default", variables=asked) for asked in wishes]
    for run_id, asked in zip(runs, wishes, strict=True):
        ended = production.until_ended(run_id)
        assert (ended["state_type"], ended["run_count"]) == ("FAILED", 0)
        assert ended["state"]["message"] == (
            f"{', '.join(sorted(asked))}: not for a run to choose, its worker's settings say it; "
            "remove it from the run's job variables."
        )
        wanted = f"label=io.prefect.flow-run-id={run_id}"
        assert run(["docker", "ps", "-aq", "--filter", wanted]).stdout == ""


def test_a_changed_template_gives_a_run_nothing_and_is_put_back(
    production: Installation, hungry: HungryFlow
) -> None:
    ours = production.ask("work_pools/maintenance")["base_job_template"]
    theirs = json.loads(json.dumps(ours))
    for name, value in HOSTILE.items():
        theirs["job_configuration"][name] = value
    url = f"http://127.0.0.1:{production.api_port}/api/work_pools/maintenance"
    body = {"base_job_template": theirs}
    asking.patch(url, json=body, auth=(USER, PASSWORD)).raise_for_status()
    ended = production.until_ended(hungry("maintenance"))
    assert ended["state_type"] == "FAILED"
    assert ended["state"]["message"].startswith("command, image, networks, privileged, volumes: ")
    assert "its job template is reset" in production.adspark("provision").stdout
    assert production.ask("work_pools/maintenance")["base_job_template"] == ours
    assert production.until_ended(hungry("maintenance"))["state_type"] == "COMPLETED"


async def test_a_worker_stops_the_container_of_the_run_and_no_other_that_the_run_names(
    image: str,
) -> None:
    """A run's `infrastructure_pid` can be changed by whoever reaches the API."""
    begin = ["docker", "run", "-d", "--label", f"{RUN}=one", image, "sleep", "300"]
    container_id = run(begin).stdout.strip()
    pid = f"unix://localhost:{container_id}"
    worker = ContainerPoolWorker("default", name="tried")
    try:
        for run_id, is_its in (("another", False), ("one", True)):
            job = ContainerJob(command="", image=image, labels={RUN: run_id})
            if is_its:
                await worker.kill_infrastructure(pid, job, grace_seconds=1)
            else:
                with pytest.raises(InfrastructureNotFound):
                    await worker.kill_infrastructure(pid, job, grace_seconds=1)
            (found,) = inspect([container_id]).values()
            assert found.state == ("exited" if is_its else "running")
    finally:
        run(["docker", "rm", "-f", container_id])


def can_reach(container: Container, host: str, port: int) -> bool:
    """Whether something in a container gets a connection."""
    connect = f"import socket; socket.create_connection(('{host}', {port}), 3)"
    done = run(["docker", "exec", container.id, "python", "-c", connect], check=False)
    return done.returncode == 0


def addresses(container: Container) -> list[str]:
    """Of a container, in each of its networks."""
    (told,) = json.loads(run(["docker", "inspect", container.id]).stdout)
    found = told["NetworkSettings"]["Networks"].values()
    return [str(one["IPAddress"]) for one in found if one["IPAddress"]]


def test_a_run_reaches_the_api_and_the_database_and_not_redis(
    production: Installation, running: Container
) -> None:
    assert can_reach(running, "api", 4200)
    assert can_reach(running, "postgres", 5432)
    for service, port in (("redis", 6379), ("metrics", 4290), ("gallery", 4280)):
        container = production.of(service)
        for host in (service, container.id[:12], *addresses(container)):
            assert not can_reach(running, host, port), host


def test_redis_asks_for_its_password(production: Installation) -> None:
    inside = ["docker", "exec", production.of("redis").id]
    assert run([*inside, "redis-cli", "ping"]).stdout.strip() == "PONG"
    for password in ("", "wrong"):
        asked = run([*inside, "env", f"REDISCLI_AUTH={password}", "redis-cli", "dbsize"])
        assert "NOAUTH" in asked.stdout + asked.stderr
    assert "requirepass" not in run(["docker", "top", production.of("redis").id]).stdout


def test_figures_ask_for_the_password(production: Installation) -> None:
    port = production.read_settings()["ADSPARK_METRICS_PORT"]
    url = f"http://127.0.0.1:{port}/metrics"
    assert asking.get(url).status_code == 401
    assert asking.get(url, auth=(USER, "wrong")).status_code == 401
    assert "adspark_up" in asking.get(url, auth=(USER, PASSWORD), timeout=30).text


def test_the_gallery_lets_in_who_has_a_password(production: Installation) -> None:
    url = f"http://127.0.0.1:{production.read_settings()['ADSPARK_GALLERY_PORT']}"
    assert asking.get(f"{url}/library").headers["location"] == "/sign-in?back=%2Flibrary"
    ads = f"{url}/api/v1/ads"
    assert asking.get(ads).status_code == 401
    production.adspark("users", "add", "Ana")
    give = "echo 'tulips and 1 anchor' | adspark users password Ana --role reader --stdin"
    production.compose("run", "--rm", "-T", "--entrypoint", "sh", "adspark", "-c", give)
    assert asking.get(ads, auth=("ana", "anchors and tulips"), timeout=30).status_code == 401
    assert asking.get(ads, auth=("ana", "tulips and 1 anchor"), timeout=30).status_code == 200
    with httpx.Client(base_url=url, follow_redirects=True, timeout=30) as browser:
        token = re.search('name="form_token" value="([0-9a-f]+)"', browser.get("/library").text)
        assert token
        form = {"form_token": token[1], "name": "ana", "back": "/library"}
        refused = browser.post("/sign-in", data=form | {"password": "anchors and tulips"})
        assert refused.status_code == 401
        shown = browser.post("/sign-in", data=form | {"password": "tulips and 1 anchor"})
        assert (shown.status_code, shown.url.path) == (200, "/library")
        assert "disabled" in browser.get("/boards").text
        assert browser.get("/api/v1/ads").status_code == 200


def test_each_service_has_its_own_secrets_and_no_rights(
    production: Installation, running: Container
) -> None:
    settings = production.read_settings()
    secrets = {name: settings[name] for name in KEYS} | {"API": PASSWORD}
    for container in [*production.containers().values(), running]:
        (told,) = json.loads(run(["docker", "inspect", container.id]).stdout)
        service = container.service or "a run"
        has = {
            name
            for name, value in secrets.items()
            if any(value in e for e in told["Config"]["Env"])
        }
        if service in SECRETS:
            assert has == SECRETS[service], service
        host = told["HostConfig"]
        assert (host["CapDrop"], host["Privileged"]) == (["ALL"], False), service
        assert host["SecurityOpt"] == ["no-new-privileges:true"], service


def test_postgres_and_redis_are_not_root(production: Installation) -> None:
    for service in ("postgres", "redis"):
        assert (
            run(["docker", "exec", production.of(service).id, "id", "-un"]).stdout == f"{service}\n"
        )


def test_a_run_is_not_root_has_no_socket_and_nothing_to_write_to(running: Container) -> None:
    (told,) = json.loads(run(["docker", "inspect", running.id]).stdout)
    assert told["Config"]["User"] == "adspark"
    assert told["HostConfig"]["ReadonlyRootfs"]
    assert not any("docker.sock" in one for one in told["HostConfig"]["Binds"])
