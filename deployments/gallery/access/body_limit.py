"""How much a request may send: a form, and nothing that fills the memory."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 1_000_000
"""Of the body of a request; a form that names five thousand ads has 200 kB."""


class _TooLargeError(Exception):
    pass


class BodyLimit:
    """ASGI middleware that answers 413 to a request whose body is larger."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and no more of its body than is allowed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        arrived = 0
        has_begun = False

        async def receive_bounded() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > MOST_BYTES:
                raise _TooLargeError
            return message

        async def send_noted(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        refusal = PlainTextResponse(
            f"A request may send {MOST_BYTES:,} bytes at most.\n",
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        )
        if not announced.isdecimal() or int(announced[:20]) > MOST_BYTES:
            await refusal(scope, receive, send)
            return
        try:
            await self._app(scope, receive_bounded, send_noted)
        except _TooLargeError:
            if not has_begun:
                await refusal(scope, receive, send)
