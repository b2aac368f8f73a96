"""The one rule on retries: temporary errors and time-outs are retried, nothing else is.

Nor is a want of room: a run that waits for it keeps others from its pool's slot.
"""

import inspect
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.utilities.annotations import NotSet
from pydantic import TypeAdapter

from adspark.errors import NoRoomError, TemporaryError
from adspark.settings import get_settings
from adspark.waits import tell_wait
from orchestration.runs import waits  # noqa: F401  (what is told stands in the run's log)
from orchestration.runs.results import unwrap

# Share of a delay by which it may be longer, so that runs that failed together part.
_JITTER = 0.3

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")
_Work = Callable[_Parameters, Coroutine[Any, Any, _Result]]


def retried_task(
    *, is_cached: bool = False
) -> Callable[[_Work[_Parameters, _Result]], _Work[_Parameters, _Result]]:
    """A task that touches the network or the database: retried as the settings say at its call.

    With `is_cached` a flow run that is started again takes the result of its earlier start.
    """

    def decorate(work: _Work[_Parameters, _Result]) -> _Work[_Parameters, _Result]:
        made = task(
            cache_policy=NotSet if is_cached else NO_CACHE,
            retry_jitter_factor=_JITTER,
            retry_condition_fn=is_temporary,
        )(work)
        result: TypeAdapter[_Result] = TypeAdapter(inspect.signature(work).return_annotation)

        @wraps(work)
        async def call(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
            delays = list(get_settings().retry_delays)
            retried = made.with_options(retries=len(delays), retry_delay_seconds=delays)
            # That of an earlier start comes as it is stored, a document.
            return result.validate_python(unwrap(await retried(*args, **kwargs)))

        return call

    return decorate


async def is_temporary(_task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed task, which has an attempt left, is worth it; tells what that waits for.

    Args:
        _task: not used; Prefect passes it.
        run: of the attempt that failed.
        state: with the error.
    """
    error = await state.aresult(raise_on_failure=False)
    if isinstance(error, NoRoomError) or not isinstance(error, TemporaryError | TimeoutError):
        return False
    delays, attempt = get_settings().retry_delays, max(1, run.run_count)
    tell_wait(
        f"attempt {attempt + 1} of {len(delays) + 1} follows; {str(error) or type(error).__name__}",
        seconds=delays[min(attempt, len(delays)) - 1] * (1 + _JITTER),
    )
    return True
