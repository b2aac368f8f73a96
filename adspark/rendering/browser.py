"""One Chromium, started when it is first needed and restarted when it ended, without a network.

Whoever opens a page intercepts its requests; what escapes that meets a proxy that nobody serves.
"""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
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
from adspark.rendering.browser_memory import watch_memory
from adspark.rendering.program import INSTALL, check_program

# The shell renders the same without a browser's windows, and three times as fast.
PROGRAMS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
_START_TIMEOUT = 60.0  # seconds
_CLOSE_TIMEOUT = 2.0  # seconds until something that does not close is killed
_MAX_PAGES = 250  # after which browser and driver are restarted, for the driver's memory grows
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
        program: None: Playwright's own, else one on PATH.
        is_sandboxed: whether Chromium's own sandbox is on; it never is for root.
        memory: megabytes that all its processes may take together; past them they are killed.
    """

    def __init__(self, *, program: Path | None, is_sandboxed: bool, memory: int = MEMORY) -> None:
        self.memory_kills = 0  # how often its processes were killed for their memory
        self.pages_at_kill = 0  # that were open at the last time
        self._memory = memory
        self._stop_watch: Callable[[], None] | None = None
        self._program = program
        self._is_sandboxed = is_sandboxed and os.geteuid() != 0
        self._mark = f"--adspark-browser={uuid4().hex}"  # finds its processes among all others
        self._playwright: Playwright | None = None
        self._starting: asyncio.Task[Browser] | None = None
        self._renewing = asyncio.Lock()
        self._pages_open = 0
        self._pages_left = _MAX_PAGES

    async def start(self) -> Browser:
        """The running browser.

        Raises:
            ConfigurationError: there is none, or it does not start; says what to install or set.
        """
        if self._starting is None or _has_ended(self._starting):
            self._starting = asyncio.create_task(self._start())
        # Shielded: a start that nobody waits for any more still has to be known to `close`.
        return await asyncio.shield(self._starting)

    @asynccontextmanager
    async def open_page(
        self, *, width: int, height: int, scale: float, has_scripts: bool
    ) -> AsyncIterator[Page]:
        """A page that shares nothing with others; raises as `start`.

        Args:
            width, height: of its viewport, in CSS pixels.
            scale: device pixels to a CSS pixel.
            has_scripts: whether its scripts run.
        """
        async with self._renewing:
            if self._pages_left <= 0 and self._pages_open == 0:
                await self.close()
                self._pages_left = _MAX_PAGES
            self._pages_left -= 1
            self._pages_open += 1
        try:
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
        finally:
            self._pages_open -= 1

    async def close(self) -> None:
        """End the browser and everything that belongs to it."""
        starting, self._starting = self._starting, None
        if self._stop_watch is not None:
            self._stop_watch()
        processes = self._processes()
        if starting is not None:
            with contextlib.suppress(Exception):
                browser = await asyncio.wait_for(starting, _START_TIMEOUT)
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

    def _note_kill(self) -> None:
        self.pages_at_kill = self._pages_open
        self.memory_kills += 1

    async def _start(self) -> Browser:
        self._playwright = self._playwright or await async_playwright().start()
        browser = await self._launch_any(self._playwright)
        if self._stop_watch is not None:
            self._stop_watch()
        self._stop_watch = watch_memory(
            self._processes, limit=self._memory, on_excess=self._note_kill
        )
        return browser

    async def _launch_any(self, playwright: Playwright) -> Browser:
        """Start the configured program, else Playwright's own, else one on PATH."""
        check_program(self._program)
        if self._program is not None or _is_installed(playwright):
            with contextlib.suppress(FileNotFoundError):
                return await self._launch(playwright, self._program)
        found = next(filter(None, map(shutil.which, PROGRAMS)), None)
        if found is None:
            raise ConfigurationError(
                f"There is no Chromium: run {INSTALL}, or name one in ADSPARK_BROWSER."
            )
        return await self._launch(playwright, Path(found))

    async def _launch(self, playwright: Playwright, program: Path | None) -> Browser:
        """Start a program; None: Playwright's own, FileNotFoundError where it is missing."""
        try:
            return await playwright.chromium.launch(
                executable_path=program,
                chromium_sandbox=self._is_sandboxed,
                proxy=_DEAD_PROXY,
                args=[*_ARGUMENTS, self._mark],
                ignore_default_args=_UNWANTED,
                env={k: v for k, v in os.environ.items() if _ENVIRONMENT.fullmatch(k)},
                timeout=_START_TIMEOUT * 1000,
            )
        except BrowserError as error:
            if program is None and "Executable doesn't exist" in error.message:
                raise FileNotFoundError from None
            raise _explain(program, error.message) from error


def _is_installed(playwright: Playwright) -> bool:
    """Whether Playwright may have a Chromium of its own; each vain try of it leaves two folders."""
    program = Path(playwright.chromium.executable_path)
    own = next((one for one in program.parents if one.name.startswith("chromium")), None)
    return own is None or any(own.parent.glob("chromium*"))


async def check_browser(*, program: Path | None, is_sandboxed: bool) -> None:
    """Start a browser and end it; raises as `Chromium.start`."""
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
        f"{name} does not start as a browser ({reason}): run {INSTALL}, or name another in "
        "ADSPARK_BROWSER."
    )


def _has_ended(starting: asyncio.Task[Browser]) -> bool:
    if not starting.done():
        return False
    failed = starting.cancelled() or starting.exception() is not None
    return failed or not starting.result().is_connected()


async def _finish(closing: Awaitable[None]) -> bool:
    """Whether something closed in time, or had ended before."""
    try:
        await asyncio.wait_for(closing, _CLOSE_TIMEOUT)
    except TimeoutError:
        return False
    except BrowserError:
        pass
    return True


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
