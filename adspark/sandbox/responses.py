"""The marks by which everybody can tell a sandbox answer from a real one."""

import json

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adspark.sandbox.settings import Clock

HEADER = "X-AdSpark-Sandbox"
NOTICE = "AdSpark SANDBOX: recorded and generated content served locally, not a real answer."
MARKS: dict[str, object] = {"sandbox": True, "notice": NOTICE}

_HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"


def error_response(status: int, message: str, **more: object) -> Response:
    """SerpApi's error body, marked."""
    return JSONResponse({**more, "error": message, **MARKS}, status)


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
                headers = MutableHeaders(scope=message)
                headers[HEADER] = "true"
                headers["date"] = self._clock().strftime(_HTTP_DATE)
            await send(message)

        await self._app(scope, receive, send_marked)
