"""The benchmarks of runs run to their end on the stack that runs, and leave it as it was."""

from pathlib import Path

import pytest

from tests.support import asking
from tests.support.benchmarking import ON_A_STACK, PATIENCE, run_to_its_end
from tests.support.stack import Stack


@pytest.mark.parametrize("name", ON_A_STACK)
@pytest.mark.timeout(2 * PATIENCE + 60)
def test_a_benchmark_runs_to_its_end_and_leaves_no_deployment(
    name: str, stack: Stack, tmp_path: Path
) -> None:
    before = _deployments_and_pools(stack)
    environment = stack.environment | {"PREFECT_API_URL": stack.api_url}
    run_to_its_end(name, *ON_A_STACK[name], tmp_path, environment)
    assert _deployments_and_pools(stack) == before


def _deployments_and_pools(stack: Stack) -> set[str]:
    return {
        f"{what} {one['name']}"
        for what in ("deployments", "work_pools")
        for one in asking.post(f"{stack.api_url}/{what}/filter", json={}).json()
    }
