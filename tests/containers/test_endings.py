"""Every way in which a run can end in a container of its own tells its cause.

A lack of memory, and a SIGKILL from outside: `test_production.py`.
"""

import pytest

from tests.containers.hungry_flow import HungryFlow
from tests.containers.installation import PAUSE, Installation, run
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

BY_ITSELF = {
    "breaks": ("Failed", "Its process ended by itself (SIGSEGV)"),
    "exits": ("Failed", "Its process ended by itself (exit code 3): the disk is full"),
    "hangs": ("TimedOut", "It had not ended 1 s after its time limit of 1 s, and was killed"),
}


@pytest.fixture(scope="module")
def ended_by_themselves(hungry: HungryFlow) -> dict[str, str]:
    """A run of each kind, started at once."""
    bounds = {"env": {"ADSPARK_CLEANUP_TIME_LIMIT": "1", "ADSPARK_TIDY_UP_TIME": "1"}}
    return {how: hungry("default", variables=bounds, how=how) for how in BY_ITSELF}


@pytest.mark.parametrize("how", BY_ITSELF)
def test_an_end_by_itself_is_told(
    production: Installation, ended_by_themselves: dict[str, str], how: str
) -> None:
    ended = production.until_ended(ended_by_themselves[how])
    state, message = BY_ITSELF[how]
    assert (ended["state_type"], ended["state_name"]) == ("FAILED", state)
    assert message in ended["state"]["message"]


def test_a_flow_whose_module_is_missing_says_which(
    production: Installation, hungry: HungryFlow
) -> None:
    ended = production.until_ended(hungry("broken-default"))
    assert (ended["state_type"], ended["run_count"]) == ("FAILED", 0)
    missing = "Its flow cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'"
    assert ended["state"]["message"].startswith(missing)


def test_a_container_that_is_ended_from_outside_is_told_and_its_run_is_run_again(
    production: Installation, hungry: HungryFlow
) -> None:
    wanted = {
        ("rm", "-f"): "Its container was removed. It is requeued.",
        ("stop", "-t", "20"): "was stopped. It is requeued.",
    }
    runs = {command: hungry("default", waits=True) for command in wanted}
    for command, run_id in runs.items():
        production.until(run_id, "RUNNING")
        (container,) = production.containers_of_run(run_id).values()
        run(["docker", *command, container.id])
        hungry.let_end(run_id)
    for command, run_id in runs.items():
        ended = production.until(run_id, "COMPLETED", "FAILED", "CANCELLED")
        assert (ended["state_type"], ended["run_count"]) == ("COMPLETED", 2)
        messages = production.messages(run_id)
        assert any(wanted[command] in one for one in messages), messages


def test_a_cancelled_run_is_told_and_gone(production: Installation, hungry: HungryFlow) -> None:
    run_id = hungry("default", waits=True)
    production.until(run_id, "RUNNING")
    ended = production.cancel(run_id)
    assert (ended["state_type"], ended["state_name"]) == ("CANCELLED", "Cancelled")
    wait_until(lambda: not production.containers_of_run(run_id), pause=PAUSE)
