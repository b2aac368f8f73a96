"""`adspark ads export`: a file by any filter of a search, or one line and no file."""

import asyncio
import resource
from pathlib import Path

import pytest

from adspark.db.engine import Database
from adspark.errors import ServiceUnavailableError
from tests.support.commanding import Command
from tests.support.exporting import archive_one, csv_rows
from tests.support.library import ad

ads = Command("ads")


@pytest.fixture(autouse=True)
def _library(configured_database: str) -> None:
    """Five ads, the picture of the first archived."""

    async def fill() -> None:
        async with Database(configured_database) as database:
            await archive_one(database)

    asyncio.run(fill())


def test_words_and_filters_of_a_search_choose_the_rows() -> None:
    said = ads.told("export", "a.csv", "running", "--region", "US", "--sort", "longest")
    assert said.startswith("Exported 2 ads in a.csv (1 kB)")
    rows = csv_rows(Path("a.csv").read_bytes())
    assert [one["ad_creative_id"] for one in rows] == [ad(2), ad(1)]
    again = ads.given("export", "a.csv", "--format", "image", "--force", "--pictures")
    assert (again["ads"], again["pictures"]) == (1, 0)
    nothing = ads.run("export", "b.csv", "qqqq")
    assert (nothing.exit_code, Path("b.csv").exists()) == (0, True)
    assert "No stored ad matches" in nothing.stderr


def test_a_disk_without_room_is_told_and_the_file_before_stays() -> None:
    ads.told("export", "a.jsonl")
    before = Path("a.jsonl").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    try:
        results = [
            ads.run("export", f"a{ending}", "--force")
            for ending in (".jsonl", ".csv", ".parquet", ".xlsx")
        ]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    for result in results:
        assert isinstance(result.exception, ServiceUnavailableError), result
        assert "File too large; make some room. Nothing was kept." in str(result.exception)
    assert [one.name for one in Path().glob("a.*")] == ["a.jsonl"]
    assert not list(Path().glob(".*unfinished"))
    assert Path("a.jsonl").read_bytes() == before
