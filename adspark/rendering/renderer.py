"""Pictures of ads: a creative's picture, preview script or page to a PNG, in a browser."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from playwright.async_api import Error as BrowserError
from playwright.async_api import Page

from adspark.errors import ServiceUnavailableError, UnusableContentError
from adspark.media.images import check_picture_aside, close_idle, normalise_picture_aside
from adspark.net.addresses import AddressRules
from adspark.net.downloads import Download, Downloader
from adspark.rendering.browser import MEMORY, Chromium
from adspark.rendering.render_target import Kind, RenderTarget, rendering_key, subject_of
from adspark.rendering.request_interceptor import PageSupply
from adspark.rendering.screenshot import (
    Size,
    draw_html,
    draw_page,
    draw_picture,
    draw_preview,
    preview_script,
    write_preview,
)

__all__ = [
    "AT_ONCE",
    "Kind",
    "RenderTarget",
    "Renderer",
    "Rendering",
    "rendering_key",
    "subject_of",
]

AT_ONCE = 2
"""Pictures that one renderer draws at the same time; others wait, without a time-out."""

MAX_BYTES = 40 * 1024 * 1024  # everything that one page may load

_ROOM = Size(1280, 960)  # the viewport of what has no size of its own
_HTML_WIDTH = 1024
_NET_ERROR = re.compile(r"\bERR_[A-Z_]+\b")  # Chromium's name for what failed
# Shares of the time limit: what remains is for the browser.
_MAIN_SHARE = 0.4
_PARTS_SHARE = 0.4


@dataclass(frozen=True)
class Rendering:
    """A PNG with its size in pixels and its hash in hex."""

    content: bytes
    width: int
    height: int
    sha256: str


class _BrowserGoneError(Exception):
    """The browser ended under a page, or failed by itself."""


class _TooMuchMemoryError(Exception):
    """The browser was ended, for its pages took too much memory."""


class Renderer:
    """Renders with one browser for its life and a fresh context for every picture.

    `render` may be called several times at once.

    Args:
        rules: what may be asked; the browser itself asks nothing.
        program: Chromium's program; None: Playwright's own, else one on PATH.
        chromium_sandbox: whether Chromium's sandbox is on; it never is for root.
        browser_memory: megabytes that the browser may take, with all its processes.
        time_limit: seconds for one picture, the browser's start not counted.
        scale: device pixels to a CSS pixel.
    """

    def __init__(
        self,
        rules: AddressRules,
        *,
        program: Path | None = None,
        chromium_sandbox: bool = True,
        browser_memory: int = MEMORY,
        time_limit: float = 30.0,
        scale: float = 1.0,
    ) -> None:
        self._downloader = Downloader(rules, timeout=time_limit)
        self._chromium = Chromium(
            program=program, is_sandboxed=chromium_sandbox, memory=browser_memory
        )
        self._browser_memory = browser_memory
        self._time_limit = time_limit
        self._scale = scale
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._gathering = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self._downloader.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await asyncio.shield(asyncio.ensure_future(self._chromium.close()))
        finally:
            close_idle()
            await self._downloader.__aexit__()

    def key(self, subject: RenderTarget) -> str:
        """The name of what `render` gives for a subject."""
        return rendering_key(subject, self._scale)

    async def render(self, subject: RenderTarget) -> Rendering:
        """Draw a subject; a browser that breaks down is started anew once, for it alone.

        Raises:
            UnusableContentError: it is refused, broken, empty, too large or too slow, or makes the
                browser take too much memory.
            ServiceUnavailableError: it cannot be downloaded right now.
            ConfigurationError: there is no usable browser.
        """
        async with self._turns:
            try:
                return await self._attempt(subject)
            except _BrowserGoneError:
                pass
            except _TooMuchMemoryError as error:
                if self._chromium.pages_at_excess <= 1:
                    raise self._refuse_hungry(subject) from error
        async with self._all_turns():
            try:
                return await self._attempt(subject)
            except _BrowserGoneError as error:
                raise ServiceUnavailableError("The browser failed twice.") from error
            except _TooMuchMemoryError as error:
                raise self._refuse_hungry(subject) from error

    @asynccontextmanager
    async def _all_turns(self) -> AsyncIterator[None]:
        """Nothing else is drawn meanwhile."""
        async with self._gathering, AsyncExitStack() as stack:
            for _ in range(AT_ONCE):
                await stack.enter_async_context(self._turns)
            yield

    def _refuse_hungry(self, subject: RenderTarget) -> UnusableContentError:
        return UnusableContentError(
            f"The {subject.kind} makes the browser take more than {self._browser_memory} MB of "
            "memory, the bound that ADSPARK_BROWSER_MEMORY sets."
        )

    async def _attempt(self, subject: RenderTarget) -> Rendering:
        before = self._chromium.excesses
        try:
            return await self._try(subject)
        except (UnusableContentError, _BrowserGoneError) as error:
            if self._chromium.excesses > before:
                raise _TooMuchMemoryError from error
            raise

    async def _try(self, subject: RenderTarget) -> Rendering:
        browser = await self._chromium.start()
        try:
            async with asyncio.timeout(self._time_limit):
                content = await self._draw(subject)
                return await _develop(subject.kind, content)
        except TimeoutError as error:
            raise UnusableContentError(
                f"The {subject.kind} was not drawn within {self._time_limit:g} s: a script that "
                "does not end, or too much of something."
            ) from error
        except BrowserError as error:
            if "crashed" in error.message:
                raise UnusableContentError(
                    f"The {subject.kind} makes its page crash, as by using too much memory."
                ) from error
            # The browser's own failure, as "Unable to capture screenshot", says nothing of the ad.
            if not browser.is_connected() or "Protocol error" in error.message:
                raise _BrowserGoneError from error
            # The rest of the message is for programmers, and may quote the page's own scripts.
            found = _NET_ERROR.search(error.message)
            reason = found[0] if found else "the browser cannot show what its scripts make of it"
            raise UnusableContentError(f"The {subject.kind} cannot be drawn: {reason}.") from error

    async def _draw(self, subject: RenderTarget) -> bytes:
        match subject.kind:
            case Kind.PICTURE:
                return await self._draw_picture(subject)
            case Kind.PREVIEW:
                return await self._draw_preview(subject)
            case Kind.PAGE:
                return await self._draw_page(subject)
            case Kind.HTML:
                return await self._draw_html(subject)

    async def _draw_picture(self, subject: RenderTarget) -> bytes:
        # A picture of ours needs no time for other parts.
        main = await self._fetch(subject.content, share=_MAIN_SHARE + _PARTS_SHARE)
        picture = await normalise_picture_aside(main.content, is_kept=False)
        info = picture.info
        size = _picture_size(subject, info.width, info.height).shrunk(self._scale)
        async with self._open(size, has_scripts=False) as (page, _):
            return await draw_picture(page, picture.content, info.media_type, size)

    async def _draw_preview(self, subject: RenderTarget) -> bytes:
        script = preview_script(subject.content)
        main = replace(await self._fetch(script, share=_MAIN_SHARE), url=script)
        url, html = write_preview(script, width=_positive(subject.width))
        document = Download(html.encode(), "text/html; charset=utf-8", url)
        async with self._open(_ROOM, at_hand=(document, main)) as (page, supply):
            patience = self._time_limit * _PARTS_SHARE
            return await draw_preview(page, url, supply, patience=patience)

    async def _draw_page(self, subject: RenderTarget) -> bytes:
        main = await self._fetch(subject.content, share=_MAIN_SHARE)
        size = Size(
            _positive(subject.width) or _ROOM.width, _positive(subject.height) or _ROOM.height
        )
        async with self._open(size.shrunk(self._scale), at_hand=(main,)) as (page, supply):
            return await draw_page(page, main.url, supply)

    async def _draw_html(self, subject: RenderTarget) -> bytes:
        width, height = _positive(subject.width) or _HTML_WIDTH, _positive(subject.height)
        size = Size(width, height or _ROOM.height).shrunk(self._scale)
        async with self._open(size, has_scripts=False) as (page, supply):
            content = await draw_html(
                page, subject.content, width=size.width, height=height and size.height
            )
            supply.check()
            return content

    async def _fetch(self, url: str, *, share: float) -> Download:
        return await self._downloader.get(url, timeout=self._time_limit * share)

    @asynccontextmanager
    async def _open(
        self, size: Size, *, has_scripts: bool = True, at_hand: Sequence[Download] = ()
    ) -> AsyncIterator[tuple[Page, PageSupply]]:
        """A page whose requests are answered for it."""
        async with self._chromium.open_page(
            width=size.width, height=size.height, scale=self._scale, has_scripts=has_scripts
        ) as page:
            supply = PageSupply(
                self._downloader,
                at_hand=at_hand,
                patience=self._time_limit * _PARTS_SHARE,
                max_bytes=MAX_BYTES,
            )
            await supply.attach(page)
            try:
                yield page, supply
            except BrowserError:
                supply.check()  # the cause, when it was the page's own document
                raise
            finally:
                supply.stop()


async def _develop(kind: Kind, content: bytes) -> Rendering:
    """A screenshot with its size; a picture may be of one colour, anything else may not."""
    info = await check_picture_aside(content)
    if kind in (Kind.PREVIEW, Kind.PAGE) and info.is_blank:
        raise UnusableContentError(f"The {kind} shows nothing.")
    return Rendering(content, info.width, info.height, info.sha256)


def _picture_size(subject: RenderTarget, width: int, height: int) -> Size:
    """The size asked for; a side that is not given follows from the picture's own shape."""
    wide, high = _positive(subject.width), _positive(subject.height)
    if wide and high:
        return Size(wide, high)
    if wide:
        return Size(wide, max(1, round(wide * height / width)))
    if high:
        return Size(max(1, round(high * width / height)), high)
    return Size(width, height)


def _positive(side: int | None) -> int | None:
    return side if side is not None and side > 0 else None
