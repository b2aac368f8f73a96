"""Runs that want memory, or wait, or end in some way, in an installation."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from deployments.queue_classes import QUEUE_CLASSES
from tests.containers.installation import Installation

_FOLDER = "/var/lib/adspark/tried"  # in the volume that each run has


class HungryFlow:
    """Deploys `hungry.py` to each pool, and starts runs of it."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._write("hungry.py", (Path(__file__).parent / "hungry.py").read_text())
        self._write("broken.py", "import no_such_module\n")
        flow = installation.ask("flows/", {"name": "hungry"})["id"]
        for pool in (one.name for one in QUEUE_CLASSES):
            for name, entrypoint in (
                (pool, "hungry.py:hungry"),
                (f"broken-{pool}", "broken.py:hungry"),
            ):
                body = {
                    "name": name,
                    "flow_id": flow,
                    "path": _FOLDER,
                    "entrypoint": entrypoint,
                    "work_pool_name": pool,
                    "tags": ["adspark"],
                    "pull_steps": [],
                    "enforce_parameter_schema": False,
                }
                installation.ask("deployments/", body)

    def __call__(
        self, pool: str, *, variables: Mapping[str, object] | None = None, **parameters: object
    ) -> str:
        """Start a run; returns its id."""
        return self._installation.start(f"hungry/{pool}", parameters, **(variables or {}))

    def let_end(self, *run_ids: str) -> None:
        """Let runs end that wait for it."""
        for run_id in run_ids:
            self._write(run_id, "")

    def _write(self, name: str, text: str) -> None:
        """Write a file into the volume that each run has."""
        command = ["docker", "exec", "-i", self._installation.of("metrics").id, "sh", "-c"]
        command += [f"mkdir -p {_FOLDER} && cat > {_FOLDER}/{name}"]
        subprocess.run(command, input=text, text=True, check=True)
