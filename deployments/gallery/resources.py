"""What the pages are made from: the database, the pictures and the templates."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.engine import Database
from adspark.media.store import MediaStore
from adspark.settings import Settings
from adspark.watches.searches_left import SearchesLeft
from deployments.gallery.access.visitor import VisitorDep
from deployments.gallery.templating import Templates
from deployments.gallery.texts import Texts

# Seconds for which a page waits for a lock, and for an answer at all.
LOCK_TIMEOUT, ANSWER_TIMEOUT = 5.0, 7.0
# Passwords that are checked at once: each takes 64 MB and a processor for a while.
_MOST_CHECKED = 2


@dataclass(frozen=True)
class Gallery:
    """What every page needs, open for as long as the application is."""

    settings: Settings
    database: Database
    media: MediaStore
    templates: Templates

    @cached_property
    def searches(self) -> SearchesLeft:
        """The month's searches, asked for once a minute at most."""
        return SearchesLeft(self.settings)

    @cached_property
    def password_checks(self) -> asyncio.Semaphore:
        """Held while a password is checked."""
        return asyncio.Semaphore(_MOST_CHECKED)


def _gallery(request: Request) -> Gallery:
    gallery: Gallery = request.app.state.gallery
    return gallery


GalleryDep = Annotated[Gallery, Depends(_gallery)]


async def _session(gallery: GalleryDep) -> AsyncIterator[AsyncSession]:
    """A session for one request; a route that changes something commits it.

    It ends with the route's function, before the first byte of the response is sent: no connection
    and no transaction waits for a reader.
    """
    async with gallery.database.session() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(_session, scope="function")]


@dataclass(frozen=True)
class VisitorPages:
    """What pages are made with for the visitor of a request."""

    request: Request
    gallery: GalleryDep
    session: SessionDep
    visitor: VisitorDep

    @property
    def texts(self) -> Texts:
        """What the pages say."""
        return self.gallery.templates.texts

    def page(self, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
        """A page for the visitor, as `Templates.page` makes it."""
        return self.gallery.templates.page(self.request, template, status=status, **values)


PagesDep = Annotated[VisitorPages, Depends()]
