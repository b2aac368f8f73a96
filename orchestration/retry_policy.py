"""The one rule on retries: temporary errors and time-outs are tried again, nothing else is."""

from collections.abc import Awaitable, Callable
from typing import Any, TypedDict

from prefect import Task
from prefect.client.schemas.objects import State, TaskRun

from adspark.errors import TemporaryError
from adspark.settings import get_settings

JITTER = 0.3
"""Share of a delay by which it may be longer, so that runs that failed together part."""


def retry_delays() -> list[float]:
    """Seconds before each retry; as many retries as there are numbers."""
    return list(get_settings().retry_delays)


async def is_temporary(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed task is worth another try."""
    error = await state.aresult(raise_on_failure=False)
    return isinstance(error, TemporaryError | TimeoutError)


class RetryOptions(TypedDict):
    """The options of `@task` that make it retried."""

    retries: int
    retry_delay_seconds: list[float]
    retry_jitter_factor: float
    retry_condition_fn: Callable[[Task[..., Any], TaskRun, State[Any]], Awaitable[bool]]


RETRIED: RetryOptions = {
    "retries": len(retry_delays()),
    "retry_delay_seconds": retry_delays(),
    "retry_jitter_factor": JITTER,
    "retry_condition_fn": is_temporary,
}
"""For every task that touches the network or the database."""
