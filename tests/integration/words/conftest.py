"""A shelf of archived pictures for each test."""

from pathlib import Path

import pytest

from adspark.db.engine import Database
from adspark.media.store import MediaStore
from tests.support.reading import Shelf


@pytest.fixture
def shelf(database: Database, tmp_path: Path) -> Shelf:
    """An empty one."""
    return Shelf(database, MediaStore(str(tmp_path / "media")))
