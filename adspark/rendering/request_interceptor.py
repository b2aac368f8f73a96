"""The requests of a page: all are intercepted, and carried out by the downloader in one budget."""

import asyncio
import contextlib
from collections.abc import Sequence

from playwright.async_api import Error as BrowserError
from playwright.async_api import Page, Request, Route

from adspark.errors import AdSparkError, UnusableContentError
from adspark.net.downloads import ByteBudget, Download, Downloader, DownloadRequest

_MAX_BYTES = 40 * 1024 * 1024  # everything that one page may load
_MAX_REQUESTS = 200
_FLOOD = 400  # requests that end the page: even refusing them takes time
_MAX_NAVIGATIONS = 5
_MAX_BODY = 1024 * 1024  # bytes that a page may send
_METHODS = {"GET", "POST"}
_FORWARDED = ("accept", "accept-language", "content-type", "origin", "referer", "user-agent")
_QUIET = 0.1  # seconds without a request under way


class RequestInterceptor:
    """Responds to one page's requests, once it is attached.

    Args:
        page: whose requests they are.
        downloader: fetches everything that is not `prefetched`.
        prefetched: responses that are known already, the page's own document among them.
        timeout: seconds from now on; what has not arrived by then is refused.
    """

    def __init__(
        self, page: Page, downloader: Downloader, *, prefetched: Sequence[Download], timeout: float
    ) -> None:
        self.page = page
        self.timeout = timeout
        self._failure: AdSparkError | None = None
        self._downloader = downloader
        self._prefetched = {one.url: one for one in prefetched}
        self._deadline = asyncio.get_running_loop().time() + timeout
        self._byte_budget = ByteBudget(_MAX_BYTES)
        self._requests = 0
        self._navigations = 0
        self._pending: set[asyncio.Task[Download]] = set()

    async def attach(self) -> None:
        """Intercept all requests of the page and of what it opens, which is closed at once."""
        self.page.context.on("page", _close_popup)
        await self.page.context.route("**/*", self._intercept)

    async def wait_until_idle(self) -> None:
        """Wait until no request has been under way for a moment, or the time is up."""
        loop = asyncio.get_running_loop()
        quiet_since, seen = loop.time(), self._requests
        while (now := loop.time()) < self._deadline:
            if self._pending or seen != self._requests:
                quiet_since, seen = now, self._requests
            elif now - quiet_since >= _QUIET:
                return
            await asyncio.sleep(_QUIET / 5)

    def check(self) -> None:
        """Raise AdSparkError where the page's own document was refused or not downloaded."""
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Cancel what is under way."""
        for task in self._pending:
            task.cancel()

    async def _intercept(self, route: Route, request: Request) -> None:
        # A page that is closed meanwhile needs no response.
        with contextlib.suppress(BrowserError):
            self._requests += 1
            is_main = self._is_main(request)
            if self._requests == _FLOOD:
                self._failure = UnusableContentError(f"The page sends more than {_FLOOD} requests.")
                await self.page.close()
                return
            if self._requests > _MAX_REQUESTS or (is_main and self._has_too_many_navigations()):
                await route.abort("blockedbyclient")
                return
            download = asyncio.create_task(self._fetch(request))
            self._pending.add(download)
            try:
                await asyncio.wait({download})
                await self._respond(route, request, download, is_main=is_main)
            finally:
                self._pending.discard(download)

    async def _respond(
        self, route: Route, request: Request, task: asyncio.Task[Download], *, is_main: bool
    ) -> None:
        error = None if task.cancelled() else task.exception()
        if task.cancelled() or error is not None:
            if is_main and isinstance(error, AdSparkError):
                self._failure = error
            await route.abort("blockedbyclient")
            return
        download = task.result()
        # The page's rights towards other sites end here; there is nothing of anybody's to protect.
        origin = request.headers.get("origin")
        headers = {
            "content-type": download.content_type or "application/octet-stream",
            "access-control-allow-origin": origin or "*",
            **({"access-control-allow-credentials": "true"} if origin else {}),
        }
        await route.fulfill(status=200, headers=headers, body=download.content)

    async def _fetch(self, request: Request) -> Download:
        if (known := self._prefetched.get(request.url)) is not None:
            return known
        body = request.post_data_buffer
        if request.method not in _METHODS or len(body or b"") > _MAX_BODY:
            raise UnusableContentError(f"A page sent {request.method}, or too large a body.")
        headers = {name: v for name, v in request.headers.items() if name in _FORWARDED}
        left = self._deadline - asyncio.get_running_loop().time()
        return await self._downloader.fetch(
            request.url,
            request=DownloadRequest(request.method, headers, body),
            byte_budget=self._byte_budget,
            timeout=max(left, 0.001),
        )

    def _is_main(self, request: Request) -> bool:
        """Whether it is for the page's own document."""
        if not request.is_navigation_request():
            return False
        try:
            return request.frame == self.page.main_frame
        except BrowserError:
            return False  # a window that the page opened, too young to have a frame

    def _has_too_many_navigations(self) -> bool:
        self._navigations += 1
        if self._navigations > _MAX_NAVIGATIONS:
            self._failure = UnusableContentError("The page keeps going from address to address.")
            return True
        return False


async def _close_popup(popup: Page) -> None:
    with contextlib.suppress(BrowserError):
        await popup.close()
