"""Where the worker's log is looked for is where the local stack writes it."""

import pytest

from deployments.stack.local_stack import WORKERS
from orchestration.server.pool_health import find_problems
from orchestration.server.pool_snapshot import PoolSnapshot


def idle_pool(*, found_late: float) -> PoolSnapshot:
    return PoolSnapshot(
        name="default",
        is_paused=False,
        is_ready=True,
        slots=2,
        late=3,
        oldest_late=found_late + 840.0,
        found_late=found_late,
    )


@pytest.mark.parametrize("folder", ["ADSPARK_HOME/logs", "ADSPARK_HOME/sandbox/logs"])
def test_a_worker_that_takes_nothing_points_to_the_log_that_there_is(folder: str) -> None:
    (problem,) = find_problems(idle_pool(found_late=61.0))
    assert "its worker takes none" in problem.what
    assert f"{folder}/{WORKERS}.log" in problem.remedy
    assert "docker-compose logs worker-default" in problem.remedy


def test_a_moment_without_a_run_in_a_pool_that_is_busy_is_no_problem() -> None:
    assert find_problems(idle_pool(found_late=22.0)) == []


def test_what_was_due_while_the_server_was_down_is_no_problem_as_soon_as_it_is_back() -> None:
    pool = idle_pool(found_late=2.0)
    pool.running = 1
    assert find_problems(pool) == []
