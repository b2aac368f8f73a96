"""The gallery over a test's database: in the test's own process, or served over HTTP."""

import asyncio
import re
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi.routing import APIRoute
from playwright.async_api import Browser, Page, async_playwright, expect

from adspark.db.engine import Database
from adspark.media.store import MediaStore
from adspark.net.request_guard import RequestGuard
from adspark.rendering.browser import PROGRAMS
from adspark.settings import Settings
from deployments.gallery.access.head_limit import HeadLimit
from deployments.gallery.app import create_app
from deployments.gallery.resources import ANSWER_TIMEOUT, LOCK_TIMEOUT, Gallery
from deployments.gallery.templating import Templates
from tests.support.strange_pictures import encode, scene

URL = "http://127.0.0.1"
PASSWORD = "  tulips: 1 anchor "
ACCOUNTS = {"Ana": PASSWORD, "Bob": PASSWORD, "Zoë": "tulpaner på ön"}
"""Names and passwords of who may sign in, in tests of that."""

_PATIENCE = 60_000  # milliseconds
_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{64})"')


def form_token(page: str) -> str:
    """The token of a page's forms."""
    token = _TOKEN.search(page)
    assert token, "the page has no form that changes something"
    return token[1]


class GalleryClient(httpx.AsyncClient):
    """A browser without scripts: it keeps its cookies and sends forms with their token."""

    async def send_form(self, path: str, page: str = "/library", **fields: Any) -> httpx.Response:  # noqa: ANN401
        """Send a form as it stands on a page, and follow where it leads."""
        data = {"form_token": form_token((await self.get(page)).text)} | fields
        return await self.post(path, data=data, follow_redirects=True)


@cache
def templates() -> Templates:
    """Of all galleries of this process, which compiles each template once."""
    return Templates()


def _open(url: str) -> Database:
    return Database(url, lock_timeout=LOCK_TIMEOUT, answer_timeout=ANSWER_TIMEOUT)


@asynccontextmanager
async def open_gallery(
    database_url: str,
    media: Path,
    *,
    needs_sign_in: bool = False,
    **settings: Any,  # noqa: ANN401
) -> AsyncIterator[GalleryClient]:
    """The pages of a database and a folder of pictures, asked in this process."""
    async with _open(database_url) as database:
        chosen = Settings(media_url=str(media), **settings)
        gallery = Gallery(chosen, database, MediaStore(str(media)), templates())
        app = RequestGuard(HeadLimit(create_app(gallery, needs_sign_in=needs_sign_in)))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with GalleryClient(transport=transport, base_url=URL) as client:
            yield client


def routes_of(database: Database, media: Path) -> list[APIRoute]:
    """The addresses of the pages, without those for programs."""
    gallery = Gallery(Settings(media_url=str(media)), database, MediaStore(str(media)), templates())
    routes = [one for one in create_app(gallery).routes if isinstance(one, APIRoute)]
    return [one for one in routes if not one.path.startswith("/api")]


@contextmanager
def serve_gallery(
    database_url: str,
    media: Path,
    *,
    needs_sign_in: bool = False,
    **settings: Any,  # noqa: ANN401
) -> Iterator[str]:
    """The same over HTTP, for a browser; yields the address."""
    started: list[str] = []
    server: list[uvicorn.Server] = []
    ready = threading.Event()

    async def serve() -> None:
        async with _open(database_url) as database:
            chosen = Settings(media_url=str(media), **settings)
            gallery = Gallery(chosen, database, MediaStore(str(media)), templates())
            app = RequestGuard(HeadLimit(create_app(gallery, needs_sign_in=needs_sign_in)))
            config = uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1)
            one = uvicorn.Server(config)
            server.append(one)
            serving = asyncio.create_task(one.serve())
            while not one.started and not serving.done():
                await asyncio.sleep(0.01)
            if one.started:
                port = one.servers[0].sockets[0].getsockname()[1]
                started.append(f"{URL}:{port}")
            ready.set()
            await serving

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        ready.wait()
        yield started[0]
    finally:
        server[0].should_exit = True
        thread.join()


async def keep_variant_picture(folder: Path) -> str:
    """Keep a picture of a variant in the media store in a folder; returns its path there."""
    path, _ = await MediaStore(str(folder)).save_variant(encode(scene()))
    return path


@asynccontextmanager
async def open_page(
    database_url: str,
    media: Path,
    **context: Any,  # noqa: ANN401
) -> AsyncIterator[tuple[Page, str]]:
    """A page of a browser with this context, and the address of the gallery that serves it."""
    expect.set_options(timeout=_PATIENCE)
    with serve_gallery(database_url, media) as url:
        async with open_browser() as browser:
            page = await browser.new_page(**context)
            page.set_default_timeout(_PATIENCE)
            yield page, url


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """The Chromium that is installed here, else Playwright's own."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()
