"""Every benchmark runs to its end in its smallest size; what it measures depends on the machine."""

from pathlib import Path

import pytest

from benchmarks.celery_peer.run import missing_parts
from tests.support.benchmarking import ON_A_STACK, PATIENCE, SMALLEST, run_to_its_end

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(2 * PATIENCE + 60)


def test_every_benchmark_is_run_here_and_by_make() -> None:
    programs = {
        file.stem
        for file in (ROOT / "benchmarks").glob("*.py")
        if '__name__ == "__main__"' in file.read_text() and not file.stem.endswith("_probe")
    }
    assert programs == {*SMALLEST, *ON_A_STACK}
    makefile = (ROOT / "Makefile").read_text()
    assert [name for name in programs if f"-m benchmarks.{name}\n" not in makefile] == []


@pytest.mark.parametrize("name", SMALLEST)
def test_a_benchmark_runs_to_its_end(name: str, tmp_path: Path) -> None:
    run_to_its_end(name, *SMALLEST[name], tmp_path)


@pytest.mark.skipif(bool(missing_parts()), reason=f"needs {', '.join(missing_parts())}")
def test_a_sweep_stores_what_its_celery_peer_stores(tmp_path: Path) -> None:
    run_to_its_end("sweep", ["--smallest", "--peer"], {0, 1}, tmp_path)
