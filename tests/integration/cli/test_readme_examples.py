"""The library's examples in the README find something in the ads that it says to fetch."""

import asyncio
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from adspark.creatives.details import LookUp
from adspark.db.engine import Database
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.serpapi.client import SerpApiClient, no_gate
from tests.support.commanding import Command
from tests.support.watching import KEY, Place

README = Path(__file__).parents[3] / "README.md"
_LEFT_OUT = re.compile(r"ads details|--search|ads similar")  # they spend, or need pictures


def section() -> str:
    """The library's, up to the end of its first examples."""
    _, _, told = README.read_text().partition("\n## The library\n")
    return told[: told.index("\n```\n")]


def examples() -> Iterator[list[str]]:
    """The commands that can be tried here, split as a shell does."""
    for line in section().splitlines():
        if line.startswith("adspark ") and not _LEFT_OUT.search(line):
            yield shlex.split(line, comments=True)[1:]


async def fetch(database_url: str, advertisers: list[str]) -> None:
    """Store the ads; their words are bought, which takes less time than to read them."""
    with serve(SandboxSettings(follows_today=True)) as url:
        async with Database(database_url) as database:
            place = Place(database, url)
            for name in advertisers:
                await place.check(await place.add(name=name, advertiser_ids=[name]))
            ads = await place.rows("SELECT ad_creative_id, advertiser_id FROM creative")
            async with SerpApiClient(KEY, base_url=url) as client, database.locks() as locks:
                await LookUp(database, client, locks, None, no_gate).look_up(map(tuple, ads))


def test_the_examples_of_the_library_find_something(configured_database: str) -> None:
    advertisers = re.findall("`adspark fetch (AR[0-9]{20})`", section())
    asyncio.run(fetch(configured_database, advertisers))
    shown = list(examples())
    assert (len(advertisers), len(shown)) == (2, 7)
    for group, *arguments in shown:
        if arguments[0] == "tag":
            Command(group).told(*arguments)
            continue
        found = Command(group).given(*(one for one in arguments if one != "--json"))
        assert found.get("advertisers" if group == "advertisers" else "ads", True), arguments
        assert not found.get("searched_instead"), arguments
