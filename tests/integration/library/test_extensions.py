"""Without an extension, or the right to create it, all else works, and what is missing is told."""

from collections.abc import Iterator

import psycopg
import pytest

from adspark.db import migrate
from adspark.db.engine import Database
from adspark.db.extensions import describe_missing
from adspark.library.advertisers.named import find_advertisers
from adspark.library.search.page import search_ads
from tests.support.library import fill_library, found


@pytest.fixture
def plain_url(empty_database_url: str) -> Iterator[str]:
    """A database migrated by a user who may not create extensions."""
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS plain")
        connection.execute("CREATE ROLE plain LOGIN")
        connection.execute("GRANT CREATE, USAGE ON SCHEMA public TO plain")
    url = empty_database_url.replace("postgres@", "plain@")
    migrate.upgrade(url)
    yield url
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("DROP OWNED BY plain CASCADE")
        connection.execute("DROP ROLE plain")


async def test_a_missing_right_is_told_with_what_works_without(plain_url: str) -> None:
    unaccent, trigrams = migrate.missing_extensions(plain_url)
    assert unaccent == (
        "The database does without unaccent, so words are found only with the accents that they "
        "are written with; its owner can run: CREATE EXTENSION IF NOT EXISTS unaccent; (or grant "
        "CREATE on the database), then: adspark db upgrade"
    )
    assert "pg_trgm, so misspelled words and names are not found" in trigrams
    assert migrate.differences(plain_url) == []
    async with Database(plain_url) as database:
        await fill_library(database)
        assert await found(database, "running shoes") == {1}
        assert (await found(database, "ZOË"), await found(database, "cafe")) == ({4}, set())
        async with database.session() as session:
            page = await search_ads(session, query="runing")
            assert page.notes[:2] == [unaccent, trigrams]
            nobody = await find_advertisers(session, name="new balence")
            assert (nobody.advertisers, nobody.notes) == ([], [trigrams])


async def test_what_is_there_later_is_used_from_the_next_upgrade_on(
    empty_database_url: str, plain_url: str
) -> None:
    async with Database(plain_url) as database:
        await fill_library(database)
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        for name in ("unaccent", "pg_trgm"):
            connection.execute(f"CREATE EXTENSION {name}")
    migrate.upgrade(plain_url)
    assert migrate.missing_extensions(plain_url) == []
    assert migrate.differences(plain_url) == []
    async with Database(plain_url) as database:
        assert await found(database, "cafe") == {4}
        assert await found(database, "ecole") == {5}
        async with database.session() as session:
            assert (await search_ads(session, query="runing")).total == 2


def test_a_server_without_the_package_is_told_what_to_install() -> None:
    row = {"name": "pg_trgm", "is_packaged": False, "is_used": False}
    assert "install the server's contrib package" in describe_missing([row])["pg_trgm"]
