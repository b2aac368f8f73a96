"""A gallery over the small library that tests share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from adspark.db.engine import Database
from tests.support.gallery import GalleryClient, open_gallery
from tests.support.library import fill_library


@pytest.fixture
async def pages(
    database: Database, database_url: str, tmp_path: Path
) -> AsyncIterator[GalleryClient]:
    """The pages over five ads, of which three have known copy; no picture is kept."""
    await fill_library(database)
    async with open_gallery(database_url, tmp_path / "media") as client:
        yield client


@pytest.fixture
def prefect_away() -> Iterator[None]:
    """Nobody answers for Prefect, whatever other tests of this process have started."""
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        yield
