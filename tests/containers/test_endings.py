"""Every way in which a run can end in a container of its own tells its cause."""

from collections.abc import Callable

import pytest

from tests.containers.conftest import Installation, run
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

OUT_OF_MEMORY = "Out of memory: it was killed at its limit of 512 MB"


@pytest.mark.parametrize(
    ("how", "state", "message"),
    [
        ("breaks", "Failed", "Its process ended by itself (SIGSEGV)"),
        ("exits", "Failed", "Its process ended by itself (exit code 3): the disk is full"),
        ("hangs", "TimedOut", "It had not ended 1 s after its time limit of 1 s, and was killed"),
    ],
)
def test_an_end_by_itself_is_told(
    production: Installation, hungry: Callable[..., str], how: str, state: str, message: str
) -> None:
    bounds = {"env": {"ADSPARK_CLEANUP_TIME_LIMIT": "1", "ADSPARK_TIDY_UP_TIME": "1"}}
    ended = production.until_ended(hungry("default", variables=bounds, how=how))
    assert (ended["state_type"], ended["state_name"]) == ("FAILED", state)
    assert message in ended["state"]["message"]


def test_a_flow_whose_module_is_missing_says_which(
    production: Installation, hungry: Callable[..., str]
) -> None:
    ended = production.until_ended(hungry("broken-default"))
    assert (ended["state_type"], ended["run_count"]) == ("FAILED", 0)
    missing = "Its flow cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'"
    assert ended["state"]["message"].startswith(missing)


def test_a_lack_of_memory_is_told(production: Installation, hungry: Callable[..., str]) -> None:
    ended = production.until_ended(hungry("default", megabytes=800))
    assert ended["state_type"] == "CRASHED"
    assert OUT_OF_MEMORY in ended["state"]["message"]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["rm", "-f"], "Its container was removed. It is requeued."),
        (["kill"], "Its process was killed from outside (SIGKILL)."),
        (["stop", "-t", "20"], "was stopped. It is requeued."),
    ],
    ids=["removed", "killed", "stopped"],
)
def test_a_container_that_is_ended_from_outside_is_told_and_its_run_is_run_again(
    production: Installation, hungry: Callable[..., str], command: list[str], told: str
) -> None:
    run_id = hungry("default", seconds=12)
    production.until(run_id, "RUNNING")
    (container,) = production.containers_of_run(run_id).values()
    run(["docker", *command, container.id])
    wait_until(lambda: production.read_run(run_id)["run_count"] == 2)
    ended = production.until(run_id, "COMPLETED", "FAILED", "CANCELLED")
    assert ended["state_type"] == "COMPLETED"
    assert any(told in one for one in production.messages(run_id)), production.messages(run_id)


def test_a_cancelled_run_is_told_and_gone(
    production: Installation, hungry: Callable[..., str]
) -> None:
    run_id = hungry("default", seconds=300)
    production.until(run_id, "RUNNING")
    production.ask(f"flow_runs/{run_id}/set_state", {"state": {"type": "CANCELLING"}})
    ended = production.until_ended(run_id)
    assert (ended["state_type"], ended["state_name"]) == ("CANCELLED", "Cancelled")
    wait_until(lambda: not production.containers_of_run(run_id))
