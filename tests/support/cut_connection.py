"""A server that can be made to go away and come back: a relay before it."""

import asyncio
from contextlib import suppress


class Relay:
    """Passes connections on to an address, while it is open.

    Args:
        host: where it passes on to; a folder is that of PostgreSQL's socket.
        port: the port there.

    Attributes:
        port: on 127.0.0.1; the same when it is opened again.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Refuse connections, and end those that there are."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            if self._host.startswith("/"):
                place = f"{self._host}/.s.PGSQL.{self._port}"
                there, onward = await asyncio.open_unix_connection(place)
            else:
                there, onward = await asyncio.open_connection(self._host, self._port)
            self._writers |= {writer, onward}
            await asyncio.gather(self._pass(reader, onward), self._pass(there, writer))
        self._writers -= {writer}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
