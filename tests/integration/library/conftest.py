"""What tests of the library share."""

import pytest

from adspark.db.engine import Database
from tests.support.library import fill_library


@pytest.fixture
async def library(database: Database) -> Database:
    """A database with five ads, whose words are known in part."""
    await fill_library(database)
    return database
