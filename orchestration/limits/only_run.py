"""Be the only run of a kind: a lock in the database, for as long as a block lasts."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from adspark.db.engine import Database
from orchestration.limits.retry_policy import retried_task


@asynccontextmanager
async def only_run(database: Database, name: str) -> AsyncIterator[bool]:
    """Try to be the only run that has the lock `name`; yields whether that is so.

    A database that is away is waited for as by a task.
    """
    async with AsyncExitStack() as stack:
        yield await _lock(stack, database, name)


@retried_task()
async def _lock(stack: AsyncExitStack, database: Database, name: str) -> bool:
    return await stack.enter_async_context(database.lock(name))
