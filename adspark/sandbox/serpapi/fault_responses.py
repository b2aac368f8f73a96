"""How a search looks that a fault brought to an end."""

import asyncio
import socket
import struct
from contextlib import suppress

from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from adspark.sandbox.responses import error_response
from adspark.sandbox.serpapi.faults import Fault, FaultKind

_LINGER_NONE = struct.pack("ii", 1, 0)  # closing sends a reset instead of a farewell
_HTML = """<!doctype html><html><head><title>SANDBOX: not JSON</title></head>
<body><h1>SANDBOX</h1><p>A page of HTML where JSON was expected (fault html).</p></body></html>"""


class DroppedConnection(Response):
    """No answer: the connection is reset, at once or after a silence.

    Args:
        silence: seconds before; None waits until the client leaves.
    """

    def __init__(self, silence: float | None = 0.0) -> None:
        super().__init__()
        self._silence = silence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self._silence):
                await wait_for_leaving(receive)
        except (TimeoutError, asyncio.CancelledError):
            _reset_connection(receive)
            with suppress(asyncio.CancelledError):  # a server that stops cancels more than once
                await wait_for_leaving(receive)


async def wait_for_leaving(receive: Receive) -> None:
    """Until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _reset_connection(receive: Receive) -> None:
    """ASGI has no word for it: `receive` is a method of uvicorn's cycle, which has the transport.

    Raises:
        RuntimeError: another server, where an unfinished answer has to do.
    """
    cycle = getattr(receive, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if not isinstance(transport, asyncio.Transport):
        raise RuntimeError("the faults hang and reset need uvicorn on asyncio's own event loop")
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
    transport.abort()


def end_search(fault: Fault, refusal_text: str, whole_body: bytes) -> Response:
    """What is sent instead of an answer.

    Args:
        fault: one that ends a search.
        refusal_text: the words of a 429.
        whole_body: the answer as it would have been.
    """
    match fault.kind:
        case FaultKind.THROUGHPUT_429 | FaultKind.QUOTA_429:
            return error_response(429, refusal_text)
        case FaultKind.SERVER_ERROR_500:
            return error_response(500, "Internal Server Error (fault server_error_500).")
        case FaultKind.UNAVAILABLE_503:
            message = "Service Unavailable (fault unavailable_503)."
            return error_response(503, message, search_metadata={"status": "Error"})
        case FaultKind.HTML:
            return HTMLResponse(_HTML)
        case FaultKind.CUT_JSON:
            cut = whole_body[: len(whole_body) * 2 // 3]
            return Response(cut, media_type="application/json")
        case FaultKind.HANG:
            return DroppedConnection(fault.seconds)
        case _:
            return DroppedConnection()
