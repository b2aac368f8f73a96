"""The whole stack as a user starts it, through the command, on free ports."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from adspark.rendering.browser import PROGRAMS
from tests.support.stack import Stack, surroundings
from tests.support.warm_command import warm_command

_PATIENCE = 180_000  # milliseconds for the page to show something


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    """A running stack on the sandbox, for all tests that only use it."""
    with surroundings() as made:
        started = made.adspark("up", "--sandbox", "--detach")
        assert started.returncode == 0, started.stdout + started.stderr
        with warm_command(made) as warm:
            yield warm


@pytest.fixture
def own_stack() -> Iterator[Stack]:
    """Surroundings in which the test starts and stops a stack itself."""
    with surroundings() as made:
        yield made


@pytest.fixture(scope="package")
def chromium() -> str | None:
    """An installed browser; None for Playwright's own."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@pytest.fixture
def page(chromium: str | None) -> Iterator[Page]:
    """A page of a real browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1280, "height": 1400})
        opened.set_default_timeout(_PATIENCE)
        yield opened
        browser.close()
