"""Work at once and in threads, of which nothing goes on once the caller is told of its end."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import ParamSpec, TypeVar

_Args = ParamSpec("_Args")
_Result = TypeVar("_Result")


async def in_thread(
    function: Callable[_Args, _Result], *args: _Args.args, **kwargs: _Args.kwargs
) -> _Result:
    """What the function returns or raises; a cancellation waits for its end, and tells of nothing
    else."""
    work = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.gather(work, return_exceptions=True)
        raise


async def all_of(work: Iterable[Coroutine[None, None, _Result]]) -> list[_Result]:
    """What each comes to, in their order; at the first error the others are cancelled."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [one.result() for one in tasks]
