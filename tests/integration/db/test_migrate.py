"""Migrations: from nothing to the models and back, by one process or by several at once."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from adspark.db import migrate
from tests.support.migrations import downgrade, tables


def test_from_nothing_to_the_models(empty_database_url: str) -> None:
    assert migrate.current(empty_database_url) is None
    assert migrate.upgrade(empty_database_url) == migrate.newest()
    assert migrate.current(empty_database_url) == migrate.newest()
    assert migrate.differences(empty_database_url) == []


def test_upgrading_again_or_at_once_changes_nothing(empty_database_url: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        reached = list(pool.map(migrate.upgrade, [empty_database_url] * 3))
    assert reached == [migrate.newest()] * 3
    assert migrate.differences(empty_database_url) == []


def test_a_missing_column_is_a_difference(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE creative DROP COLUMN details_link")
    assert "details_link" in migrate.differences(database_url)[0]


def test_every_migration_can_be_taken_back(database_url: str) -> None:
    downgrade(database_url, "base")
    assert tables(database_url) == ["alembic_version"]
    assert migrate.upgrade(database_url) == migrate.newest()


def test_constraints_bear_the_names_of_the_convention(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT conname, conrelid::regclass::text, contype::text FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'f', 'u', 'c') "
            "AND conrelid <> 'alembic_version'::regclass"
        ).fetchall()
    kinds = {"p": "pk", "f": "fk", "u": "uq", "c": "ck"}
    assert len(rows) > 30
    for name, table, kind in rows:
        assert name.startswith(f"{kinds[kind]}_{table.strip(chr(34))}"), name


@pytest.mark.parametrize("name", ["advertiser", "creative", "watch", "fetch", "watch_creative",
                                  "creative_event", "ad_variant", "variant_feedback",
                                  "board", "board_creative", "creative_tag", "creative_note",
                                  "advertiser_domain", "search_document",
                                  "search_word"])  # fmt: skip
def test_the_tables_of_the_design_are_there(database_url: str, name: str) -> None:
    assert name in tables(database_url)
