"""The configured database: one's own server, or the embedded one for as long as it is needed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from typing import TypeVar

from adspark.db import migrate
from adspark.db.embedded import ADSPARK_DATABASE, LocalPostgres, postgres_folder
from adspark.db.engine import Database
from adspark.db.revisions import check_newest, newest
from adspark.home.running_stack import works_on
from adspark.settings import Settings

_Value = TypeVar("_Value")
_log = logging.getLogger(__name__)


@contextmanager
def database_url(
    settings: Settings, *, upgrade: bool = True, on_upgrade: Callable[[str], None] = _log.warning
) -> Iterator[str]:
    """The address of AdSpark's database.

    The embedded server is started where it is not running, and migrated unless a stack works with
    it, which is of an older version; one's own server is left as it is: its operator migrates it
    (`adspark db upgrade`). It blocks: not for an event loop.

    Args:
        settings: that say where it is.
        upgrade: whether an embedded one is migrated.
        on_upgrade: called with a sentence where one that was there was migrated.

    Raises:
        DatabaseSetupError, DatabaseUnavailableError: the embedded server cannot be used.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    with LocalPostgres(postgres_folder(settings.home)).running() as server:
        url = server.url(ADSPARK_DATABASE)
        if upgrade and (at := migrate.current(url)) != newest():
            if works_on(settings.home):
                check_newest(at)
            migrate.upgrade(url)
            if at is not None:
                on_upgrade(f"The database was migrated from {at} to {newest()}.")
        yield url


@asynccontextmanager
async def open_database(
    settings: Settings, *, lock_timeout: float | None = None, answer_timeout: float | None = None
) -> AsyncIterator[Database]:
    """The configured database.

    Args:
        settings: that say where it is.
        lock_timeout: as of `Database`.
        answer_timeout: as of `Database`.

    Raises:
        DatabaseSetupError, DatabaseUnavailableError: it cannot be used as configured.
    """
    async with (
        in_own_thread(database_url(settings)) as url,
        Database(url, lock_timeout=lock_timeout, answer_timeout=answer_timeout) as database,
    ):
        yield database


@asynccontextmanager
async def in_own_thread(context: AbstractContextManager[_Value]) -> AsyncIterator[_Value]:
    """Enter and leave a context that blocks in one thread, to which its file locks belong.

    What was entered is left, also where the caller is cancelled meanwhile.
    """
    loop = asyncio.get_running_loop()
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="adspark-database")
    entered = ExitStack()
    try:
        yield await loop.run_in_executor(thread, entered.enter_context, context)
    finally:
        closing = loop.run_in_executor(thread, entered.close)  # after it was entered
        thread.shutdown(wait=False)
        await asyncio.shield(closing)
