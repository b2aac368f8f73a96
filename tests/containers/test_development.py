"""docker-compose.dev.yml: one command, and a saved file is in use."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from deployments.queue_classes import QUEUE_CLASSES
from tests.containers.conftest import Installation, compose_programs
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def development(installations: Callable[..., Installation]) -> Installation:
    """Started, on a copy of the source."""
    made = installations(compose_programs()[-1], "docker-compose.dev.yml")
    made.compose("up", "-d")
    made.until_well()
    return made


def save(file: Path, old: str, new: str) -> None:
    """Change a file as an editor does."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def answers(development: Installation) -> list[str]:
    """What a probe of each pool says."""
    told = development.compose("exec", "-T", "metrics", "adspark", "status", "--probe", "--json")
    return [one["answer"] or one["problem"] for one in json.loads(told.stdout)["check"]["probes"]]


def test_every_pool_works_without_a_password(development: Installation) -> None:
    told = answers(development)
    assert len(told) == len(QUEUE_CLASSES)
    assert all("reaches the database in" in one for one in told)


def test_a_saved_flow_is_in_use_by_the_next_run(development: Installation) -> None:
    save(development.folder / "flows" / "probe.py", "reaches the database in", "has seen it after")
    wait_until(lambda: all("has seen it after" in one for one in answers(development)))


def test_a_saved_deployment_is_provisioned(development: Installation) -> None:
    save(development.folder / "prefect.yaml", "Check one watch now", "Look at one watch now")

    def described() -> str:
        found = development.ask("deployments/name/process-watch/process-watch")
        return str(found["description"])

    wait_until(lambda: described().startswith("Look at one watch now"))


def test_a_saved_sandbox_is_served(development: Installation) -> None:
    url = f"http://127.0.0.1:{development.sandbox_port}/health"
    control = development.folder / "adspark" / "sandbox" / "control.py"
    save(control, '{"status": "ok"', '{"status": "changed"')

    def told() -> str:
        try:
            return str(httpx.get(url).json()["status"])
        except httpx.HTTPError:
            return ""

    wait_until(lambda: told() == "changed")
