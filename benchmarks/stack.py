"""The local stack for one run of a benchmark: in a folder of its own, on free ports; or one that
runs already."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
from prefect.settings import PREFECT_API_URL, temporary_settings

from adspark.db.embedded import ADSPARK_DATABASE, LocalPostgres, postgres_folder
from adspark.home.running_stack import read_state
from adspark.settings import get_settings
from benchmarks.ports import free_port

ADSPARK = (sys.executable, "-m", "deployments.cli.main")


@dataclass(frozen=True)
class Stack:
    """A running stack.

    Attributes:
        environment: of its users.
        start: seconds of its first start, as a person waits for it; None where it ran already.
    """

    home: Path
    environment: dict[str, str]
    start: float | None = None

    @property
    def database_url(self) -> str:
        """AdSpark's database in it."""
        return LocalPostgres(postgres_folder(self.home)).url(ADSPARK_DATABASE)

    def adspark(self, *arguments: str) -> str:
        """Run the command to its end; returns what it prints."""
        done = subprocess.run(
            [*ADSPARK, *arguments], env=self.environment, cwd=self.home, text=True,
            stdout=subprocess.PIPE, check=False,
        )  # fmt: skip
        return done.stdout

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Prefect's client talks to it inside the block."""
        with temporary_settings({PREFECT_API_URL: self.environment["PREFECT_API_URL"]}):
            yield

    def memory(self) -> tuple[int, float]:
        """How many processes it has, PostgreSQL's among them, and their memory (PSS, megabytes)."""
        count, proportional = 0, 0
        for process in psutil.process_iter():
            with suppress(psutil.Error):  # another account's, or one that has just ended
                if Path(process.cwd()).is_relative_to(self.home):  # as of all that it starts
                    proportional += process.memory_full_info().pss
                    count += 1
        return count, proportional / 2**20

    def log(self) -> str:
        """The end of the supervisor's log."""
        return (self.home / "stack.log").read_text()[-2000:]


@contextmanager
def stack_to_measure(*, is_running: bool) -> Iterator[Stack]:
    """The stack that runs in ADSPARK_HOME where `is_running`, else one of its own."""
    if not is_running:
        with running_stack() as stack:
            yield stack
        return
    state = read_state(home := get_settings().home)
    if state is None:
        raise SystemExit(f"No stack runs in {home} (ADSPARK_HOME); leave --running out.")
    stack = Stack(home, {**os.environ, "PREFECT_API_URL": state.api_url})
    with stack.asked():
        yield stack


@contextmanager
def running_stack(**settings: str) -> Iterator[Stack]:
    """A stack with these settings; Prefect's client talks to it inside the block."""
    with tempfile.TemporaryDirectory(prefix="adspark-bench-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        home.chmod(0o755)  # for root, PostgreSQL runs as another account
        port, metrics_port, gallery_port = free_port(), free_port(), free_port()
        api_url = f"http://127.0.0.1:{port}/api"
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("ADSPARK_", "PREFECT_"))}
        environment = clean | {
            "ADSPARK_HOME": name,
            "ADSPARK_PREFECT_PORT": str(port),
            "ADSPARK_METRICS_PORT": str(metrics_port),
            "ADSPARK_GALLERY_PORT": str(gallery_port),
            "PREFECT_HOME": str(home / "prefect"),
            "PREFECT_API_URL": api_url,
            **settings,
        }
        began = time.monotonic()
        stack = Stack(home, environment)
        try:
            subprocess.run(
                [*ADSPARK, "up", "--detach"], env=environment, cwd=home, check=True,
                stdout=subprocess.DEVNULL,
            )  # fmt: skip
            stack = replace(stack, start=time.monotonic() - began)
            with stack.asked():
                yield stack
        except BaseException:
            sys.stderr.write(stack.log())
            raise
        finally:
            stack.adspark("down")
