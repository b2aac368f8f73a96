"""The containers of runs on this host, as Docker knows them; each call waits for its answer."""

import time
from collections.abc import Set
from contextlib import closing, suppress
from typing import NamedTuple
from uuid import UUID

from docker.client import DockerClient
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container
from prefect.client.schemas.objects import State

from deployments.execution.endings import explain_end

RUN = "io.prefect.flow-run-id"
"""The label, which Prefect sets, that names a container's run."""

TROUBLE = (DockerException, OSError, RuntimeError)
"""What is raised where Docker is away, or busy with the same container."""

_POOL = "io.prefect.work-pool-id"  # another installation on this host has pools of the same names
_WORKER = "io.prefect.worker-name"
_UNSTARTED = "created"
_KILLED = 137
_LOOKS, _PAUSE = 5, 0.2  # looks at a killed container, and seconds between two of them
_LINES = 20
_RUNNING = {"running", "paused", "restarting"}


class Ended(NamedTuple):
    """How a container ended: its exit code, and the state of a run that has recorded none."""

    code: int
    state: State


def find_left(pool_id: str, watched: Set[str]) -> dict[str, UUID]:
    """The containers of a pool that none of these workers watches over, with their runs.

    What was never started is removed.
    """
    wanted = {"label": f"{_POOL}={pool_id}"}
    left: dict[str, UUID] = {}
    with _engine() as engine:
        for one in engine.containers.list(all=True, filters=wanted, ignore_removed=True):
            if one.labels.get(_WORKER) in watched:
                continue
            if one.status == _UNSTARTED:
                one.remove(force=True)
            else:
                left[str(one.id)] = UUID(one.labels[RUN])
    return left


def remove_unstarted(run_id: str) -> None:
    """Remove what was made for a run and could not be started."""
    wanted = {"label": f"{RUN}={run_id}", "status": _UNSTARTED}
    with _engine() as engine:
        for one in engine.containers.list(all=True, filters=wanted, ignore_removed=True):
            one.remove(force=True)


def is_of_run(container_id: str, run_id: str) -> bool:
    """Whether there is such a container, and it was made for this run."""
    with _engine() as engine, suppress(NotFound):
        return bool(engine.containers.get(container_id).labels.get(RUN) == run_id)
    return False


def is_running(container_id: str) -> bool:
    """Whether a container has not ended; one that is gone has."""
    with _engine() as engine, suppress(NotFound):
        return engine.containers.get(container_id).status in _RUNNING
    return False


def stop(container_id: str, grace: int) -> None:
    """Ask a container to end, and kill it where it has not after `grace` seconds."""
    with _engine() as engine, suppress(NotFound):
        engine.containers.get(container_id).stop(timeout=grace)


def remove(container_id: str) -> Ended | None:
    """Read how a container ended, and remove it; None where it is gone already."""
    with _engine() as engine, suppress(NotFound):
        container = engine.containers.get(container_id)
        code = int(container.attrs["State"]["ExitCode"])
        state = explain_end(
            code,
            memory=container.attrs["HostConfig"].get("Memory") or None,
            lacked_memory=_lacked_memory(container, code),
            last_lines=_read_last_lines(container) if code else (),
        )
        with suppress(APIError):  # somebody is removing it already
            container.remove(force=True)
        return Ended(code, state)
    return None


def _lacked_memory(container: Container, code: int) -> bool:
    """Whether something in it was killed at its bound; Docker may hear of the end before that."""
    for _ in range(_LOOKS):
        if container.attrs["State"].get("OOMKilled") or code != _KILLED:
            break
        time.sleep(_PAUSE)
        container.reload()  # type: ignore[no-untyped-call]
    return bool(container.attrs["State"].get("OOMKilled"))


def _read_last_lines(container: Container) -> tuple[str, ...]:
    with suppress(APIError):  # its logs go where they cannot be read
        lines: bytes = container.logs(tail=_LINES)  # type: ignore[no-untyped-call]
        return tuple(lines.decode(errors="replace").splitlines())
    return ()


def _engine() -> closing[DockerClient]:
    return closing(DockerClient.from_env())  # type: ignore[no-untyped-call]
