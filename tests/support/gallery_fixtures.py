"""The fixtures of the gallery, a plugin of pytest: its pages as they are, and behind their door."""

from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.models import Role
from adspark.users.store import add_user
from tests.support.gallery import ACCOUNTS, GalleryClient, open_gallery
from tests.support.library import fill_library

ADD_ACCOUNT = "INSERT INTO account (user_id, password_hash, role) VALUES (:user, :hash, :role)"


@cache
def quick_hash(password: str) -> str:
    """A hash that takes a hundredth of the time of those that are made for people."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)


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
            values = {"user": number, "hash": quick_hash(password), "role": role.value}
            await session.execute(text(ADD_ACCOUNT), values)
        await session.commit()
    async with open_gallery(database_url, tmp_path / "media", needs_sign_in=True) as client:
        yield client
