"""How long a request may take to arrive.

uvicorn waits for ever for its head and its body: a few hundred silent connections would keep
everybody else out.
"""

import asyncio
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol


@dataclass(frozen=True)
class Patience:
    """Seconds for which a server waits.

    Attributes:
        head: for the whole head of a request, from the connection or from its first byte on.
        body: for the whole body, of which there is a megabyte at most.
    """

    head: float = 20.0
    body: float = 60.0


PATIENCE = Patience()


def timed_protocol(seconds: float) -> type[H11Protocol]:
    """uvicorn's HTTP/1.1, closing a connection on which no whole head came in so many seconds."""

    class TimedProtocol(H11Protocol):
        _waiting: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            before = self.cycle
            super().data_received(data)
            is_taken = self.transport.get_protocol() is not self  # it is a WebSocket's now
            if self.cycle is not before or is_taken:
                self._stop_waiting()
            elif self._waiting is None and self._is_idle():
                self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def _is_idle(self) -> bool:
            # None before the first request, which uvicorn's annotation leaves out.
            return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]

        def _wait(self) -> None:
            self._waiting = self.loop.call_later(seconds, self.transport.close)

        def _stop_waiting(self) -> None:
            if self._waiting is not None:
                self._waiting.cancel()
                self._waiting = None

    return TimedProtocol


class BodyTime:
    """ASGI middleware that takes a client for gone whose body is not there in time.

    Args:
        app: what is served.
        seconds: for which it is waited for, in all.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        clock = asyncio.get_running_loop().time
        left = self._seconds
        is_whole = False

        async def receive_in_time() -> Message:
            nonlocal is_whole, left
            if is_whole:  # what comes now is that the client leaves
                return await receive()
            begun = clock()
            try:
                async with asyncio.timeout(left):
                    message = await receive()
            except TimeoutError:
                return {"type": "http.disconnect"}
            left -= clock() - begun
            is_whole = not message.get("more_body", False)
            return message

        await self._app(scope, receive_in_time if scope["type"] == "http" else receive, send)
