"""Time limits of attempts: a soft one, and a hard one that ends the process.

The soft limit cancels the attempt, which may tidy up and is retried. Code that blocks the event
loop, or tidies up for ever, does not hear of it. After ADSPARK_TIDY_UP_TIME more the process is
killed with all that it has started; its run is Failed ("TimedOut") and not run again by itself.

What an attempt leaves behind, as a thread that goes on, may keep the process from ending with its
run. That is watched until the process is gone, whatever the run's flow is (`end_with_run`).
"""

import asyncio
import faulthandler
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, NoReturn, ParamSpec, TypeVar
from uuid import UUID

import psutil
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Failed

from adspark.settings import get_settings
from orchestration.runs.optional import is_from_prefect
from orchestration.runs.requeue import is_over
from orchestration.runs.state_changes import change_state_sync

_LAST_RESORT = (
    30.0  # seconds more, for code that lets no other thread run; also for a server's answer
)
_STDERR = 2
_WHERE = "the worker's log says where it was."
TIMED_OUT = 124
"""Exit code, as of `timeout`, of a process that was killed at its hard limit, unreported."""
KILLED_LATE = f"It had not ended after its time limit, and was killed; {_WHERE}"
"""The message of its state then."""
KILLED_AT_LAST = "Timeout ("
"""What `faulthandler` writes where no other thread could run; that ends with code 1."""
RUN_VARIABLE = "PREFECT__FLOW_RUN_ID"
"""In the environment of everything that a run starts."""

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")
_Work = Callable[_Parameters, Coroutine[Any, Any, _Result]]


def time_limit(
    setting: str,
) -> Callable[[_Work[_Parameters, _Result]], _Work[_Parameters, _Result]]:
    """Give the function of a task or flow a soft and a hard limit, read at each call.

    The soft one is that of the setting, in seconds; at it, the function raises TimeoutError. The
    function's attribute `time_limit` names the setting.
    """

    def decorate(work: _Work[_Parameters, _Result]) -> _Work[_Parameters, _Result]:
        @wraps(work)
        async def limited(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
            soft = float(getattr(get_settings(), setting))
            scope = asyncio.timeout(soft)
            try:
                with _watchdog(soft):
                    async with scope:
                        return await work(*args, **kwargs)
            except TimeoutError:
                if not scope.expired():
                    raise
                raise TimeoutError(f"its time limit of {soft:g} s is over") from None

        limited.time_limit = setting  # type: ignore[attr-defined]
        return limited

    return decorate


def end_with_run(flow_run_id: UUID) -> None:
    """Have this process, which is the run's own, killed with all that it has started once the run
    has had an end, or was deleted, for longer than ADSPARK_TIDY_UP_TIME."""
    watching = threading.Thread(
        target=_end_after_run, args=[flow_run_id], name="end with run", daemon=True
    )
    watching.start()


def _end_after_run(flow_run_id: UUID) -> None:
    pause = get_settings().tidy_up_time
    was_over = False
    while True:
        time.sleep(pause)
        has_ended = is_deleted = False
        with suppress(Exception), get_client(sync_client=True) as client:  # it is read again
            try:
                has_ended = is_over(client.read_flow_run(flow_run_id).state)
            except ObjectNotFound as error:
                is_deleted = is_from_prefect(error)
        if was_over and has_ended:
            faulthandler.dump_traceback(file=_STDERR, all_threads=True)
            _kill_all(0)  # how it ended is known
        if was_over and is_deleted:
            os.write(_STDERR, f"Run {flow_run_id} was deleted; its process is ended.\n".encode())
            _kill_all(0)
        was_over = has_ended or is_deleted


@contextmanager
def _watchdog(soft: float) -> Iterator[None]:
    run_id = flow_run.id
    if run_id is None or os.environ.get(RUN_VARIABLE) != str(run_id):
        yield  # a plain call: the process is somebody else's
        return
    hard = soft + get_settings().tidy_up_time
    timer = threading.Timer(hard, _end_process, [UUID(run_id), soft])
    timer.daemon = True
    timer.start()
    faulthandler.dump_traceback_later(hard + _LAST_RESORT, exit=True, file=_STDERR)
    try:
        yield
    finally:
        timer.cancel()
        faulthandler.cancel_dump_traceback_later()


def _end_process(run_id: UUID, soft: float) -> None:
    """Log where it hangs, set its state and kill the process."""
    faulthandler.dump_traceback(file=_STDERR, all_threads=True)
    grace = get_settings().tidy_up_time
    message = (
        f"It had not ended {grace:g} s after its time limit of {soft:g} s, and was killed; {_WHERE}"
    )
    code = TIMED_OUT
    with suppress(Exception), get_client(sync_client=True) as client:
        run = client.read_flow_run(run_id)
        if run.state and run.state.is_running():  # a cancelling is its worker's to end
            change_state_sync(client, run, Failed(name="TimedOut", message=message))
        code = 0  # the worker has nothing to add
    _kill_all(code)


def _kill_all(code: int) -> NoReturn:
    """End this process and all that it has started."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    os._exit(code)
