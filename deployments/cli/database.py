"""Which data a command works on: that of the running stack, else of the environment."""

import asyncio
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.configured import database_url
from adspark.db.engine import COMMAND_LOCK_TIMEOUT, Database
from adspark.home.running_stack import running_stack
from adspark.settings import Settings, get_settings
from deployments.environment.stack_settings import sandbox_settings
from deployments.terminal.output import print_warning

_Result = TypeVar("_Result")


def current_settings(settings: Settings | None = None) -> Settings:
    """The settings, but for a stack that runs on the sandbox: its data, its key and its address."""
    settings = settings or get_settings()
    stack = running_stack(settings.home)
    if stack is None or stack.home == settings.home:
        return settings
    configured = settings.database_url and settings.database_url.get_secret_value()
    if configured not in (None, stack.database_url):
        _warn_of_other_database()
    return sandbox_settings(settings, stack.home.name)


@cache
def _warn_of_other_database() -> None:
    """Say it once, on standard error: programs read the other."""
    print_warning(
        "A stack on the sandbox runs, so its own database is used, not that of "
        "ADSPARK_DATABASE_URL; for that one: adspark down"
    )


@asynccontextmanager
async def open_database(settings: Settings | None = None) -> AsyncIterator[Database]:
    """The current database, or that of other settings; it is started where it is embedded."""
    with _exit_at_sigterm(), database_url(settings or current_settings()) as url:
        async with Database(url, lock_timeout=COMMAND_LOCK_TIMEOUT) as database:
            yield database


@contextmanager
def _exit_at_sigterm() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does: by itself it would leave the embedded server, and
    what is half written, behind."""
    is_free = threading.current_thread() is threading.main_thread() and (
        signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if is_free:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        if is_free:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def in_session(
    act: Callable[[AsyncSession], Awaitable[_Result]], *, commits: bool = False
) -> _Result:
    """Call `act` with a session of the current database, and return what it returns."""
    return asyncio.run(act_in_session(act, commits=commits))


async def act_in_session(
    act: Callable[[AsyncSession], Awaitable[_Result]], *, commits: bool = False
) -> _Result:
    """The same in an event loop that runs already."""
    async with open_database() as database, database.session() as session:
        result = await act(session)
        if commits:
            await session.commit()
        return result
