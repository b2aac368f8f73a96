"""Who looks for the ads of a sandbox that is down is told where they are."""

import asyncio

import pytest

from adspark.db.engine import Database
from adspark.settings import get_settings
from tests.support.commanding import Command
from tests.support.library import fill_library

ads = Command("ads")


async def _fill(url: str) -> None:
    async with Database(url) as database:
        await fill_library(database)


@pytest.mark.parametrize(
    ("folder", "command"),
    [("sandbox", "adspark up --sandbox"), ("demo", "adspark up --sandbox --data demo")],
)
def test_an_empty_database_names_the_data_that_are_set_aside(
    configured_database: str, folder: str, command: str
) -> None:
    assert ads.run("search").stderr == ""
    (get_settings().home / folder / "postgres").mkdir(parents=True)
    result = ads.run("search")
    assert (result.exit_code, result.stderr.count("\n")) == (0, 1)
    assert result.stderr.endswith(f"{folder} are kept apart; to work on them: {command}\n")
    assert ads.given("search")["ads"] == []  # programs read the other
    asyncio.run(_fill(configured_database))
    assert ads.run("search").stderr == ""
