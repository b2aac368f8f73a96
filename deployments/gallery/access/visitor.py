"""Who looks at the pages: a user of AdSpark, chosen on the page or signed in.

Every browser has a random cookie. From it and the user the token is made that each form carries, so
that no form changes anything which this server has not written for this browser and this user.
"""

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adspark.models import DEFAULT_USER
from adspark.validation.bounds import LARGEST_ID

VISIT_COOKIE = "adspark_visit"
USER_COOKIE = "adspark_user"
SHARED = "/shared/"
TOKEN = "form_token"  # noqa: S105  (the name of the field)
_HALF = 32  # characters of a token: 128 bits
_VISIT = re.compile("[A-Za-z0-9_-]{43}")
YEAR = 365 * 86_400  # seconds


@dataclass(frozen=True)
class Visitor:
    """Whose boards, tags and notes a page shows, and what they may do.

    Attributes:
        user_id: number of the user.
        name: with which they have signed in; empty where nobody has to.
        may_change: boards, tags, notes, reviews and watches.
        may_spend: searches and generations.
    """

    user_id: int = DEFAULT_USER
    name: str = ""
    may_change: bool = True
    may_spend: bool = True


def read_visitor(request: Request) -> Visitor:
    """The visitor that a request is from: who is signed in, else the user that was chosen."""
    signed_in: Visitor | None = request.scope.get("state", {}).get("visitor")
    if signed_in is not None:
        return signed_in
    written = request.cookies.get(USER_COOKIE, "")
    chosen = int(written) if re.fullmatch("[0-9]{1,10}", written) else DEFAULT_USER
    return Visitor(chosen if 1 <= chosen <= LARGEST_ID else DEFAULT_USER)


def is_shared(request: Request) -> bool:
    """Whether a request is for what was shared by a link, so that nothing else is shown of us."""
    return request.url.path.startswith(SHARED)


VisitorDep = Annotated[Visitor, Depends(read_visitor)]


def changer(visitor: VisitorDep) -> Visitor:
    """A visitor who may change something; HTTPException (403) for others."""
    if not visitor.may_change:
        raise HTTPException(403)
    return visitor


def spender(visitor: VisitorDep) -> Visitor:
    """A visitor who may spend searches and generations; HTTPException (403) for others."""
    if not visitor.may_spend:
        raise HTTPException(403)
    return visitor


ChangerDep = Annotated[Visitor, Depends(changer)]
SpenderDep = Annotated[Visitor, Depends(spender)]


def form_token(request: Request, *, user_id: int | None) -> str:
    """The token that a form of this browser carries: half of it is the browser's, half the user's,
    who is nobody (None) where one signs in."""
    return _half(request, "form") + _half(request, f"form of {user_id or 'nobody'}")


def _half(request: Request, purpose: str) -> str:
    visit: str = request.scope["state"]["visit"]
    return hmac.new(visit.encode(), purpose.encode(), "sha256").hexdigest()[:_HALF]


def secret_of_form(request: Request, key: str) -> str:
    """A secret that nobody can guess, the same for a form that is sent twice: each time that it is
    shown, its key is another one."""
    visit: str = request.scope["state"]["visit"]
    made = hmac.digest(visit.encode(), f"form {key}".encode(), "sha256")
    return urlsafe_b64encode(made).rstrip(b"=").decode()


def is_form_token(request: Request, token: str, *, user_id: int | None) -> bool:
    """Whether a form was written for this browser, and this user, as in `form_token`; tells nothing
    by the time that it takes.

    Args:
        request: by which the form came.
        token: that it brought.
        user_id: whose form it has to be; None: nobody's.
    """
    return _is_same(form_token(request, user_id=user_id), token)


def is_of_browser(request: Request, token: str) -> bool:
    """Whether a form was written for this browser, whoever looked at it then."""
    return _is_same(_half(request, "form"), token[:_HALF])


def _is_same(expected: str, token: str) -> bool:
    return hmac.compare_digest(expected.encode(), token.encode(errors="replace"))


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

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and not is_known:
                cookie = f"{VISIT_COOKIE}={visit}; Path=/; Max-Age={YEAR}; HttpOnly"
                MutableHeaders(scope=message).append("set-cookie", f"{cookie}; SameSite=Lax")
            await send(message)

        await self._app(scope, receive, send_with_cookie)
