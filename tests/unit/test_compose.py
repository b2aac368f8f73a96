"""The compose files say what the queue classes say, and keep nothing open that should be shut.

They are read as Compose reads them, without an engine; `make check` runs this too.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from adspark.settings import Settings
from deployments.queue_classes import QUEUE_CLASSES, QueueClass

ROOT = Path(__file__).parents[2]
PRODUCTION, PROCESS, HOSTS, DEVELOPMENT = (
    ROOT / f"docker-compose{kind}.yml" for kind in ("", ".process", ".hosts", ".dev")
)
FULL = (PRODUCTION, PROCESS, DEVELOPMENT)
FILES = (*FULL, HOSTS)
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?:(?P<kind>:-|:\?)(?P<text>[^}]*))?\}")
SECRETS = {
    "POSTGRES_PASSWORD": "a-word-of-ours",
    "PREFECT_SERVER_API_AUTH_STRING": "operator:a-word-of-ours",
    "ADSPARK_SERPAPI_KEY": "a-key-of-ours",
}
ONE_SHOT = {"configuration", "databases", "provisioning", "adspark"}
SOCKET = "/var/run/docker.sock"

Service = dict[str, Any]


def read(file: Path) -> dict[str, Any]:
    """A compose file with no more than its secrets set."""

    def value(match: re.Match[str]) -> str:
        return SECRETS.get(match["name"], match["text"] if match["kind"] == ":-" else "")

    loaded: dict[str, Any] = yaml.safe_load(VARIABLE.sub(value, file.read_text()))
    return loaded


def services(file: Path) -> dict[str, Service]:
    found: dict[str, Service] = read(file)["services"]
    return found


def worker(file: Path, queue_class: QueueClass) -> Service:
    return services(file)[f"worker-{queue_class.name}"]


def megabytes(text: str) -> int:
    number, unit = int(text[:-1]), text[-1]
    return number * {"m": 1, "g": 1024}[unit]


def seconds(text: str) -> float:
    assert text.endswith("s")
    return float(text[:-1])


@pytest.mark.parametrize("file", FULL, ids=lambda file: file.name)
def test_there_is_one_worker_service_for_each_pool(file: Path) -> None:
    workers = {name for name in services(file) if name.startswith("worker-")}
    assert workers == {f"worker-{one.name}" for one in QUEUE_CLASSES}


@pytest.mark.parametrize("queue_class", QUEUE_CLASSES, ids=lambda one: one.name)
def test_a_worker_serves_the_pool_of_its_name(queue_class: QueueClass) -> None:
    served = ["adspark", "worker", queue_class.name]
    assert worker(PRODUCTION, queue_class)["command"] == served
    assert worker(PROCESS, queue_class)["command"] == [*served, "--limit", "1"]
    assert " ".join(served) in worker(DEVELOPMENT, queue_class)["command"]


@pytest.mark.parametrize("queue_class", QUEUE_CLASSES, ids=lambda one: one.name)
def test_without_the_socket_each_slot_has_the_memory_of_its_class(queue_class: QueueClass) -> None:
    service = worker(PROCESS, queue_class)
    replicas = service.get("deploy", {}).get("replicas", 1)
    bounds = [megabytes(service[name]) for name in ("mem_limit", "memswap_limit")]
    assert (bounds, replicas) == ([queue_class.memory] * 2, queue_class.concurrency)


@pytest.mark.parametrize("queue_class", QUEUE_CLASSES, ids=lambda one: one.name)
def test_in_development_a_worker_has_the_memory_of_all_its_slots(queue_class: QueueClass) -> None:
    memory = megabytes(worker(DEVELOPMENT, queue_class)["mem_limit"])
    assert memory == queue_class.memory * queue_class.concurrency


def test_only_workers_have_the_socket_of_docker_and_in_the_override_none() -> None:
    with_socket = {
        name
        for name, service in services(PRODUCTION).items()
        if any(SOCKET in volume for volume in service.get("volumes", []))
    }
    assert with_socket == {f"worker-{one.name}" for one in QUEUE_CLASSES}
    for name in with_socket:
        # A mount is replaced by another one at the same place.
        assert f"/dev/null:{SOCKET}:ro" in services(PROCESS)[name]["volumes"]
    assert SOCKET not in DEVELOPMENT.read_text()


@pytest.mark.parametrize("file", [PRODUCTION, HOSTS, DEVELOPMENT], ids=lambda file: file.name)
def test_ports_are_opened_on_this_host_alone(file: Path) -> None:
    ports = [port for service in services(file).values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_what_stays_up_begins_again_logs_within_bounds_and_is_looked_after() -> None:
    for name, service in services(PRODUCTION).items():
        options = service["logging"]["options"]
        assert set(options) == {"max-size", "max-file"}, name
        if name in ONE_SHOT:
            assert "restart" not in service, name
            assert service["healthcheck"] == {"disable": True}, name
        else:
            assert service["restart"] == "unless-stopped", name
            # Workers have the image's own check.
            assert "healthcheck" in service or name.startswith("worker-"), name


def test_our_containers_cannot_write_to_themselves_and_win_no_rights() -> None:
    ours = [one for one in services(PRODUCTION).values() if "adspark" in one["image"]]
    assert len(ours) == len(services(PRODUCTION)) - len({"postgres", "redis"})
    for service in ours:
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_workers_have_time_to_drain_before_they_are_killed() -> None:
    drain = Settings().drain_time
    for queue_class in QUEUE_CLASSES:
        # Half a minute to hand back what has not ended until then.
        assert seconds(worker(PRODUCTION, queue_class)["stop_grace_period"]) >= drain + 30


def test_redis_keeps_what_nobody_has_read() -> None:
    command = services(PRODUCTION)["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options == {
        "--appendonly": "yes",
        "--maxmemory": "512mb",
        "--maxmemory-policy": "noeviction",
    }


@pytest.mark.parametrize("name", SECRETS)
def test_a_missing_secret_stops_the_start(name: str) -> None:
    asked = [one for one in VARIABLE.finditer(PRODUCTION.read_text()) if one["kind"] == ":?"]
    (question,) = [one for one in asked if one["name"] == name]
    assert question["text"].startswith(f"{name} is missing in .env; ")


def test_every_variable_of_the_compose_files_is_in_the_example_file() -> None:
    used = {one["name"] for file in FILES for one in VARIABLE.finditer(file.read_text())}
    example = (ROOT / ".env.example").read_text()
    explained = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    assert used - explained == set()


@pytest.mark.parametrize("file", FULL, ids=lambda file: file.name)
def test_what_is_set_for_adspark_is_a_setting_of_it(file: Path) -> None:
    known = {f"ADSPARK_{name.upper()}" for name in Settings.model_fields}
    named = {
        name
        for service in services(file).values()
        for name in service.get("environment", {})
        if name.startswith("ADSPARK_")
    }
    assert named
    assert named - known == set()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_compose_1_29_can_read_it(file: Path) -> None:
    content = read(file)
    assert {key for key in content if not key.startswith("x-")} <= {
        "services",
        "networks",
        "volumes",
    }
    assert ":+" not in file.read_text()
    for service in content["services"].values():
        assert all(isinstance(port, str) for port in service.get("ports", []))
        assert "start_interval" not in service.get("healthcheck", {})
        assert all(isinstance(one, str) for one in service.get("env_file", []))
        for condition in service.get("depends_on", {}).values():
            assert set(condition) == {"condition"}
        assert set(service.get("build", {})) <= {"context", "dockerfile"}


def test_nothing_but_the_source_gets_into_the_image() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"
    assert [rule for rule in rules if rule.startswith("!.")] == []
