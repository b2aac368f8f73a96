"""The compose files say what the queue classes say, and keep nothing open that should be shut.

They are read as Compose reads them, without an engine; `make check` runs this too.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from adspark.settings import Settings
from deployments.queue_classes import QUEUE_CLASSES, QueueClass

ROOT = Path(__file__).parents[3]
PRODUCTION, PROCESS, HOSTS, DEVELOPMENT = (
    ROOT / f"docker-compose{kind}.yml" for kind in ("", ".process", ".hosts", ".dev")
)
FULL = (PRODUCTION, PROCESS, DEVELOPMENT)
FILES = (*FULL, HOSTS)
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?:(?P<kind>:-|:\?)(?P<text>[^}]*))?\}")
SECRETS = {
    "POSTGRES_PASSWORD": "a-postgres-word",
    "REDIS_PASSWORD": "a-redis-word",
    "PREFECT_SERVER_API_AUTH_STRING": "operator:an-api-word",
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


def test_files_of_the_command_are_in_a_folder_of_the_host_that_holds_no_secret() -> None:
    command = services(PRODUCTION)["adspark"]
    folder = command["working_dir"]
    (mount,) = [one for one in command["volumes"] if one.split(":")[1] == folder]
    assert mount == f"./files:{folder}"  # not the one with .env and the compose files
    assert "/files/" in (ROOT / ".gitignore").read_text().splitlines()


def test_workers_have_time_to_drain_before_they_are_killed() -> None:
    drain = Settings().drain_time
    for queue_class in QUEUE_CLASSES:
        # Half a minute to requeue what has not ended until then.
        assert seconds(worker(PRODUCTION, queue_class)["stop_grace_period"]) >= drain + 30


def test_redis_keeps_what_nobody_has_read_and_has_a_password_that_no_argument_shows() -> None:
    redis = services(PRODUCTION)["redis"]
    shell, option, script = redis["command"]
    told, word, end = script.strip().splitlines()
    command = told.removeprefix("exec redis-server ").removesuffix(" - <<END").split()
    assert (shell, option, end) == ("sh", "-c", "END")
    assert dict(zip(command[::2], command[1::2], strict=True)) == {
        "--appendonly": "yes",
        "--maxmemory": "512mb",
        "--maxmemory-policy": "noeviction",
    }
    assert word == "requirepass $$REDISCLI_AUTH"
    assert redis["environment"] == {"REDISCLI_AUTH": SECRETS["REDIS_PASSWORD"]}
    asking = services(PRODUCTION)["api"]["environment"]
    urls = [value for name, value in asking.items() if "redis://" in str(value)]
    assert len(urls) == 3
    assert all(f":{SECRETS['REDIS_PASSWORD']}@redis:6379/" in url for url in urls)


def test_postgres_and_redis_win_no_rights_either() -> None:
    for name in ("postgres", "redis"):
        service = services(PRODUCTION)[name]
        assert (service["user"], service["cap_drop"]) == (name, ["ALL"])
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_runs_are_in_a_network_without_redis_in_which_nothing_else_listens() -> None:
    run_network = services(PRODUCTION)["worker-default"]["environment"]["ADSPARK_RUN_NETWORK"]
    assert read(PRODUCTION)["networks"]["runs"]["name"] == run_network
    for file in (PRODUCTION, PROCESS):  # in the latter a run is in its worker's container
        beside_runs = {
            name
            for name, service in merged(file).items()
            if "runs" in service.get("networks", ["default"])
        }
        workers = {f"worker-{one.name}" for one in QUEUE_CLASSES}
        assert beside_runs == {"api", "postgres", "sandbox", *workers}
        for name in workers:
            assert merged(file)[name]["networks"] == ["runs"]


def merged(file: Path) -> dict[str, Service]:
    """The services of production, under an override."""
    if file == PRODUCTION:
        return services(PRODUCTION)
    over = services(file)
    return {name: {**one, **over.get(name, {})} for name, one in services(PRODUCTION).items()}


# Which service is given which secret, in whatever variable.
SECRETS_OF: dict[str, set[str]] = {
    "configuration": set(SECRETS),
    "postgres": {"POSTGRES_PASSWORD"},
    "redis": {"REDIS_PASSWORD"},
    "databases": {"POSTGRES_PASSWORD"},
    "api": {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "PREFECT_SERVER_API_AUTH_STRING"},
    "services": {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "PREFECT_SERVER_API_AUTH_STRING"},
    "provisioning": set(SECRETS) - {"REDIS_PASSWORD"},
    "gallery": {"POSTGRES_PASSWORD", "PREFECT_SERVER_API_AUTH_STRING"},
    "metrics": set(SECRETS) - {"REDIS_PASSWORD"},
    "adspark": set(SECRETS) - {"REDIS_PASSWORD"},
    "sandbox": set(),
    **{f"worker-{one.name}": {"PREFECT_SERVER_API_AUTH_STRING"} for one in QUEUE_CLASSES},
}
# Secrets that .env may have, which are passed on by their name.
OPTIONAL = {"ADSPARK_DIFY_KEY", "ADSPARK_CHAT_KEY", "ADSPARK_NOTIFY_ADDRESSES"}
STORAGE = re.compile("ADSPARK_MEDIA_URL|AWS_|FSSPEC_")


def test_each_service_is_given_its_own_secrets() -> None:
    assert set(services(PRODUCTION)) == set(SECRETS_OF)
    for name, service in services(PRODUCTION).items():
        assert "env_file" not in service, name
        given = service.get("environment", {})
        values = " ".join(str(one) for one in given.values())
        assert {one for one, value in SECRETS.items() if value in values} == SECRETS_OF[name], name
        has_keys = bool(OPTIONAL & set(given))
        assert has_keys == (name in {"configuration", "provisioning", "adspark"}), name
        has_storage = any(STORAGE.match(one) for one in given)
        assert has_storage == (name in {"adspark", "gallery"} or name.startswith("worker-")), name


def test_every_setting_that_is_no_secret_reaches_every_container_of_ours() -> None:
    # Not so, not for all, or of Kubernetes.
    here = {"prefect_port", "sandbox_port", "database_url", "media_url", "run_namespace"}
    wanted = {
        f"ADSPARK_{name.upper()}"
        for name, field in Settings.model_fields.items()
        if name not in here and "SecretStr" not in str(field.annotation)
    }
    for name in (
        *("configuration", "provisioning", "worker-default", "metrics", "adspark", "api"),
        "services",
    ):
        assert wanted - set(services(PRODUCTION)[name]["environment"]) == set(), name


@pytest.mark.parametrize("name", SECRETS)
def test_a_missing_secret_stops_the_start(name: str) -> None:
    asked = [one for one in VARIABLE.finditer(PRODUCTION.read_text()) if one["kind"] == ":?"]
    (question,) = [one for one in asked if one["name"] == name]
    assert question["text"].startswith(f"{name} is missing in .env; ")


def test_every_variable_of_the_compose_files_is_in_the_example_file() -> None:
    used = {one["name"] for file in FILES for one in VARIABLE.finditer(file.read_text())}
    # A variable without a value is passed on as it is in .env.
    used |= {
        name
        for service in services(PRODUCTION).values()
        for name, value in service.get("environment", {}).items()
        if value is None
    }
    example = (ROOT / ".env.example").read_text()
    explained = set(re.findall(r"^#?([A-Z0-9_]+)=", example, re.MULTILINE))
    assert used - explained == {"REDIS_URL"}  # looked at only to say that it is not read


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
        for condition in service.get("depends_on", {}).values():
            assert set(condition) == {"condition"}
        assert set(service.get("build", {})) <= {"context", "dockerfile", "args"}


@pytest.mark.parametrize(
    ("file", "names"), [(PRODUCTION, {"metrics"}), (DEVELOPMENT, {"api", "metrics"})]
)
def test_servers_that_ask_for_no_password_are_reached_by_their_names(
    file: Path, names: set[str]
) -> None:
    for name in names:
        allowed = services(file)[name]["environment"]["ADSPARK_ALLOWED_HOSTS"]
        assert names <= set(Settings(allowed_hosts=allowed).allowed_hosts), name
    written = re.search(r"ADSPARK_ALLOWED_HOSTS: (\S+)", file.read_text())
    assert written
    assert written[1].endswith(",${ADSPARK_ALLOWED_HOSTS:-}")  # which adds to them


def test_nothing_but_the_source_gets_into_the_image() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"
    assert [rule for rule in rules if rule.startswith("!.")] == []


def test_a_workers_health_is_asked_within_its_container_alone() -> None:
    image = (ROOT / "deployments/docker/Dockerfile").read_text()
    assert "PREFECT_WORKER_WEBSERVER_HOST=127.0.0.1" in image
    assert '"http://127.0.0.1:8080/health"' in image
    for file in FULL:
        for queue_class in QUEUE_CLASSES:
            assert not worker(file, queue_class).get("ports")


@pytest.mark.parametrize("file", [PRODUCTION, DEVELOPMENT], ids=lambda one: one.name)
def test_the_image_is_built_from_a_dockerfile_that_is_there(file: Path) -> None:
    builds = [one["build"] for one in services(file).values() if "build" in one]
    assert builds
    for build in builds:
        assert (ROOT / build["context"] / build["dockerfile"]).is_file()


def packages() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found: list[str] = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return found


def test_a_saved_file_of_any_package_reaches_workers_and_deployments() -> None:
    watching = {
        name: service["command"]
        for name, service in services(DEVELOPMENT).items()
        if "watchfiles" in service.get("command", [])
    }
    assert set(watching) == {
        "sandbox",
        "deploying",
        *(f"worker-{one.name}" for one in QUEUE_CLASSES),
    }
    for name, command in watching.items():
        wanted = {"adspark"} if name == "sandbox" else set(packages())
        assert wanted <= set(command), name


def test_the_image_gets_every_package_of_the_product() -> None:
    dockerfile = (ROOT / "deployments" / "docker" / "Dockerfile").read_text().splitlines()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for package in packages():
        assert f"COPY {package} {package}" in dockerfile
        assert f"!{package}" in ignored
