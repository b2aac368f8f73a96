"""Render a creative's picture, preview script or page to a PNG in a browser."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

from playwright.async_api import Browser
from playwright.async_api import Error as BrowserError

from adspark.errors import ServiceUnavailableError, UnusableContentError
from adspark.media.images import DECODERS, check_picture, normalise_picture
from adspark.net.addresses import AddressRules
from adspark.net.downloads import Download, Downloader
from adspark.rendering.browser import MEMORY, Chromium
from adspark.rendering.render_target import RenderKind, RenderTarget, rendering_key
from adspark.rendering.request_interceptor import RequestInterceptor
from adspark.rendering.screenshot import (
    Size,
    capture_page,
    capture_picture,
    capture_preview,
    preview_script,
    write_preview,
)
from adspark.settings import Settings

AT_ONCE = 2
"""Targets that one renderer works on at the same time; others wait, without a time-out."""

_VIEWPORT = Size(1280, 960)  # of what has no size of its own
_NET_ERROR = re.compile(r"\bERR_[A-Z_]+\b")  # Chromium's name for what failed
# Shares of the time limit: what remains is for the browser.
_DOCUMENT_SHARE = 0.4
_REQUESTS_SHARE = 0.4


class _BrowserLostError(Exception):
    """The browser ended under a page, or failed by itself."""

    def __init__(self, *, is_out_of_memory: bool = False) -> None:
        super().__init__()
        self.is_out_of_memory = is_out_of_memory


def configured_renderer(rules: AddressRules, settings: Settings) -> "Renderer":
    """A renderer with the browser, bounds and scale of the settings."""
    return Renderer(
        rules,
        program=settings.browser,
        chromium_sandbox=settings.browser_sandbox,
        browser_memory=settings.browser_memory,
        time_limit=settings.render_time_limit,
        scale=settings.render_scale,
    )


class Renderer:
    """Renders with one browser for its life and a fresh context for every target.

    `render` may be called several times at once.

    Args:
        rules: what may be requested; the browser itself requests nothing.
        program: Chromium's program; None: Playwright's own, else one on PATH.
        chromium_sandbox: whether Chromium's sandbox is on; it never is for root.
        browser_memory: megabytes that the browser may take, with all its processes.
        time_limit: seconds for one target, the browser's start not counted.
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
            DECODERS.close_idle()
            await self._downloader.__aexit__()

    def key(self, target: RenderTarget) -> str:
        """The name of what `render` gives for a target, in hex."""
        return rendering_key(target, self._scale)

    async def render(self, target: RenderTarget) -> bytes:
        """A PNG of a target; after a failure of the browser once more, with nothing beside it.

        Raises:
            UnusableContentError: it is refused, broken, empty, too large or too slow, or makes the
                browser take too much memory.
            ServiceUnavailableError: it cannot be downloaded right now.
            ConfigurationError: there is no usable browser.
        """
        async with self._turns:
            try:
                return await self._attempt(target)
            except _BrowserLostError as error:
                if error.is_out_of_memory and self._chromium.pages_at_kill <= 1:
                    raise self._too_much_memory(target) from error
        async with self._all_turns():
            try:
                return await self._attempt(target)
            except _BrowserLostError as error:
                if error.is_out_of_memory:
                    raise self._too_much_memory(target) from error
                raise ServiceUnavailableError("The browser failed twice.") from error

    @asynccontextmanager
    async def _all_turns(self) -> AsyncIterator[None]:
        """Nothing else is rendered meanwhile."""
        async with self._gathering, AsyncExitStack() as stack:
            for _ in range(AT_ONCE):
                await stack.enter_async_context(self._turns)
            yield

    def _too_much_memory(self, target: RenderTarget) -> UnusableContentError:
        return UnusableContentError(
            f"The {target.kind} makes the browser take more than {self._browser_memory} MB of "
            "memory, the bound that ADSPARK_BROWSER_MEMORY sets."
        )

    async def _attempt(self, target: RenderTarget) -> bytes:
        browser = await self._chromium.start()
        kills = self._chromium.memory_kills
        try:
            async with asyncio.timeout(self._time_limit):
                screenshot = await self._capture(target)
                await _check(target.kind, screenshot)
                return screenshot
        except (TimeoutError, BrowserError, UnusableContentError) as error:
            if self._chromium.memory_kills > kills:
                raise _BrowserLostError(is_out_of_memory=True) from error
            if isinstance(error, UnusableContentError):
                raise
            if isinstance(error, BrowserError) and _is_lost(browser, error):
                raise _BrowserLostError from error
            raise UnusableContentError(self._explain(target.kind, error)) from error

    def _explain(self, kind: RenderKind, error: TimeoutError | BrowserError) -> str:
        if isinstance(error, TimeoutError):
            return (
                f"The {kind} was not rendered within {self._time_limit:g} s: a script that "
                "does not end, or too much of something."
            )
        if "crashed" in error.message:
            return f"The {kind} makes its page crash, as by using too much memory."
        # The rest of the message is for programmers, and may quote the page's own scripts.
        found = _NET_ERROR.search(error.message)
        reason = found[0] if found else "the browser cannot show what its scripts make of it"
        return f"The {kind} cannot be rendered: {reason}."

    async def _capture(self, target: RenderTarget) -> bytes:
        match target.kind:
            case RenderKind.PICTURE:
                return await self._capture_picture(target)
            case RenderKind.PREVIEW:
                return await self._capture_preview(target)
            case RenderKind.PAGE:
                return await self._capture_page(target)

    async def _capture_picture(self, target: RenderTarget) -> bytes:
        # Our page for it sends no requests of its own, so that their time is the download's.
        main = await self._fetch(target.url, share=_DOCUMENT_SHARE + _REQUESTS_SHARE)
        picture = await normalise_picture(main.content, is_compact=False)
        size = _picture_size(target, picture.info.width, picture.info.height).shrunk(self._scale)
        async with self._open(size, has_scripts=False) as interceptor:
            return await capture_picture(interceptor.page, picture, size)

    async def _capture_preview(self, target: RenderTarget) -> bytes:
        script = preview_script(target.url)
        main = replace(await self._fetch(script, share=_DOCUMENT_SHARE), url=script)
        url, html = write_preview(script, width=_positive(target.width))
        document = Download(html.encode(), "text/html; charset=utf-8", url)
        async with self._open(_VIEWPORT, prefetched=(document, main)) as interceptor:
            return await capture_preview(interceptor, url)

    async def _capture_page(self, target: RenderTarget) -> bytes:
        main = await self._fetch(target.url, share=_DOCUMENT_SHARE)
        width, height = _positive(target.width), _positive(target.height)
        size = Size(width or _VIEWPORT.width, height or _VIEWPORT.height)
        async with self._open(size.shrunk(self._scale), prefetched=(main,)) as interceptor:
            return await capture_page(interceptor, main.url)

    async def _fetch(self, url: str, *, share: float) -> Download:
        return await self._downloader.fetch(url, timeout=self._time_limit * share)

    @asynccontextmanager
    async def _open(
        self, size: Size, *, has_scripts: bool = True, prefetched: Sequence[Download] = ()
    ) -> AsyncIterator[RequestInterceptor]:
        async with self._chromium.open_page(
            width=size.width, height=size.height, scale=self._scale, has_scripts=has_scripts
        ) as page:
            interceptor = RequestInterceptor(
                page,
                self._downloader,
                prefetched=prefetched,
                timeout=self._time_limit * _REQUESTS_SHARE,
            )
            await interceptor.attach()
            try:
                yield interceptor
            except BrowserError:
                interceptor.check()  # the cause, when it was the page's own document
                raise
            finally:
                interceptor.stop()


async def _check(kind: RenderKind, screenshot: bytes) -> None:
    """Check a screenshot; a picture may be of one colour, anything else may not."""
    info = await check_picture(screenshot)
    if kind is not RenderKind.PICTURE and info.is_blank:
        raise UnusableContentError(f"The {kind} shows nothing.")


def _is_lost(browser: Browser, error: BrowserError) -> bool:
    """Whether the browser itself failed, as "Unable to capture screenshot"; not the ad."""
    is_crash_of_page = "crashed" in error.message
    is_own = not browser.is_connected() or "Protocol error" in error.message
    return is_own and not is_crash_of_page


def _picture_size(target: RenderTarget, width: int, height: int) -> Size:
    """The target's size; a side that it lacks follows from the picture's own shape."""
    wide, high = _positive(target.width), _positive(target.height)
    if not wide and not high:
        return Size(width, height)
    return Size(
        wide or max(1, round((high or 0) * width / height)),
        high or max(1, round((wide or 0) * height / width)),
    )


def _positive(side: int | None) -> int | None:
    return side if side is not None and side > 0 else None
