"""The task that checks everything that AdSpark needs, all of it at the same time."""

from functools import partial

from prefect import task
from prefect.cache_policies import NO_CACHE

from adspark.concurrency import all_of
from adspark.db.engine import Database
from adspark.errors import AdSparkError, ConfigurationError
from adspark.maintenance.check import Check, look_at
from adspark.maintenance.disk import check_disk
from adspark.maintenance.health_checks import (
    check_archive,
    check_chromium,
    check_database,
    check_generator,
    check_media,
    check_searches,
    not_set_up,
)
from adspark.maintenance.lost_pictures import check_pictures
from adspark.media.store import MediaStore
from adspark.settings import get_settings, media_url
from blocks.adspark_database import connect_database
from blocks.generators import generator_block
from blocks.serpapi_credentials import SerpApiCredentials
from orchestration.limits.time_limits import time_limit
from orchestration.server.prefect_health import check_prefect

_STORED = ("database", "archive", "pictures")  # the checks of what is stored


@task(cache_policy=NO_CACHE)
@time_limit("upkeep_time_limit")
async def check_health() -> list[Check]:
    """Check database, Prefect, pools, SerpApi, generator, browser, media, disk and pictures."""
    settings = get_settings()
    looks = (
        look_at("SerpApi", _check_searches, remedy="adspark budget"),
        look_at(_generator_name(), _check_generator, remedy="its block, in Prefect's UI"),
        look_at(
            "browser",
            lambda: check_chromium(settings),
            remedy="playwright install chromium-headless-shell",
        ),
        look_at(
            "media store",
            lambda: check_media(MediaStore(media_url(settings)), settings.home),
            remedy="ADSPARK_MEDIA_URL",
        ),
        look_at("disk", lambda: check_disk(settings.home), remedy="ADSPARK_HOME"),
    )
    pools, (database, *stored), checks = await all_of(
        [check_prefect(), _check_stored(), all_of(looks)]
    )
    return [database, *checks, *stored, *pools]


async def _check_stored() -> list[Check]:
    """The database, the archive that it knows, and the pictures, by the same connections."""
    remedy, most_bytes = "adspark db check", get_settings().archive_bytes
    try:
        async with connect_database() as database:
            return [
                await look_at("database", partial(check_database, database), remedy=remedy),
                await look_at(
                    "archive", partial(check_archive, database, most_bytes), remedy=remedy
                ),
                await look_at(
                    "pictures", partial(_check_pictures, database), remedy="ADSPARK_MEDIA_URL"
                ),
            ]
    except AdSparkError as error:
        failed = partial(_fail, error)
        return [await look_at(name, failed, remedy=remedy) for name in _STORED]


async def _check_pictures(database: Database) -> Check:
    async with database.session() as session:
        return await check_pictures(session, MediaStore(media_url(get_settings())))


async def _fail(error: AdSparkError) -> Check:
    raise error


async def _check_searches() -> Check:
    try:
        credentials = await SerpApiCredentials.load_configured()
    except ConfigurationError as error:
        return not_set_up("SerpApi", error)
    async with credentials.get_client() as client:
        return await check_searches(client)


async def _check_generator() -> Check:
    name = _generator_name()
    try:
        block = await generator_block(get_settings().generator).load_configured()
    except ConfigurationError as error:
        return not_set_up(name, error)
    async with block.open_generator() as generator:
        return await check_generator(name, generator)


def _generator_name() -> str:
    return "chat model" if get_settings().generator == "chat" else "Dify"
