"""Databases and users whose own settings differ from what AdSpark writes and reads."""

from collections.abc import Iterator
from datetime import date, timedelta

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from adspark.creatives.fetch import fetch_query
from adspark.db import migrate
from adspark.db.embedded import LocalPostgres
from adspark.db.engine import Database
from adspark.db.revisions import newest
from adspark.errors import DatabaseSetupError
from tests.support.factories import creative_row, query
from tests.support.stand_in import StandIn


@pytest.fixture(params=["LATIN1", "SQL_ASCII"])
def foreign_url(postgres: LocalPostgres, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database that is not in UTF8."""
    name = f"in_{request.param.lower()}"
    make = sql.SQL("CREATE DATABASE {} ENCODING {} LOCALE 'C' TEMPLATE template0")
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(drop)
        connection.execute(make.format(sql.Identifier(name), request.param))
        yield postgres.url(name)
        connection.execute(drop)


async def test_a_database_that_does_not_hold_every_ad_is_refused_before_a_search(
    foreign_url: str,
) -> None:
    for check in (migrate.upgrade, migrate.current, migrate.check_ready):
        with pytest.raises(DatabaseSetupError, match=r"is encoded in \w+, .* --encoding=UTF8"):
            check(foreign_url)
    service = StandIn([creative_row(1)])
    async with Database(foreign_url) as database, service.client() as client:
        with pytest.raises(DatabaseSetupError, match="is encoded in"):
            await fetch_query(database, client, query())
    assert service.asked == []


def test_a_database_is_made_in_utf8(postgres: LocalPostgres) -> None:
    url = postgres.url("made_in_utf8")
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS made_in_utf8")
        assert migrate.create(url)
        assert not migrate.create(url)
        assert migrate.upgrade(url) == newest()
        connection.execute("DROP DATABASE made_in_utf8 WITH (FORCE)")


@pytest.mark.parametrize("style", ["SQL, DMY", "German", "Postgres, MDY"])
async def test_a_user_may_have_any_style_of_dates_zone_and_encoding(
    postgres: LocalPostgres, database_url: str, style: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS abroad")
        connection.execute("CREATE ROLE abroad LOGIN SUPERUSER")
        setting = sql.SQL("ALTER ROLE abroad SET {} = {}")
        for name, value in (
            ("datestyle", style),
            ("client_encoding", "LATIN1"),
            ("timezone", "Pacific/Kiritimati"),
        ):
            connection.execute(setting.format(sql.Identifier(name), value))
    url = database_url.replace("postgres@", "abroad@")
    migrate.check_ready(url)
    async with Database(url) as database, database.session() as session:
        found = await session.execute(
            text(
                "SELECT now(), CAST('日本' AS text), "
                "CAST(CAST('2026-11-27T12:00Z' AS timestamptz) AS date)"
            )
        )
        now, said, day = found.one()
        assert now.utcoffset() == timedelta(0)
        assert said == "日本"
        assert day == date(2026, 11, 27)
