"""One Chromium, started when it is first needed and anew when it is gone, that reaches nothing.

All its requests are answered by whoever opens a page; what escapes that meets a dead proxy.
"""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import psutil
from playwright.async_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    ProxySettings,
    ViewportSize,
    async_playwright,
)
from playwright.async_api import Error as BrowserError

from adspark.errors import ConfigurationError
from adspark.rendering.browser_memory import MemoryWatch

# The shell draws the same without a browser's windows, and three times as fast.
PROGRAMS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
_INSTALL = "`playwright install chromium` (on Debian also: apt-get install chromium-headless-shell)"
_START_LIMIT = 60.0  # seconds
_CLOSE_LIMIT = 2.0  # seconds until something that does not close is killed
_PAGES = 250  # after which browser and driver are started anew, for the driver's memory grows
_HEAP = 256  # megabytes of JavaScript objects a page
MEMORY = 1024
"""Megabytes that a browser may take where nothing else is set; ten times what most pages need."""

# Nobody listens on the discard port; and no request goes around the proxy, not even to loopback.
_DEAD_PROXY = ProxySettings(server="http://127.0.0.1:9", bypass="<-loopback>")
_ARGUMENTS = (
    f"--js-flags=--max-old-space-size={_HEAP}",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    "--disable-gpu",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
)
# Playwright switches off what keeps pages from opening windows and from flooding the browser.
_UNWANTED = ["--disable-popup-blocking", "--disable-ipc-flooding-protection"]
# The rest of the environment may hold keys, which are no business of a browser. By the id of its
# run a worker finds what that has left behind.
_ENVIRONMENT = re.compile(
    r"PATH|HOME|USER|LANG|LC_\w+|TMPDIR|FONTCONFIG_\w+|XDG_\w+|LD_LIBRARY_PATH"
    r"|PREFECT__FLOW_RUN_ID"
)
_NO_SANDBOX = re.compile(
    r"no usable sandbox|move to new namespace|setuid sandbox|zygote_host", re.I
)


class Chromium:
    """A browser that lives until `close`; a page that breaks it costs one restart.

    Args:
        program: the program; None: Playwright's own, else one on PATH.
        is_sandboxed: whether Chromium's own sandbox is on; it never is for root.
        memory: megabytes that all its processes may take together; past them they are killed.

    Attributes:
        excesses: how often they were.
        pages_at_excess: that were open when they were last.
    """

    def __init__(self, *, program: Path | None, is_sandboxed: bool, memory: int = MEMORY) -> None:
        self.excesses = 0
        self.pages_at_excess = 0
        self._memory = memory
        self._watch: MemoryWatch | None = None
        self._program = program
        self._is_sandboxed = is_sandboxed and os.geteuid() != 0
        self._mark = f"--adspark-browser={uuid4().hex}"  # finds its processes among all others
        self._playwright: Playwright | None = None
        self._starting: asyncio.Task[Browser] | None = None
        self._renewing = asyncio.Lock()
        self._pages_open = 0
        self._pages_left = _PAGES

    async def start(self) -> Browser:
        """The running browser.

        Raises:
            ConfigurationError: there is none, or it does not start; says what to install or set.
        """
        if self._starting is None or _is_over(self._starting):
            self._starting = asyncio.create_task(self._start_watched())
        # Shielded: a start that nobody waits for any more still has to be known to `close`.
        return await asyncio.shield(self._starting)

    @asynccontextmanager
    async def open_page(
        self, *, width: int, height: int, scale: float, has_scripts: bool
    ) -> AsyncIterator[Page]:
        """A page that shares nothing with others; sizes in CSS pixels.

        Raises:
            ConfigurationError: as `start`.
        """
        async with self._renewing:
            if self._pages_left <= 0 and self._pages_open == 0:
                await self.close()
                self._pages_left = _PAGES
            self._pages_left -= 1
            self._pages_open += 1
        try:
            async with self._open_page(
                width=width, height=height, scale=scale, has_scripts=has_scripts
            ) as page:
                yield page
        finally:
            self._pages_open -= 1

    @asynccontextmanager
    async def _open_page(
        self, *, width: int, height: int, scale: float, has_scripts: bool
    ) -> AsyncIterator[Page]:
        browser = await self.start()
        context = await browser.new_context(
            viewport=ViewportSize(width=width, height=height),
            device_scale_factor=scale,
            java_script_enabled=has_scripts,
            locale="en-US",
            timezone_id="UTC",
            color_scheme="light",
            reduced_motion="reduce",
            service_workers="block",
            accept_downloads=False,
        )
        try:
            context.set_default_timeout(0)  # the renderer's deadline is the one that counts
            yield await context.new_page()
        finally:
            await asyncio.shield(asyncio.ensure_future(self._close_context(browser, context)))

    async def close(self) -> None:
        """End the browser and everything that belongs to it."""
        starting, self._starting = self._starting, None
        if self._watch is not None:
            self._watch.stop()
        processes = self._processes()
        if starting is not None:
            with contextlib.suppress(Exception):
                browser = await asyncio.wait_for(starting, _START_LIMIT)
                processes = self._processes()
                await _finish(browser.close())
        if self._playwright is not None:
            await _finish(self._playwright.stop())
            self._playwright = None
        _kill(processes)

    def _processes(self) -> list[psutil.Process]:
        """The browser's processes, the first one first."""
        found: list[psutil.Process] = []
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if self._mark in process.cmdline() and process not in found:
                    found += [process, *process.children(recursive=True)]
        return found

    async def _close_context(self, browser: Browser, context: BrowserContext) -> None:
        """Close it; a page that cannot be closed takes the browser with it."""
        if browser.is_connected() and not await _finish(context.close()):
            self._starting = None
            _kill(self._processes())

    def _note_excess(self) -> None:
        self.pages_at_excess = self._pages_open
        self.excesses += 1

    async def _start_watched(self) -> Browser:
        browser = await self._start()
        if self._watch is not None:
            self._watch.stop()
        self._watch = MemoryWatch(self._processes, limit=self._memory, on_excess=self._note_excess)
        self._watch.start()
        return browser

    async def _start(self) -> Browser:
        if self._playwright is None:
            self._playwright = await async_playwright().start()
        if self._program is not None:
            if not os.access(self._program, os.X_OK):
                raise ConfigurationError(
                    f"ADSPARK_BROWSER: there is no program {self._program}. Correct it, or leave "
                    f"it empty and run {_INSTALL}."
                )
            return await self._launch(self._playwright, self._program)
        try:
            return await self._launch(self._playwright, None)
        except FileNotFoundError:
            found = next(filter(None, map(shutil.which, PROGRAMS)), None)
        if found is None:
            raise ConfigurationError(
                f"There is no Chromium: run {_INSTALL}, or name one in ADSPARK_BROWSER."
            )
        return await self._launch(self._playwright, Path(found))

    async def _launch(self, playwright: Playwright, program: Path | None) -> Browser:
        """Start a program, by default Playwright's own, which may be missing."""
        try:
            return await playwright.chromium.launch(
                executable_path=program,
                chromium_sandbox=self._is_sandboxed,
                proxy=_DEAD_PROXY,
                args=[*_ARGUMENTS, self._mark],
                ignore_default_args=_UNWANTED,
                env={k: v for k, v in os.environ.items() if _ENVIRONMENT.fullmatch(k)},
                timeout=_START_LIMIT * 1000,
            )
        except BrowserError as error:
            if program is None and "Executable doesn't exist" in error.message:
                raise FileNotFoundError from None
            raise _explain(program, error.message) from error


async def check_browser(*, program: Path | None, is_sandboxed: bool) -> None:
    """Start a browser and end it.

    Raises:
        ConfigurationError: there is none, or it does not start; says what to install or set.
    """
    chromium = Chromium(program=program, is_sandboxed=is_sandboxed)
    try:
        await chromium.start()
    finally:
        await chromium.close()


def _explain(program: Path | None, message: str) -> ConfigurationError:
    name = program or "Playwright's Chromium"
    if _NO_SANDBOX.search(message):
        return ConfigurationError(
            f"{name} cannot use its sandbox on this system: set ADSPARK_BROWSER_SANDBOX=false, or "
            "allow unprivileged user namespaces."
        )
    reason = message.strip().partition("\n")[0][:200]
    return ConfigurationError(
        f"{name} does not start as a browser ({reason}): run {_INSTALL}, or name another in "
        "ADSPARK_BROWSER."
    )


def _is_over(starting: asyncio.Task[Browser]) -> bool:
    if not starting.done():
        return False
    failed = starting.cancelled() or starting.exception() is not None
    return failed or not starting.result().is_connected()


async def _finish(closing: Awaitable[None]) -> bool:
    """Whether something closed in time."""
    try:
        await asyncio.wait_for(closing, _CLOSE_LIMIT)
    except TimeoutError:
        return False
    except BrowserError:
        return True  # it was gone already
    return True


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
