"""Notices: what a form has done, said on the page that it leads to."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import URL

from deployments.gallery.texts import Texts

NOTICE_COOKIE = "adspark_notice"
_SECONDS = 60  # in which the page has to be loaded
_LONGEST = 200  # characters of a value
# A path of this server and what follows it. Browsers read "//host" and "/\host" as another server,
# and leave out tabs, line breaks and blanks before they look.
_OWN = re.compile(r"/(?![/\\])[^\\\s]*")
# What was not done, or not all of it; every other notice says what was.
_WARNINGS = frozenset(
    f"notice.{name}"
    for name in (
        "variant_no_run",
        "variant_still_running",
        "variant_moved_on",
        "form_not_sent",
        "form_not_kept",
    )
)


@dataclass(frozen=True)
class Notice:
    """What a page says at its top of the form that led to it.

    Attributes:
        text: what it says.
        is_done: what the form asked for was done.
        link: to copy, of whole length with its server; None where there is none.
    """

    text: str
    is_done: bool
    link: str | None


def lead_to(address: str, notice: str | None = None, **values: object) -> RedirectResponse:
    """Lead to a page of ours, else to the library, after a form has changed something.

    At its top the page shows the text of this name, with these values.
    """
    response = RedirectResponse(own_address(address), 303)
    if notice is not None:
        shown = {name: str(value)[:_LONGEST] for name, value in values.items()}
        content = json.dumps([f"notice.{notice}", shown]).encode()
        response.set_cookie(
            NOTICE_COOKIE,
            urlsafe_b64encode(content).decode(),
            max_age=_SECONDS,
            httponly=True,
            samesite="strict",
        )
    return response


def send_again_to(address: str) -> RedirectResponse:
    """Have the browser send its form once more, as it is, to an address of ours."""
    return RedirectResponse(own_address(address), 307)


def own_address(address: str) -> str:
    """Path and query of an address of ours; the library for any other."""
    is_own = _OWN.fullmatch(address) is not None and address.isprintable()
    return address if is_own else "/library"


def page_before(request: Request) -> str | None:
    """The page of ours that led to a request; None where there is none, or it is not known."""
    written = request.headers.get("referer", "")
    try:
        before = URL(written)
        is_ours = written.isprintable() and before.netloc == request.url.netloc
    except ValueError:
        is_ours = False
    return own_address(path_of(before)) if is_ours else None


def path_of(url: URL) -> str:
    """Path and query of an address."""
    return f"{url.path}?{url.query}" if url.query else url.path


def read_notice(request: Request, texts: Texts) -> Notice | None:
    """The notice that was left for this page; None where there is none."""
    written = request.cookies.get(NOTICE_COOKIE)
    if not written:
        return None
    try:
        name, values = json.loads(urlsafe_b64decode(written))
        if isinstance(values, Mapping) and str(name).startswith("notice."):
            link = values.get("link")
            return Notice(texts(name, **values), name not in _WARNINGS, link and str(link))
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        pass
    return None
