"""A gallery over the small library that tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

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
