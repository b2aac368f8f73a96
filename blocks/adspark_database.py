"""The block that holds the address of AdSpark's database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Self

from prefect.runtime import flow_run, task_run
from pydantic import Field, HttpUrl, SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.configured import open_database
from adspark.db.engine import Database
from adspark.settings import Settings, get_settings
from adspark.tracing import identify
from blocks.configured import ConfiguredBlock


class AdSparkDatabase(ConfiguredBlock):
    """Where creatives, watches, fetches and variants are stored."""

    _block_type_name = "AdSpark Database"
    _block_type_slug = "adspark-database"
    _description = "The PostgreSQL database that AdSpark stores creatives and fetches in."
    _documentation_url = HttpUrl(
        "https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING"
    )
    _logo_url = HttpUrl("https://www.postgresql.org/media/img/about/press/elephant.png")

    url: SecretStr | None = Field(
        default=None,
        description="postgresql://user:password@host:5432/adspark; empty: the embedded server.",
    )

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(url=settings.database_url)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Database]:
        """The database.

        Raises:
            DatabaseSetupError, DatabaseUnavailableError: it cannot be used as configured.
        """
        settings = get_settings().model_copy(update={"database_url": self.url})
        async with open_database(settings) as database:
            yield database


# The database that the block around us is connected to, and the event loop to which that belongs.
_connected: ContextVar[tuple[asyncio.AbstractEventLoop, Database] | None] = ContextVar(
    "adspark_connected", default=None
)


@asynccontextmanager
async def connect_database() -> AsyncIterator[Database]:
    """The database of the saved block, else of the environment; see `AdSparkDatabase.connect`.

    A task inside a flow that has connected shares the flow's. Spans that are made meanwhile have
    the ids of the flow run and the task run.
    """
    loop, around = asyncio.get_running_loop(), _connected.get()
    with identify(flow_run=flow_run.id, task_run=task_run.id):
        if around is not None and around[0] is loop:
            yield around[1]
            return
        async with (await AdSparkDatabase.load_configured()).connect() as database:
            _connected.set((loop, database))
            try:
                yield database
            finally:
                _connected.set(around)


@asynccontextmanager
async def open_session() -> AsyncIterator[AsyncSession]:
    """A session of that database; the caller commits."""
    async with connect_database() as database, database.session() as session:
        yield session
