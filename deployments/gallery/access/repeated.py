"""Parameters that the address of a page has twice: which of them is meant, nobody knows."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from adspark.validation.repeated import check_once, group_by_name

# The pages that take one several times. The library says itself what is wrong, beside its fields,
# and the JSON interface by its description.
_SEVERAL = {"/compare": {"advertiser"}, "/variants/new": {"ad"}}
_READ_ELSEWHERE = ("/api/", "/library", "/watches/estimate")


class RepeatedParameters:
    """ASGI middleware that refuses a parameter which is given twice where a page takes it once:
    InvalidQueryError."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http" and not scope["path"].startswith(_READ_ELSEWHERE):
            several = _SEVERAL.get(scope["path"].rstrip("/"), set())
            for name, given in group_by_name(Request(scope).query_params.multi_items()).items():
                if name not in several:
                    check_once(name, given)
        await self._app(scope, receive, send)
