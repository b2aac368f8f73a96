"""The fixtures of the gallery, a plugin of pytest: its pages as they are, and behind their door."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adspark.db.engine import Database
from adspark.models import Role
from adspark.users.accounts import save_password
from adspark.users.store import add_user
from tests.support.gallery import ACCOUNTS, GalleryClient, open_gallery
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
async def closed(
    database: Database, database_url: str, tmp_path: Path
) -> AsyncIterator[GalleryClient]:
    """The same pages behind their door, with an editor, Ana, and two readers, Bob and Zoë."""
    await fill_library(database)
    async with database.session() as session:
        for name, password in ACCOUNTS.items():
            role = Role.EDITOR if name == "Ana" else Role.READER
            number = await add_user(session, name=name)
            await save_password(session, user_id=number, password=password, role=role)
        await session.commit()
    async with open_gallery(database_url, tmp_path / "media", needs_sign_in=True) as client:
        yield client
