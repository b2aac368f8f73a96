"""What a page gets: every request is answered by the downloader, within one budget."""

import asyncio
import contextlib
from collections.abc import Sequence

from playwright.async_api import Error as BrowserError
from playwright.async_api import Page, Request, Route

from adspark.errors import AdSparkError, UnusableContentError
from adspark.net.downloads import Ask, ByteBudget, Download, Downloader

_MAX_REQUESTS = 200
_FLOOD = 400  # requests that end the page: even refusing them takes time
_MAX_NAVIGATIONS = 5
_MAX_BODY = 1024 * 1024  # bytes that a page may send
_METHODS = {"GET", "POST"}
_FORWARDED = ("accept", "accept-language", "content-type", "origin", "referer", "user-agent")
_QUIET = 0.1  # seconds without a request under way


class PageSupply:
    """Answers one page's requests.

    Args:
        downloader: asked for everything that is not in `at_hand`.
        at_hand: what is known already; the page's own document is the first.
        patience: seconds from now on; what has not arrived by then is refused.
        max_bytes: everything together.
    """

    def __init__(
        self,
        downloader: Downloader,
        *,
        at_hand: Sequence[Download],
        patience: float,
        max_bytes: int,
    ) -> None:
        self._downloader = downloader
        self._at_hand = {one.url: one for one in at_hand}
        self._until = asyncio.get_running_loop().time() + patience
        self._allowance = ByteBudget(max_bytes)
        self._requests = 0
        self._navigations = 0
        self._under_way: set[asyncio.Task[Download]] = set()
        self.failure: AdSparkError | None = None

    async def attach(self, page: Page) -> None:
        """Take over all requests of a page and of what it opens, which is closed at once."""
        self._page = page
        page.context.on("page", _close_popup)
        await page.context.route("**/*", self._answer)

    async def settle(self) -> None:
        """Wait until nothing has been under way for a moment, or patience ends."""
        loop = asyncio.get_running_loop()
        quiet_since = loop.time()
        seen = self._requests
        while (now := loop.time()) < self._until:
            if self._under_way or seen != self._requests:
                quiet_since, seen = now, self._requests
            elif now - quiet_since >= _QUIET:
                return
            await asyncio.sleep(_QUIET / 5)

    def check(self) -> None:
        """Raise what happened to the page's own document.

        Raises:
            AdSparkError: it was refused or could not be downloaded.
        """
        if self.failure is not None:
            raise self.failure

    def stop(self) -> None:
        """Give up what is under way."""
        for task in self._under_way:
            task.cancel()

    async def _answer(self, route: Route, request: Request) -> None:
        # A page that is closed meanwhile needs no answer.
        with contextlib.suppress(BrowserError):
            self._requests += 1
            is_main = self._is_main(request)
            if self._requests == _FLOOD:
                self.failure = UnusableContentError(f"The page asks for more than {_FLOOD} things.")
                await self._page.close()
                return
            if self._requests > _MAX_REQUESTS or (is_main and self._is_going_round()):
                await route.abort("blockedbyclient")
                return
            work = asyncio.create_task(self._obtain(request))
            self._under_way.add(work)
            try:
                await asyncio.wait({work})
                await self._reply(route, request, work, is_main=is_main)
            finally:
                self._under_way.discard(work)

    async def _reply(
        self, route: Route, request: Request, work: asyncio.Task[Download], *, is_main: bool
    ) -> None:
        error = None if work.cancelled() else work.exception()
        if work.cancelled() or error is not None:
            if is_main and isinstance(error, AdSparkError):
                self.failure = error
            await route.abort("blockedbyclient")
            return
        download = work.result()
        # The page's rights towards other sites end here; there is nothing of anybody's to protect.
        origin = request.headers.get("origin")
        headers = {
            "content-type": download.content_type or "application/octet-stream",
            "access-control-allow-origin": origin or "*",
            **({"access-control-allow-credentials": "true"} if origin else {}),
        }
        await route.fulfill(status=200, headers=headers, body=download.content)

    async def _obtain(self, request: Request) -> Download:
        if (known := self._at_hand.get(request.url)) is not None:
            return known
        body = request.post_data_buffer
        if request.method not in _METHODS or len(body or b"") > _MAX_BODY:
            raise UnusableContentError(f"A page asked by {request.method}, or with too much.")
        headers = {name: v for name, v in request.headers.items() if name in _FORWARDED}
        left = self._until - asyncio.get_running_loop().time()
        return await self._downloader.get(
            request.url,
            ask=Ask(request.method, headers, body),
            allowance=self._allowance,
            timeout=max(left, 0.001),
        )

    def _is_main(self, request: Request) -> bool:
        if not request.is_navigation_request():
            return False
        try:
            return request.frame == self._page.main_frame
        except BrowserError:
            return False  # a window that the page opened, too young to have a frame

    def _is_going_round(self) -> bool:
        self._navigations += 1
        if self._navigations > _MAX_NAVIGATIONS:
            self.failure = UnusableContentError("The page keeps going from address to address.")
            return True
        return False


async def _close_popup(popup: Page) -> None:
    with contextlib.suppress(BrowserError):
        await popup.close()
