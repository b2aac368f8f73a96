"""Which data a command works on: that of the running stack, else of the environment."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.configured import database_url
from adspark.db.engine import COMMAND_LOCK_TIMEOUT, Database
from adspark.home.running_stack import running_stack
from adspark.settings import Settings, get_settings
from deployments.environment.stack_settings import sandbox_settings
from deployments.terminal.output import print_warning

_Found = TypeVar("_Found")


def current_settings(settings: Settings) -> Settings:
    """`settings`, but for a stack that runs on the sandbox: its data, its key and its address."""
    stack = running_stack(settings.home)
    if stack is None or stack.home == settings.home:
        return settings
    if settings.database_url is not None:
        _warn_of_other_database()
    return sandbox_settings(settings, stack.home.name)


@cache
def _warn_of_other_database() -> None:
    """Say it once, on standard error: programs read the other."""
    print_warning(
        "A stack on the sandbox runs, so its own database is used, not that of "
        "ADSPARK_DATABASE_URL; for that one: adspark down"
    )


def in_session(act: Callable[[AsyncSession], Awaitable[_Found]]) -> _Found:
    """Do something in a session of the current database, to the end."""
    return asyncio.run(act_in_session(act))


async def act_in_session(act: Callable[[AsyncSession], Awaitable[_Found]]) -> _Found:
    """Do something in a session of the current database; whoever acts commits."""
    with database_url(current_settings(get_settings())) as url:
        async with (
            Database(url, lock_timeout=COMMAND_LOCK_TIMEOUT) as database,
            database.session() as session,
        ):
            return await act(session)
