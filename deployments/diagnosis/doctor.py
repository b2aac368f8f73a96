"""All that AdSpark needs on this machine, checked at the same time, with or without a stack."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from adspark.errors import AdSparkError
from adspark.maintenance.check import DATABASE_REMEDY, Check, CheckState, look_at
from adspark.settings import Settings, get_settings
from deployments.diagnosis.installation import check_packages, check_python, check_settings
from deployments.diagnosis.machine import (
    check_database,
    check_home,
    check_media_store,
    check_stack,
    check_stored_pictures,
)
from deployments.diagnosis.services import (
    check_browser,
    check_serpapi,
    check_server,
    check_variants,
    generator_name,
)
from deployments.environment.running_stack import current_settings, find_api_url

_AGAIN = "adspark doctor, once it is correct: the other checks need it"
_BROWSER = "playwright install chromium"


async def examine(warn: Callable[[str], None]) -> list[Check]:
    """Make all checks, from Python and packages to keys and workers.

    Nothing is paid, and nothing is left. Settings that cannot be read are the last check.
    """
    here = [
        look_at("Python", check_python, remedy=""),
        look_at("packages", check_packages, remedy=""),
        look_at("settings", check_settings, remedy=_AGAIN),
    ]
    try:
        base = get_settings()
        settings = current_settings(base, warn)
    except AdSparkError as error:
        python, packages, settings_check = await asyncio.gather(*here)
        if settings_check.state is CheckState.FAILED:
            return [python, packages, settings_check]
        return [python, packages, Check.failed("settings", str(error), "")]
    checks, (first, *others) = await asyncio.gather(
        asyncio.gather(*here, *_looks(base, settings)), _look_at_server(settings, find_api_url())
    )
    return [*checks, first, *others]


def _looks(base: Settings, settings: Settings) -> list[Awaitable[Check]]:
    """The checks of machine, database and services; the home of `base` has the stack."""
    api_url = find_api_url()
    looks: list[tuple[str, Callable[[], Awaitable[Check]], str]] = [
        ("disk", partial(check_home, settings), "ADSPARK_HOME"),
        ("stack", partial(check_stack, base), "adspark up"),
        ("database", partial(asyncio.to_thread, check_database, settings), DATABASE_REMEDY),
        ("media store", partial(check_media_store, settings), "ADSPARK_MEDIA_URL"),
        ("pictures", partial(check_stored_pictures, settings), "ADSPARK_MEDIA_URL"),
        ("browser", partial(check_browser, settings), _BROWSER),
        ("SerpApi", partial(check_serpapi, settings, api_url), "adspark budget"),
        (generator_name(settings), partial(check_variants, settings, api_url), "its block or key"),
    ]
    return [look_at(name, look, remedy=remedy) for name, look, remedy in looks]


async def _look_at_server(settings: Settings, api_url: str | None) -> list[Check]:
    found: list[Check] = []

    async def look() -> Check:
        found.extend(await check_server(settings, api_url))
        return found[0]

    first = await look_at("Prefect", look, remedy="adspark up")
    return [first, *found[1:]]
