"""The marks by which everybody can tell a sandbox answer from a real one."""

import json
from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adspark.sandbox.settings import Clock

HEADER = "X-AdSpark-Sandbox"
NOTICE = "AdSpark SANDBOX: recorded and generated content served locally, not a real answer."
MARKS: dict[str, object] = {"sandbox": True, "notice": NOTICE}

_HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"


def json_response(body: Mapping[str, object] | list[object], status: int = 200) -> Response:
    """An answer as compact JSON."""
    return Response(dump_json(body), status, media_type="application/json")


def error_response(status: int, message: str, **more: object) -> Response:
    """SerpApi's error body, marked."""
    return json_response({**more, "error": message, **MARKS}, status)


def dump_json(body: object) -> bytes:
    """Compact UTF-8 JSON."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


class MarkResponses:
    """ASGI middleware: the sandbox header on every answer, and the date by the sandbox's clock."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = self._clock().strftime(_HTTP_DATE).encode()
                message["headers"] = [
                    *message["headers"],
                    (HEADER.lower().encode(), b"true"),
                    (b"date", date),
                ]
            await send(message)

        await self._app(scope, receive, send_marked)
