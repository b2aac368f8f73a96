"""Processes on this host that have outlived their run: it has ended, and they still run; and the
folders that runs have left.

A run's process ends itself soon after its run (`time_limits`), and its worker ends what it has
started; what escapes both is for a person.
"""

import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psutil
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun

from orchestration.limits.time_limits import RUN_VARIABLE
from orchestration.runs.flow_runs import read_runs_by_id
from orchestration.runs.requeue import is_over
from orchestration.server.pool_health import Problem

_FOLDER = re.compile(r"/adspark-run-([0-9a-f-]{36})-\w+/")
_BEGINNING = 60.0  # seconds in which a run has a folder and may have no process yet
_FORKED = "multiprocessing"  # in the command of a process that was forked from a server of its


def name_folder(flow_run_id: UUID) -> str:
    """The beginning of the name of a run's own folder, by which its process is found."""
    return f"adspark-run-{flow_run_id}-"


def find_folders(flow_run_id: UUID) -> list[Path]:
    """The folders that a run has now: of each of its processes, one."""
    return list(Path(tempfile.gettempdir()).glob(f"{name_folder(flow_run_id)}*"))


def remove_folders(folders: Iterable[Path]) -> None:
    """Remove folders of runs whose process is gone."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def remove_left_folders() -> None:
    """Remove the folders of all runs that have no process on this host any more."""
    alive = {run_id for run_id, _ in _find_processes()}
    for folder in Path(tempfile.gettempdir()).iterdir():
        with suppress(OSError, ValueError):
            found = _FOLDER.search(f"/{folder.name}/")
            is_old = time.time() - folder.lstat().st_mtime > _BEGINNING
            if found and is_old and UUID(found[1]) not in alive:
                shutil.rmtree(folder, ignore_errors=True)


async def find_outliving(client: PrefectClient, grace: float) -> list[Problem]:
    """Processes that still run `grace` seconds after their run has ended, and how to end them.

    Runs that this server does not know are another one's.
    """
    found: dict[UUID, list[psutil.Process]] = {}
    for run_id, process in _find_processes():
        found.setdefault(run_id, []).append(process)
    now = datetime.now(UTC)
    return [
        _problem_of(run, found[run.id], now)
        for run in await read_runs_by_id(client, list(found))
        if is_over(run.state) and run.end_time and now - run.end_time > timedelta(seconds=grace)
    ]


def _find_processes() -> Iterator[tuple[UUID, psutil.Process]]:
    """What runs of this host are, and what they have started."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError, ValueError):
            if run_id := process.environ().get(RUN_VARIABLE):
                yield UUID(run_id), process
            elif any(_FORKED in part for part in process.cmdline()):
                # Its environment is not to be seen, but it writes into its run's folder.
                for file in process.open_files():
                    if folder := _FOLDER.search(file.path):
                        yield UUID(folder[1]), process
                        break


def _problem_of(run: FlowRun, processes: list[psutil.Process], now: datetime) -> Problem:
    pids = " ".join(str(process.pid) for process in processes)
    minutes = (now - (run.end_time or now)).total_seconds() / 60
    state = f"is {run.state_name} for {minutes:.0f} min"
    what = f"run {run.name} {state}, and has left processes running ({pids})"
    return Problem(what, f"kill -KILL {pids}")
