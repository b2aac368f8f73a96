"""Jinja templates: their environment, and how a page is made from one."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from importlib import resources
from uuid import uuid4

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.datastructures import URL

from adspark.serpapi.regions import region_name
from adspark.text.moments import utc_minute
from adspark.text.sentences import with_full_stop
from adspark.text.shortened import cut
from adspark.text.terminal import plain
from deployments.gallery.access.visitor import form_token, is_shared, read_visitor
from deployments.gallery.labels import label_of
from deployments.gallery.notices import NOTICE_COOKIE, read_notice
from deployments.gallery.texts import Texts

_PACKAGE = "deployments.gallery"
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class Templates:
    """The templates of the gallery and the files that its pages load.

    Attributes:
        texts: what the pages say.
        files: content and media type by the name of a file.
    """

    def __init__(self) -> None:
        self.texts = Texts()
        self.files = _read_files()
        self._environment = Environment(
            loader=PackageLoader(_PACKAGE),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        versions = {name: hashlib.sha256(one[0]).hexdigest() for name, one in self.files.items()}
        self._environment.globals |= {
            "t": self.texts,
            "counted": self.texts.counted,
            "label_of": label_of,
            "file_url": lambda name: f"/static/{name}?v={versions[name][:12]}",
            "with_query": with_query,
        }
        self._environment.filters |= {
            "clean": plain,
            "day": _day,
            "moment": _moment,
            "number": lambda value: f"{value:,}",
            "region": region_name,
            "sentence": with_full_stop,
            "truncate": _truncate,
            "user": self._show_user,
        }

    def _show_user(self, number: int, names: Mapping[int, str | None]) -> str:
        name = names.get(number)
        return plain(name) if name else self.texts("site.user", number=number)

    def page(
        self, request: Request, template: str, *, status: int = 200, **values: object
    ) -> HTMLResponse:
        """A page.

        Args:
            request: whose visitor sees it.
            template: name of the template.
            status: of the response.
            values: what the template names; also the `address` of the page that is shown, where
                it is not the request's.
        """
        visitor = read_visitor(request)
        shared: dict[str, object] = {
            "visitor": visitor,
            "form_token": form_token(request, user_id=visitor.user_id),
            "new_key": uuid4().hex,
            "needs_sign_in": request.app.state.needs_sign_in,
            "is_bare": is_shared(request),
            "address": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        }
        notice = read_notice(request, self.texts)
        page = HTMLResponse(self.render(template, notice=notice, **(shared | values)), status)
        if notice:
            page.delete_cookie(NOTICE_COOKIE)
        return page

    def render(self, template: str, **values: object) -> str:
        """The text of a template with its values; without NUL, which no page may hold, as where a
        wrong parameter is shown again."""
        return self._environment.get_template(template).render(values).replace("\0", "")


def with_query(address: str | URL, changes: Mapping[str, object]) -> str:
    """The path and the query of an address with some parameters set, or without those that are
    None."""
    url = URL(str(address))
    removed = [name for name, value in changes.items() if value is None]
    kept = {name: str(value) for name, value in changes.items() if value is not None}
    url = url.remove_query_params(removed).include_query_params(**kept)
    return f"{url.path}?{url.query}" if url.query else url.path


def _read_files() -> dict[str, tuple[bytes, str]]:
    found = {}
    for one in resources.files(_PACKAGE).joinpath("static").iterdir():
        kind = _TYPES.get(one.name.rpartition(".")[2])
        if kind is not None:
            found[one.name] = one.read_bytes(), kind
    return found


def _truncate(text: str, most: int) -> str:
    """Jinja's own ends at a blank, however little that leaves, and parts an escaped character."""
    return cut(text.unescape() if isinstance(text, Markup) else text, most)


def _day(value: date | datetime | None) -> str | Markup:
    """A day, in UTC as Google gives it."""
    if value is None:
        return ""
    day = value.astimezone(UTC).date() if isinstance(value, datetime) else value
    return Markup('<time datetime="{0}">{0}</time>').format(day.isoformat())


def _moment(value: datetime | None) -> str | Markup:
    """A moment, in UTC until the page's script writes it in the time zone of its reader."""
    if value is None:
        return ""
    return Markup('<time datetime="{}" data-moment>{}</time>').format(
        value.astimezone(UTC).isoformat(), utc_minute(value)
    )
