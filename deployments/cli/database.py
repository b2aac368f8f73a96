"""Which data a command works on: that of the running stack, else of the environment."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from functools import cache
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.configured import database_url
from adspark.db.engine import COMMAND_LOCK_TIMEOUT, Database
from adspark.home.running_stack import running_stack
from adspark.settings import Settings, get_settings
from adspark.users.store import find_new_users
from deployments.environment.running_stack import current_settings as running_stack_settings
from deployments.environment.stack_settings import DEMO_DATA, SANDBOX_DATA
from deployments.environment.termination import exit_by_sigterm, raise_at_termination
from deployments.terminal.output import print_warning
from deployments.terminal.progress import progress

_Result = TypeVar("_Result")

_HOLDS_ANYTHING = text("SELECT EXISTS (SELECT FROM creative) OR EXISTS (SELECT FROM watch)")


def current_settings(settings: Settings | None = None) -> Settings:
    """The settings, but for a stack that runs on the sandbox: its data, its key and its address."""
    return running_stack_settings(settings or get_settings(), _warn_once)


@cache
def _warn_once(message: str) -> None:
    """On standard error: programs read the other."""
    print_warning(message)


async def _warn_of_set_aside_data(database: Database) -> None:
    """Say on standard error where the data of a sandbox are, if this database holds nothing."""
    home = get_settings().home
    kept = [name for name in (SANDBOX_DATA, DEMO_DATA) if (home / name / "postgres").is_dir()]
    if not kept or running_stack(home) is not None:
        return
    async with database.session() as session:
        if await session.scalar(_HOLDS_ANYTHING):
            return
    start = "adspark up --sandbox" + ("" if kept[0] == SANDBOX_DATA else f" --data {kept[0]}")
    print_warning(
        f"No ads and no watches are stored here; those of the {kept[0]} are kept apart; to work on "
        f"them: {start}"
    )


@asynccontextmanager
async def open_database(settings: Settings | None = None) -> AsyncIterator[Database]:
    """The current database, or that of other settings; it is started where it is embedded."""
    chosen = settings or current_settings()
    with (
        raise_at_termination(exit_by_sigterm),
        database_url(chosen, on_upgrade=print_warning) as url,
    ):
        async with Database(url, lock_timeout=COMMAND_LOCK_TIMEOUT) as database:
            if settings is None:
                await _warn_of_set_aside_data(database)
            yield database


async def warn_of_new_users(session: AsyncSession, user_ids: Collection[int]) -> None:
    """Say on standard error of which users nothing is stored; a number may be a typing mistake."""
    for number in await find_new_users(session, user_ids) if user_ids else ():
        print_warning(
            f"User {number} is new here: nothing of theirs was stored before; those there are: "
            "adspark users list"
        )


def in_session(
    act: Callable[[AsyncSession], Awaitable[_Result]],
    *,
    commits: bool = False,
    acts_for: Collection[int] = (),
) -> _Result:
    """Call `act` with a session of the current database, and return what it returns.

    Args:
        act: what is done.
        commits: whether it is kept.
        acts_for: the users as whose something is stored; new ones are warned of.
    """
    with progress("Working on the database"):
        return asyncio.run(act_in_session(act, commits=commits, acts_for=acts_for))


async def act_in_session(
    act: Callable[[AsyncSession], Awaitable[_Result]],
    *,
    commits: bool = False,
    acts_for: Collection[int] = (),
) -> _Result:
    """The same in an event loop that runs already.

    Args:
        act: what is done.
        commits: whether it is kept.
        acts_for: the users as whose something is stored; new ones are warned of.
    """
    async with open_database() as database, database.session() as session:
        await warn_of_new_users(session, acts_for)
        result = await act(session)
        if commits:
            await session.commit()
        return result
