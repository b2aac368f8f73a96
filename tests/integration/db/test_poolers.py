"""Behind a pooler that lends server processes for one transaction no lock holds: it is refused."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url, text

from adspark.creatives.fetch import fetch_query
from adspark.db import migrate
from adspark.db.engine import Database
from adspark.db.revisions import newest
from adspark.errors import ConfigurationError, DatabaseSetupError
from adspark.maintenance.health_checks import check_database
from adspark.settings import Settings
from adspark.variants.generate import claim_variant
from adspark.watches.check import Checker
from deployments.operations import full_check
from tests.support.factories import creative_row, query
from tests.support.stand_in import StandIn

_READY, _IDLE = b"Z", b"I"
_NO_TLS = 80877103


@dataclass
class Pooler:
    """A pooler for tests: clients share servers, each for a transaction, or for a session.

    It knows just enough of PostgreSQL's protocol: a first message has no kind, an `X` ends a
    session, and `ReadyForQuery` says whether a transaction is open. The greeting of the first
    server is repeated to each client, as poolers do.
    """

    path: str
    is_by_transaction: bool = True
    is_round_robin: bool = False
    idle: deque[Any] = field(default_factory=deque)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """Its port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for _, writer, _ in self.idle:
                writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held: Any = None
        try:
            first = await self._read_first(reader)
            if int.from_bytes(first[4:8]) == _NO_TLS:
                writer.write(b"N")
                first = await self._read_first(reader)
            held = await self._lend(first)
            writer.write(held[2])
            if self.is_by_transaction:
                self.idle.append(held)
                held = None
            while (message := await _read(reader))[:1] != b"X":
                held = held or await self._lend(first)
                held[1].write(message)
                if message[:1] not in b"QS":  # a statement, or the end of several messages
                    continue
                answer = b""
                while answer[:1] != _READY:
                    answer = await _read(held[0])
                    writer.write(answer)
                if answer[5:] == _IDLE and self.is_by_transaction:
                    self.idle.append(held)
                    held = None
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client or the test is gone
        finally:
            if held:
                held[1].close()
            writer.close()

    @staticmethod
    async def _read_first(reader: asyncio.StreamReader) -> bytes:
        length = await reader.readexactly(4)
        return length + await reader.readexactly(int.from_bytes(length) - 4)

    async def _lend(self, first: bytes) -> Any:  # noqa: ANN401
        if self.idle:
            return self.idle.popleft() if self.is_round_robin else self.idle.pop()
        reader, writer = await asyncio.open_unix_connection(self.path)
        writer.write(first)
        greeting = b""
        answer = b""
        while answer[:1] != _READY:
            answer = await _read(reader)
            greeting += answer
        return reader, writer, greeting


async def _read(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(5)
    return head + await reader.readexactly(int.from_bytes(head[1:]) - 4)


@asynccontextmanager
async def behind_pooler(
    url: str, *, is_by_transaction: bool = True, is_round_robin: bool = False, servers: int = 0
) -> AsyncIterator[Database]:
    """The database by way of a pooler with so many servers that others have used before."""
    own = make_url(url)
    pooler = Pooler(
        f"{own.query['host']}/.s.PGSQL.{own.port or 5432}",
        is_by_transaction=is_by_transaction,
        is_round_robin=is_round_robin,
    )
    async with pooler.serving() as port:
        address = own.set(host="127.0.0.1", port=port, query={})
        async with Database(address.render_as_string(hide_password=False)) as database:
            held = [database.session() for _ in range(servers)]
            sessions = [await one.__aenter__() for one in held]
            for session in sessions:
                await session.execute(text("SELECT 1"))
            for one in held:
                await one.__aexit__(None, None, None)
            yield database


SHAPES = pytest.mark.parametrize(
    ("is_round_robin", "servers"),
    [(False, 0), (False, 3), (True, 2), (True, 3), (True, 4)],
)


@SHAPES
async def test_locks_behind_a_pooler_in_transaction_mode_are_refused_with_the_remedy(
    database_url: str, is_round_robin: bool, servers: int
) -> None:
    async with behind_pooler(
        database_url, is_round_robin=is_round_robin, servers=servers
    ) as database:
        with pytest.raises(DatabaseSetupError) as caught:
            async with database.lock("a"):
                pass
    told = str(caught.value)
    assert isinstance(caught.value, ConfigurationError)
    assert told.startswith("ADSPARK_DATABASE_URL")
    assert "session mode" in told
    assert "\n" not in told


@SHAPES
async def test_every_check_of_the_database_refuses_a_pooler_in_transaction_mode(
    database_url: str, is_round_robin: bool, servers: int
) -> None:
    async with behind_pooler(
        database_url, is_round_robin=is_round_robin, servers=servers
    ) as database:
        address = database._address
        with pytest.raises(DatabaseSetupError, match="transaction mode"):
            await asyncio.to_thread(migrate.check_ready, address)
        settings = Settings(database_url=SecretStr(address))
        _, (problem,) = await asyncio.to_thread(full_check.check_database, settings)
        assert "transaction mode" in problem.what
        with pytest.raises(DatabaseSetupError, match="transaction mode"):
            await check_database(database)


async def test_the_check_takes_a_pooler_in_session_mode(database_url: str) -> None:
    async with behind_pooler(database_url, is_by_transaction=False) as database:
        assert await asyncio.to_thread(migrate.check_ready, database._address) == newest()


async def test_a_pooler_in_session_mode_is_as_good_as_none(database_url: str) -> None:
    async with (
        behind_pooler(database_url, is_by_transaction=False) as database,
        database.lock("a") as first,
        database.lock("a") as second,
    ):
        assert (first, second) == (True, False)


async def test_nothing_is_paid_behind_a_pooler_in_transaction_mode(database_url: str) -> None:
    service = StandIn([creative_row(1)])
    async with behind_pooler(database_url) as database, service.client() as client:
        with pytest.raises(DatabaseSetupError, match="transaction mode"):
            await fetch_query(database, client, query())
        with pytest.raises(DatabaseSetupError, match="transaction mode"):
            async with database.locks() as locks:
                await Checker(database, client, locks).check(1)
        with pytest.raises(DatabaseSetupError, match="transaction mode"):
            async with claim_variant(database, 1, flow_run_id=None, generator="dify"):
                pass
    assert service.asked == []


async def test_a_connection_that_changes_its_server_process_later_is_noticed(
    database_url: str,
) -> None:
    async with (
        behind_pooler(database_url, is_by_transaction=False) as database,
        database.locks() as locks,
        locks.acquire("a") as held,
    ):
        assert held
        await locks.check()
        locks._pid = 1  # as if the pooler had given it another one
        with pytest.raises(DatabaseSetupError, match="transaction mode"):
            await locks.check()


async def test_locks_are_proved_once_for_an_engine(database: Database) -> None:
    async with database.session() as session:
        count = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        async with database.lock("a"):
            before = await session.scalar(count)
        for _ in range(5):
            async with database.lock("a") as locked:
                assert locked
        assert await session.scalar(count) == before
