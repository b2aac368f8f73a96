"""Who looks at the pages: a user of AdSpark, chosen on the page or signed in.

Every browser has a random cookie. From it the token is made that each form carries, so that no form
which this server has not written for this browser changes anything.
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adspark.models import DEFAULT_USER
from adspark.validation.bounds import LARGEST_ID

VISIT_COOKIE = "adspark_visit"
USER_COOKIE = "adspark_user"
_VISIT = re.compile("[A-Za-z0-9_-]{43}")
_YEAR = 365 * 86_400  # seconds


@dataclass(frozen=True)
class Visitor:
    """Whose boards, tags and notes a page shows, and what they may do.

    Attributes:
        user_id: number of the user.
        may_change: boards, tags, notes, reviews and watches.
        may_spend: searches and generations.
    """

    user_id: int = DEFAULT_USER
    may_change: bool = True
    may_spend: bool = True


def read_visitor(request: Request) -> Visitor:
    """The visitor that a request is from; the default user where none was chosen."""
    written = request.cookies.get(USER_COOKIE, "")
    chosen = int(written) if re.fullmatch("[0-9]{1,10}", written) else DEFAULT_USER
    return Visitor(chosen if 1 <= chosen <= LARGEST_ID else DEFAULT_USER)


VisitorDep = Annotated[Visitor, Depends(read_visitor)]


class NotAllowedError(Exception):
    """The visitor may not do this; `right` is what they lack, `change` or `spend`."""

    def __init__(self, right: str) -> None:
        super().__init__(right)
        self.right = right


def may_change(visitor: VisitorDep) -> None:
    """A dependency of routes that change something. Raises NotAllowedError."""
    if not visitor.may_change:
        raise NotAllowedError("change")


def may_spend(visitor: VisitorDep) -> None:
    """A dependency of routes that start what is paid for. Raises NotAllowedError."""
    if not visitor.may_spend:
        raise NotAllowedError("spend")


def form_token(request: Request) -> str:
    """The token that a form of this browser carries."""
    visit: str = request.scope["state"]["visit"]
    return hmac.new(visit.encode(), b"form", "sha256").hexdigest()


def is_form_token(request: Request, token: str) -> bool:
    """Whether a form was written for this browser; tells nothing by the time that it takes."""
    return hmac.compare_digest(form_token(request).encode(), token.encode())


class VisitCookie:
    """ASGI middleware that gives every browser its random cookie."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with `visit` in its state."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        known = request.cookies.get(VISIT_COOKIE, "")
        is_known = _VISIT.fullmatch(known) is not None
        visit = known if is_known else secrets.token_urlsafe(32)
        scope.setdefault("state", {})["visit"] = visit
        is_secure = request.url.scheme == "https"

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and not is_known:
                cookie = f"{VISIT_COOKIE}={visit}; Path=/; Max-Age={_YEAR}; HttpOnly"
                cookie += "; SameSite=Strict" + ("; Secure" if is_secure else "")
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        await self._app(scope, receive, send_with_cookie)
