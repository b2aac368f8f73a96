"""A Prefect server that takes requests and answers none: nobody waits long, and nothing is held."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prefect.settings import PREFECT_API_URL, temporary_settings

from adspark.db.engine import Database
from tests.support.gallery import GalleryClient
from tests.support.library import ad
from tests.support.noticed import add_watch
from tests.support.stored_ads import ids
from tests.support.variants_at_hand import ask

_IN_TRANSACTION = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
"""


class _Silent:
    """Counts who has connected."""

    def __init__(self) -> None:
        self.asked = 0
        self.waiting = asyncio.Condition()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        async with self.waiting:
            self.asked += 1
            self.waiting.notify_all()
        await reader.read()  # until the other side gives up
        writer.close()

    async def wait_for(self, number: int) -> None:
        async with self.waiting:
            await self.waiting.wait_for(lambda: self.asked >= number)


@asynccontextmanager
async def silent_prefect() -> AsyncIterator[_Silent]:
    """A server that answers nothing."""
    silent = _Silent()
    server = await asyncio.start_server(silent.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{port}/api"}):
        yield silent
    server.close()


async def test_no_form_keeps_a_connection_of_the_database_while_it_waits(
    pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(database)
    async with database.session() as session:
        variant = await ask(session, ad(1))
        await session.commit()
    watch, details = f"/watches/{watch_id}", f"/ads/{ad(4)}"
    wanted = {"key": "0" * 32, "ad": ad(1), "prompt": "Red"}
    async with silent_prefect() as silent:
        sent = [
            asyncio.create_task(one)
            for one in (
                pages.send_form(f"{watch}/look", watch),
                pages.send_form(f"{details}/details", details),
                pages.send_form(f"/variants/{variant.id}/cancel", f"/variants/{variant.id}"),
                pages.send_form("/variants/new", "/variants/new", **wanted),
                pages.get(f"{watch}?run=0194d0a8-0000-7000-8000-000000000000"),
                pages.get(f"{watch}/look/0194d0a8-0000-7000-8000-000000000000"),
            )
        ]
        await silent.wait_for(len(sent))
        assert await ids(database, _IN_TRANSACTION) == []
        look, looked_up, cancelled, requested, shown, progress = await asyncio.gather(*sent)

    assert (look.status_code, looked_up.status_code) == (503, 503)
    assert "It is cancelled." in cancelled.text  # its run ends by itself
    for refused in (look, looked_up):
        assert "does not answer" in refused.text
    assert "Prefect does not answer" in requested.text  # it is kept
    assert (shown.status_code, progress.status_code) == (200, 503)
