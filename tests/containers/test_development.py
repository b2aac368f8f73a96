"""docker-compose.dev.yml: one command, and a saved file is in use."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from deployments.queue_classes import QUEUE_CLASSES
from tests.containers.installation import PAUSE, Installation, compose_programs
from tests.support import asking
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def development(installations: Callable[..., Installation]) -> Iterator[Installation]:
    """Started, on a copy of the source."""
    made = installations(compose_programs()[-1], "docker-compose.dev.yml")
    made.compose("up", "-d")
    made.until_well()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def saved(development: Installation) -> Installation:
    """After a file of each kind was changed, as an editor does it."""
    for file, old, new in (
        ("flows/probe.py", "reaches the database in", "has seen it after"),
        ("prefect.yaml", "Check one watch now", "Look at one watch now"),
        ("adspark/sandbox/control/routes.py", '{"status": "ok"', '{"status": "changed"'),
    ):
        path = development.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
    return development


def answers(development: Installation) -> list[str]:
    """What a probe of each pool says."""
    told = development.compose("exec", "-T", "metrics", "adspark", "status", "--probe", "--json")
    return [one["answer"] or one["problem"] for one in json.loads(told.stdout)["check"]["probes"]]


def test_every_pool_works_without_a_password(development: Installation) -> None:
    told = answers(development)
    assert len(told) == len(QUEUE_CLASSES)
    assert all("reaches the database in" in one for one in told)


def test_a_saved_deployment_is_provisioned(saved: Installation) -> None:
    def described() -> str:
        return str(saved.ask("deployments/name/process-watch/process-watch")["description"])

    wait_until(lambda: described().startswith("Look at one watch now"), pause=PAUSE)


def test_a_saved_sandbox_is_served(saved: Installation) -> None:
    url = f"http://127.0.0.1:{saved.sandbox_port}/health"

    def told() -> str:
        try:
            return str(asking.get(url).json()["status"])
        except httpx.HTTPError:
            return ""

    wait_until(lambda: told() == "changed", pause=PAUSE)


def test_a_saved_flow_is_in_use_by_the_next_run(saved: Installation) -> None:
    wait_until(lambda: all("has seen it after" in one for one in answers(saved)), pause=PAUSE)
