"""The server over streamable HTTP: with the gallery's sign-in where others than this machine reach
it.

Each request stands by itself, so that nobody can take over the session of somebody else.
"""

from mcp.server import Server
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import INVALID_REQUEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adspark.users.accounts import SignedIn
from deployments.gallery.access.body_limit import MOST_BYTES
from deployments.gallery.access.programs import find_program
from deployments.gallery.access.sign_in import SignInGuard
from deployments.gallery.resources import Gallery

PATH = "/mcp"
_BAD_REQUEST = 400
_PYDANTIC = b"errors.pydantic.dev"
_NO_MESSAGE = {
    "jsonrpc": "2.0",
    "id": None,
    "error": {
        "code": INVALID_REQUEST,
        "message": "The body is no message of the Model Context Protocol: send one JSON object "
        "with jsonrpc, method and params, and an id where an answer is wanted.",
    },
}
_NO_PASSWORD = "Send the name and password of the gallery with each request (HTTP Basic)."  # noqa: S105


def make_app(server: Server, gallery: Gallery, *, needs_sign_in: bool) -> ASGIApp:
    """The application, to be put behind the guard of requests.

    Args:
        server: finds who asks in the request's state.
        gallery: with the database of accounts.
        needs_sign_in: whoever asks sends name and password.
    """
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        max_request_body_size=MOST_BYTES,
        # Hosts and origins are those that the gallery lets in.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    plain = _PlainRefusals(app)
    return _SignIn(plain, gallery) if needs_sign_in else plain


class _PlainRefusals:
    """ASGI middleware that says in a sentence that a request is no message of the protocol, for
    which the library answers with all that pydantic has to say."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; a refusal is held back until its text is known."""
        held: Message | None = None

        async def send_plain(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and message["status"] == _BAD_REQUEST:
                held = message
            elif held is not None and _PYDANTIC in message.get("body", b""):
                held = None
                await JSONResponse(_NO_MESSAGE, _BAD_REQUEST)(scope, receive, send)
            else:
                if held is not None:
                    await send(held)
                    held = None
                await send(message)

        await self._app(scope, receive, send_plain)


class _SignIn(SignInGuard):
    """Lets in, wherever they ask, who send name and password with each request."""

    open_paths = ()

    async def find(self, request: Request) -> SignedIn | Response:
        """Who a request is from; else the response to it."""
        return await find_program(request, self._gallery, without=_NO_PASSWORD)
