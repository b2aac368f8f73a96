"""A host of pictures and an archive for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adspark.db.engine import Database
from adspark.media.store import MediaStore
from tests.support.archiving import Archive
from tests.support.picture_host import PictureHost, picture_host


@pytest.fixture
def host() -> Iterator[PictureHost]:
    """Where the ads' pictures lie."""
    with picture_host() as opened:
        yield opened


@pytest.fixture
def archive(database: Database, host: PictureHost, tmp_path: Path) -> Archive:
    """An archive that may ask the host."""
    return Archive(database, MediaStore(str(tmp_path / "media")), (host.pair,))
