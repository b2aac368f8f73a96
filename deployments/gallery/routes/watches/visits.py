"""When a visitor was here last, kept by their browser for each user.

A visit ends when the page was not looked at for a while; so a page that is loaded again shows the
same news.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import Request, Response

from deployments.gallery.access.visitor import YEAR, Visitor

_ENDS_AFTER = timedelta(minutes=30)
_WRITTEN = re.compile(r"([0-9]{1,11})\.([0-9]{1,11})")


@dataclass(frozen=True)
class Visits:
    """The end of the visit before this one, None where none is known, and the present moment."""

    before: datetime | None
    now: datetime


def read_visits(request: Request, visitor: Visitor) -> Visits:
    """The visits of a visitor up to this request."""
    now = datetime.now(UTC)
    found = _WRITTEN.fullmatch(request.cookies.get(_cookie(visitor), ""))
    if found is None:
        return Visits(None, now)
    before, last = (_moment(int(one)) for one in found.groups())
    if last is None or last > now:  # the clock was set back
        return Visits(None, now)
    return Visits(last if now - last > _ENDS_AFTER else before, now)


def keep_visits(request: Request, response: Response, visitor: Visitor, visits: Visits) -> None:
    """Let the browser keep the visits.

    Args:
        request: of the page.
        response: gets the cookie.
        visitor: whose visits.
        visits: what is kept.
    """
    before = 0 if visits.before is None else int(visits.before.timestamp())
    response.set_cookie(
        _cookie(visitor),
        f"{before}.{int(visits.now.timestamp())}",
        max_age=YEAR,
        httponly=True,
        samesite="lax",
    )


def _cookie(visitor: Visitor) -> str:
    return f"adspark_seen_{visitor.user_id}"


def _moment(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
