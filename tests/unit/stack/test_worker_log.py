"""Where the worker's log is looked for is where the local stack writes it."""

import pytest

from deployments.stack.local_stack import WORKERS
from orchestration.server.pool_health import find_problems
from orchestration.server.pool_snapshot import PoolSnapshot


@pytest.mark.parametrize("folder", ["ADSPARK_HOME/logs", "ADSPARK_HOME/sandbox/logs"])
def test_a_worker_that_takes_nothing_points_to_the_log_that_there_is(folder: str) -> None:
    pool = PoolSnapshot(
        name="default", is_paused=False, is_ready=True, slots=2, scheduled=3, late=3
    )
    (problem,) = find_problems(pool)
    assert "its worker takes none" in problem.what
    assert f"{folder}/{WORKERS}.log" in problem.remedy
    assert "docker-compose logs worker-default" in problem.remedy
