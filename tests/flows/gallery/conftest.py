"""The gallery over the small library, with a Prefect server that answers."""

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
    """The pages over five ads."""
    await fill_library(database)
    async with open_gallery(database_url, tmp_path / "media") as client:
        yield client
