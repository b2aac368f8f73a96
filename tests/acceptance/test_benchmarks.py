"""Every benchmark runs to its end in its smallest size; what it measures depends on the machine."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.celery_peer.run import missing_parts

ROOT = Path(__file__).parents[2]
_PATIENCE = 500  # seconds for a benchmark, and for one that was interrupted to stop its stack

# Exit code 1 says that a ratio was missed, which a busy machine may do; not so where nothing but
# what was done is judged.
SMALLEST: dict[str, tuple[list[str], set[int]]] = {
    "ingest": (["--smallest"], {0, 1}),
    "sweep": (["--smallest"], {0, 1}),
    "due": (["--smallest"], {0, 1}),
    "limit": (["--quick"], {0, 1}),
    "render": (["--smallest"], {0, 1}),
    "cleanup": (["--smallest"], {0, 1}),
    "archive": (["--smallest"], {0, 1}),
    "words": (["--quick"], {0, 1}),
    "library": (["--smallest"], {0, 1}),
    "export": (["--quick"], {0, 1}),
    "gallery": (["--smallest"], {0, 1}),
    "mcp": (["--smallest"], {0, 1}),
    "dispatch": (["--quick"], {0}),
    "runs": (["--quick"], {0}),
    "batch": (["--quick"], {0}),
    "chaos": (["--quick"], {0}),
}


def test_every_benchmark_is_run_here_and_by_make() -> None:
    programs = {
        file.stem
        for file in (ROOT / "benchmarks").glob("*.py")
        if '__name__ == "__main__"' in file.read_text() and not file.stem.endswith("_probe")
    }
    assert programs == set(SMALLEST)
    makefile = (ROOT / "Makefile").read_text()
    assert [name for name in programs if f"-m benchmarks.{name}\n" not in makefile] == []


@pytest.mark.parametrize("name", SMALLEST)
@pytest.mark.timeout(2 * _PATIENCE + 60)
def test_a_benchmark_runs_to_its_end(name: str, tmp_path: Path) -> None:
    run_to_its_end(name, *SMALLEST[name], tmp_path)


@pytest.mark.skipif(bool(missing_parts()), reason=f"needs {', '.join(missing_parts())}")
@pytest.mark.timeout(2 * _PATIENCE + 60)
def test_a_sweep_stores_what_its_celery_peer_stores(tmp_path: Path) -> None:
    run_to_its_end("sweep", ["--smallest", "--peer"], {0, 1}, tmp_path)


def run_to_its_end(name: str, arguments: list[str], good: set[int], tmp_path: Path) -> None:
    file = tmp_path / "output"
    with file.open("w") as output:  # a file, for a benchmark that hangs is to be read as well
        process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.{name}", *arguments], stdout=output, stderr=output
        )
        try:
            code = process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # it stops its stack
            code = process.wait(_PATIENCE)
    printed = file.read_text()
    assert "Traceback" not in printed, printed[-5000:]
    assert code in good, printed[-5000:]
    assert printed.strip()
