"""The whole stack as a user starts it, through the command, on free ports."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from adspark.home.running_stack import StackState
from benchmarks.ports import free_port
from tests.support import asking
from tests.support.folders import open_folder
from tests.support.waiting import wait_until

INSTALLED = Path(sys.executable).parent / "adspark"


@dataclass(frozen=True)
class Stack:
    """A stack's surroundings: its home, its ports, and the command that runs in them.

    Attributes:
        more: variables of its environment.
        program: the command; other than the installed one where that is only called.
    """

    home: Path
    prefect_port: int
    sandbox_port: int
    metrics_port: int
    gallery_port: int
    more: dict[str, str] = field(default_factory=dict)
    program: Path = INSTALLED

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.prefect_port}/api"

    @property
    def ui_url(self) -> str:
        return f"http://127.0.0.1:{self.prefect_port}"

    @property
    def gallery_url(self) -> str:
        return f"http://127.0.0.1:{self.gallery_port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a user of this stack; nothing else of AdSpark or Prefect is set."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("ADSPARK_", "PREFECT_"))}
        return clean | {
            "ADSPARK_HOME": str(self.home),
            "ADSPARK_PREFECT_PORT": str(self.prefect_port),
            "ADSPARK_SANDBOX_PORT": str(self.sandbox_port),
            "ADSPARK_RETRY_DELAYS": "0.2,0.2",
            "ADSPARK_SEARCHES_PER_MINUTE": "1000",
            "ADSPARK_METRICS_PORT": str(self.metrics_port),
            "ADSPARK_GALLERY_PORT": str(self.gallery_port),
            "ADSPARK_WORDS_RUN_PICTURES": "4",  # each takes a second of a core
            "ADSPARK_DRAIN_TIME": "5",
            "ADSPARK_TIDY_UP_TIME": "2",
            "ADSPARK_CLEANUP_TIME_LIMIT": "4",
            "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "5",
            "PREFECT_HOME": str(self.home / "prefect"),
            "COLUMNS": "200",
            **self.more,
        }

    def adspark(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        return self.run(str(self.program), *arguments, timeout=timeout)

    def run(self, *command: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """Run any program to its end."""
        return subprocess.run(
            command,
            env=self.environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command and go on; it hears Ctrl-C, also where these tests do not."""
        return subprocess.Popen(
            [str(INSTALLED), *arguments],
            env=self.environment,
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def processes(self) -> list[psutil.Process]:
        """Processes that belong to this home."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                told = process.environ().get("ADSPARK_HOME", "") + " ".join(process.cmdline())
                alive = process.status() != psutil.STATUS_ZOMBIE
                if str(self.home) in told and alive and process.pid != os.getpid():
                    found.append(process)
        return found


@contextmanager
def surroundings() -> Iterator[Stack]:
    """A home and ports of one's own; whatever still runs there at the end is stopped."""
    with open_folder() as home:
        made = Stack(home, free_port(), free_port(), free_port(), free_port())
        yield made
        made.adspark("down")
        for process in made.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()


def start_in_foreground(stack: Stack, *arguments: str) -> subprocess.Popen[str]:
    """`adspark up` with these arguments, in the foreground, until it is ready."""
    process = stack.start("up", *arguments)

    def is_ready() -> bool:
        found = state(stack)
        return found is not None and found.ready and found.supervisor.pid == process.pid

    wait_until(lambda: process.poll() is not None or is_ready())
    assert process.poll() is None, process.communicate()[0]
    return process


def stop_by_signal(stack: Stack, process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Tell a stack in the foreground to stop; it does, and leaves nothing."""
    process.send_signal(number)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert "Stopped; nothing is left running." in output
    assert not stack.processes()
    assert state(stack) is None


def last_run(stack: Stack, flow: str) -> dict[str, Any]:
    """The run of a flow that was asked for last, at its end.

    Not one of a schedule: Prefect's scheduler may still add some to one that was just deleted.
    """
    latest = {"sort": "EXPECTED_START_TIME_DESC", "flows": {"name": {"any_": [flow]}}}
    for _ in range(1200):
        runs = asking.post(f"{stack.api_url}/flow_runs/filter", json=latest).json()
        run: dict[str, Any] = next(run for run in runs if not run["auto_scheduled"])
        if run["state_type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}:
            break
        time.sleep(0.25)
    return run


def state(stack: Stack) -> StackState | None:
    """What the stack says of itself."""
    path = stack.home / "stack.json"
    return StackState.model_validate_json(path.read_text()) if path.exists() else None
