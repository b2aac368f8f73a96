"""Every benchmark runs to its end in its smallest size; what it measures depends on the machine."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Exit code 1 says that a ratio was missed, which a busy machine may do; not so where nothing but
# what was done is judged.
SMALLEST: dict[str, tuple[list[str], set[int]]] = {
    "ingest": (["--smallest"], {0, 1}),
    "sweep": (["--smallest"], {0, 1}),
    "limit": (["--quick"], {0, 1}),
    "render": (["--smallest"], {0, 1}),
    "cleanup": (["--smallest"], {0, 1}),
    "dispatch": (["--quick"], {0}),
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
def test_a_benchmark_runs_to_its_end(name: str) -> None:
    arguments, good = SMALLEST[name]
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stdout + done.stderr
    assert "Traceback" not in told, told[-3000:]
    assert done.returncode in good, told[-3000:]
    assert done.stdout.strip()
