"""Benchmarks in their smallest size, as processes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PATIENCE = 500
"""Seconds for a benchmark, and for one that was interrupted to stop its stack."""

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
    "batch": (["--quick"], {0}),
    "chaos": (["--quick"], {0}),
}
"""Their options and good exit codes."""

ON_A_STACK: dict[str, tuple[list[str], set[int]]] = {
    "dispatch": (["--quick", "--running"], {0}),
    "runs": (["--quick", "--running"], {0}),
}
"""Those that measure a stack that runs already."""


def run_to_its_end(
    name: str,
    arguments: list[str],
    good: set[int],
    folder: Path,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a benchmark; it prints something, no traceback, and ends with a good exit code.

    Args:
        name: of its module.
        arguments: its options.
        good: exit codes.
        folder: for the file of its output.
        environment: another than this process's.
    """
    file = folder / "output"
    with file.open("w") as output:  # a file, for a benchmark that hangs is to be read as well
        process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.{name}", *arguments],
            stdout=output,
            stderr=output,
            env={**(environment or os.environ), "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # it stops its stack
            code = process.wait(PATIENCE)
    printed = file.read_text()
    assert "Traceback" not in printed, printed[-5000:]
    assert code in good, printed[-5000:]
    assert printed.strip()
