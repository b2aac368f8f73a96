"""The image, built once, and the installations that are made of it."""

import shutil
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from benchmarks.ports import free_port
from tests.containers.hungry_flow import HungryFlow
from tests.containers.installation import (
    IMAGE,
    PASSWORD,
    ROOT,
    SECRETS,
    USER,
    Installation,
    compose_programs,
    copy_source,
    run,
    write_settings,
)


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image, built from this source by Compose, once for all."""
    docker = shutil.which("docker")
    if docker is None or run([docker, "version"], check=False).returncode != 0:
        pytest.skip("no Docker engine answers")
    folder = copy_source(tmp_path_factory.mktemp("build"))
    shutil.copy(ROOT / "docker-compose.yml", folder)
    write_settings(folder, {"ADSPARK_IMAGE": IMAGE} | dict.fromkeys(SECRETS, "no-secret"))
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
        is_development = "docker-compose.dev.yml" in files
        if not is_development:
            options += ["--profile", "sandbox"]
        one = Installation(program, tuple(options), folder, name, free_port(), free_port())
        # Development needs no secret, so it is given none.
        needed = {
            "POSTGRES_PASSWORD": uuid4().hex,
            "REDIS_PASSWORD": uuid4().hex,
            "PREFECT_SERVER_API_AUTH_STRING": f"{USER}:{PASSWORD}",
        }
        values = {
            **({} if is_development else needed),
            "POSTGRES_PORT": str(free_port()) if is_development else "5432",
            "ADSPARK_STACK": name,
            "ADSPARK_IMAGE": image,
            "ADSPARK_API_PORTS": str(one.api_port),
            "ADSPARK_METRICS_PORT": str(free_port()),
            "ADSPARK_GALLERY_PORT": str(free_port()),
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
        one.remove()


@pytest.fixture(scope="session")
def production(installations: Callable[..., Installation]) -> Installation:
    """Started from nothing, on the sandbox."""
    made = installations(compose_programs()[0], "docker-compose.yml")
    made.compose("up", "-d")
    made.until_well()
    return made


@pytest.fixture(scope="session")
def hungry(production: Installation) -> HungryFlow:
    """Starts runs of a flow of the tests."""
    return HungryFlow(production)
