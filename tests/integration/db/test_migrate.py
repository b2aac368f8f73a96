"""Migrations: from nothing to the models and back, by one process or by several at once."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import text

from adspark.db import migrate
from adspark.db.engine import Database
from adspark.db.revisions import newest
from adspark.errors import DatabaseSetupError
from adspark.maintenance.check import look_at
from adspark.maintenance.health_checks import check_database
from adspark.settings import Settings, get_settings
from deployments.operations import full_check
from tests.support.commanding import Command
from tests.support.migrations import downgrade, tables


def test_from_nothing_to_the_models(empty_database_url: str) -> None:
    assert migrate.current(empty_database_url) is None
    assert migrate.upgrade(empty_database_url) == newest()
    assert migrate.current(empty_database_url) == newest()
    assert migrate.differences(empty_database_url) == []


def test_upgrading_again_or_at_once_changes_nothing(empty_database_url: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        reached = list(pool.map(migrate.upgrade, [empty_database_url] * 3))
    assert reached == [newest()] * 3
    assert migrate.differences(empty_database_url) == []


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        pytest.param(
            "ALTER TABLE creative DROP COLUMN details_link",
            "column details_link of table creative is missing", id="column",
        ),
        pytest.param(
            "ALTER TABLE watch ADD COLUMN mine int",
            "column mine of table watch is not AdSpark's", id="a column more",
        ),
        pytest.param(
            'ALTER TABLE "fetch" DROP CONSTRAINT fk_fetch_watch_id_watch',
            "foreign key fk_fetch_watch_id_watch of table fetch is missing", id="foreign key",
        ),
        pytest.param(
            "CREATE INDEX mine ON watch (name)",
            "index mine of table watch is not AdSpark's", id="index",
        ),
        pytest.param("CREATE TABLE mine (id int)", "table mine is not AdSpark's", id="table"),
        pytest.param(
            "ALTER TABLE watch ALTER COLUMN name DROP NOT NULL",
            "column name of table watch may be NULL", id="NULL",
        ),
        pytest.param(
            "ALTER TABLE watch ALTER COLUMN max_pages TYPE bigint",
            "column max_pages of table watch has another type: BIGINT, not INTEGER", id="type",
        ),
    ],
)  # fmt: skip
def test_what_differs_in_the_tables_is_told_in_words(
    database_url: str, statement: LiteralString, told: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(statement)
    with pytest.raises(DatabaseSetupError, match=rf"AdSpark expects: {re.escape(told)}\. Restore"):
        migrate.check_ready(database_url)


def test_every_migration_can_be_taken_back(database_url: str) -> None:
    downgrade(database_url, "base")
    assert tables(database_url) == ["alembic_version"]
    assert migrate.upgrade(database_url) == newest()


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
                                  "board", "board_creative", "user_tag", "creative_tag",
                                  "creative_note",
                                  "advertiser_domain", "search_document",
                                  "search_word"])  # fmt: skip
def test_the_tables_of_the_design_are_there(database_url: str, name: str) -> None:
    assert name in tables(database_url)


def test_tags_that_differ_in_case_are_merged_and_shared_only_where_all_were(
    database_url: str,
) -> None:
    downgrade(database_url, "0015")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO advertiser (advertiser_id, name) VALUES ('AR1', 'a')")
        connection.execute(
            "INSERT INTO creative (ad_creative_id, advertiser_id, format) "
            "SELECT 'CR' || n, 'AR1', 'text' FROM generate_series(1, 3) AS n"
        )
        connection.execute(
            "INSERT INTO creative_tag (user_id, tag, ad_creative_id) VALUES (1, 'Sale', 'CR1'), "
            "(1, 'SALE', 'CR1'), (1, 'sale', 'CR2'), (1, 'sale', 'CR3'), (2, 'SALE', 'CR1'), "
            "(1, 'Été', 'CR1'), (1, 'été', 'CR1'), (1, 'alone', 'CR1')"
        )
        connection.execute(
            "INSERT INTO shared_tag (user_id, tag) VALUES (1, 'Sale'), (1, 'sale'), (2, 'SALE'), "
            "(1, 'Été'), (1, 'été'), (1, 'unused')"
        )
    migrate.upgrade(database_url)
    with psycopg.connect(database_url) as connection:
        tags = connection.execute(
            "SELECT user_id, tag, array_agg(ad_creative_id ORDER BY 1) FROM creative_tag "
            "GROUP BY 1, 2 ORDER BY 1, lower(tag)"
        ).fetchall()
        shared = connection.execute("SELECT user_id, tag FROM shared_tag ORDER BY 1, 2").fetchall()
        documents = connection.execute(
            "SELECT lexeme FROM search_document, unnest(document) WHERE ad_creative_id = 'CR1' "
            "AND lexeme LIKE '/%'"
        ).fetchall()
    assert [(user, tag, sorted(ads)) for user, tag, ads in tags] == [
        (1, "alone", ["CR1"]), (1, "sale", ["CR1", "CR2", "CR3"]), (1, "Été", ["CR1"]),
        (2, "SALE", ["CR1"]),
    ]  # fmt: skip
    assert shared == [(1, "Été"), (2, "SALE")]
    assert sorted(one for (one,) in documents) == [
        "/1/alone", "/1/sale", "/1/Été", "/2/SALE",
    ]  # fmt: skip


def test_countries_count_as_seen_when_they_were_stored_or_long_ago(database_url: str) -> None:
    downgrade(database_url, "0032")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO creative_region (ad_creative_id, region, first_seen_at) "
            "VALUES ('CR1', '2840', '2026-01-01Z'), ('CR1', '2276', '2026-03-01Z')"
        )
        connection.execute(
            "INSERT INTO watch (user_id, name, text, political_ads, is_active, digested_at) "
            "VALUES (1, 'a', 'a', false, true, '2026-02-01Z'), (1, 'b', 'b', false, true, NULL)"
        )
        migrate.upgrade(database_url)
        connection.execute(
            "INSERT INTO creative_region (ad_creative_id, region, first_seen_at) "
            "VALUES ('CR1', '2250', '2026-04-01Z')"
        )
        seen = connection.execute(
            "SELECT region, digested_at = first_seen_at, extract(year FROM digested_at) "
            "FROM creative_region ORDER BY region DESC"
        ).fetchall()
    assert seen == [("2840", False, 1970), ("2276", True, 2026), ("2250", None, None)]


def test_days_that_nothing_can_read_are_emptied_and_then_refused(database_url: str) -> None:
    insert = (
        "INSERT INTO creative (ad_creative_id, advertiser_id, format, first_shown, last_shown) "
        "SELECT 'CR' || gen_random_uuid(), 'AR1', 'text', CAST(%(day)s AS timestamptz), now()"
    )
    downgrade(database_url, "0021")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO advertiser (advertiser_id, name) VALUES ('AR1', 'a')")
        for day in UNREADABLE:
            connection.execute(insert, {"day": day})
        connection.execute(insert, {"day": "2026-01-01"})
        migrate.upgrade(database_url)
        kept = connection.execute("SELECT first_shown FROM creative ORDER BY 1").fetchall()
        assert [row[0] is None for row in kept] == [False, *[True] * len(UNREADABLE)]
        for day in UNREADABLE:
            with pytest.raises(psycopg.errors.CheckViolation, match="ck_creative_first_shown"):
                connection.execute(insert, {"day": day})


def test_of_fetches_of_one_search_that_run_at_once_only_the_newest_is_kept_running(
    database_url: str,
) -> None:
    downgrade(database_url, "0028")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            'INSERT INTO "fetch" (id, query, query_hash, status, is_dry_run, error, started_at, '
            "pages, searches_billed, searches_cached, new_count, changed_count, unchanged_count, "
            "rejected_count) "
            "SELECT gen_random_uuid(), '{}', hash, status, dry, 'none', "
            "now() - make_interval(mins => age), age, 0, 0, 0, 0, 0, 0 FROM (VALUES "
            "('a', 'running', false, 1), ('a', 'running', false, 2), ('a', 'running', true, 3), "
            "('a', 'completed', false, 4), ('b', 'running', false, 5)) "
            "AS f (hash, status, dry, age)"
        )
        migrate.upgrade(database_url)
        kept = connection.execute('SELECT status FROM "fetch" ORDER BY pages').fetchall()
        assert [status for (status,) in kept] == [
            "running", "abandoned", "running", "completed", "running",
        ]  # fmt: skip
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("UPDATE \"fetch\" SET status = 'running' WHERE status = 'abandoned'")


def test_decisions_of_before_were_made_at_their_last_change(database_url: str) -> None:
    downgrade(database_url, "0029")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # without the variant
        connection.execute(
            "INSERT INTO variant_feedback (variant_id, user_id, is_approved, comment) "
            "VALUES (1, 1, true, NULL), (1, 2, NULL, 'seen')"
        )
        migrate.upgrade(database_url)
        rows = connection.execute(
            "SELECT user_id, decided_at = updated_at FROM variant_feedback ORDER BY 1"
        ).fetchall()
    assert rows == [(1, True), (2, None)]


UNREADABLE = ("infinity", "-infinity", "10000-01-01", "0001-01-01 BC")


async def test_a_database_of_a_newer_version_is_neither_migrated_nor_paid_into(
    database: Database, database_url: str
) -> None:
    async with database.session() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await session.commit()
    said = r"The database is of a newer AdSpark \(9999; this version knows \d{4}\); update AdSpark"
    with pytest.raises(DatabaseSetupError, match=said):
        await asyncio.to_thread(migrate.upgrade, database_url)
    with pytest.raises(DatabaseSetupError, match=said):
        await asyncio.to_thread(migrate.check_ready, database_url)
    with pytest.raises(DatabaseSetupError, match=said):  # before each search and generation
        await database.check_server()


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        pytest.param(
            ["0027", newest()],
            rf"is marked with several migrations \(0027, {newest()}\), .* delete the row of the",
            id="data of an older dump",
        ),
        pytest.param(
            ["91e2b8f3d6a4"],
            r"belongs to another program \(its migration is 91e2b8f3d6a4\); name a database of "
            "AdSpark's own",
            id="Prefect's",
        ),
        pytest.param(["0000a1b2c3d4"], "belongs to another program", id="one that sorts below"),
    ],
)
async def test_a_database_that_no_upgrade_can_help_says_so_in_one_line_wherever_it_is_met(
    configured_database: str, marks: list[str], said: str
) -> None:
    with psycopg.connect(configured_database, autocommit=True) as connection:
        connection.execute("DELETE FROM alembic_version")
        for mark in marks:
            connection.execute("INSERT INTO alembic_version VALUES (%s)", [mark])
    for act in (migrate.upgrade, migrate.check_ready):
        with pytest.raises(DatabaseSetupError, match=said) as caught:
            await asyncio.to_thread(act, configured_database)
        assert "\n" not in str(caught.value)
        assert "db upgrade" not in str(caught.value)
    async with Database(configured_database) as database:
        with pytest.raises(DatabaseSetupError, match=said):
            await database.check_server()
        seen = await look_at("database", partial(check_database, database), remedy="")
        assert re.search(said, f"{seen.what}; {seen.remedy}")
    _, (problem,) = await asyncio.to_thread(full_check.check_database, get_settings())
    assert re.search(said, f"{problem.what}; {problem.remedy}")
    told = await asyncio.to_thread(Command("db", columns=400).told, "current")
    assert re.search(said.replace("; name", ": name"), told)


def test_commands_neither_read_nor_write_tables_of_another_version(
    configured_database: str,
) -> None:
    calls = [
        ("board", "create", "b1"), ("board", "list"), ("users", "add", "bob"), ("watch", "list"),
    ]  # fmt: skip
    with psycopg.connect(configured_database, autocommit=True) as connection:
        for revision, said in (
            ("9999", "is of a newer AdSpark (9999; this version knows"),
            ("0003", "is at 0003, AdSpark needs"),
        ):
            connection.execute("UPDATE alembic_version SET version_num = %s", [revision])
            for name, *arguments in calls:
                with pytest.raises(DatabaseSetupError, match=re.escape(f"The database {said}")):
                    Command(name).told(*arguments)
        assert connection.execute("SELECT count(*) FROM board").fetchone() == (0,)


@pytest.mark.parametrize("owner", ["ROLE only_reads", "DATABASE {}"])
async def test_a_database_that_is_only_read_is_not_ready_and_nothing_is_paid_for_it(
    database_url: str, owner: LiteralString
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS only_reads")
        connection.execute("CREATE ROLE only_reads LOGIN SUPERUSER")
        name = sql.Identifier(connection.info.dbname)
        change = sql.SQL("ALTER " + owner + " SET default_transaction_read_only = on").format(name)
        connection.execute(change)
    url = database_url.replace("postgres@", "only_reads@")
    said = "is only read by user 'only_reads', or at .*; name a user or server that writes"
    for act in (migrate.check_ready, migrate.upgrade):
        with pytest.raises(DatabaseSetupError, match=said):
            await asyncio.to_thread(act, url)
    async with Database(url) as database:
        with pytest.raises(DatabaseSetupError, match=said):
            await database.check_server()
        with pytest.raises(DatabaseSetupError, match=said):
            await check_database(database)
    at, (problem,) = await asyncio.to_thread(
        full_check.check_database, Settings(database_url=SecretStr(url))
    )
    assert at == newest()
    assert re.search(said, problem.what)
    assert not problem.what.endswith(".")


async def test_tables_in_another_schema_are_named_and_no_second_library_is_made(
    configured_database: str,
) -> None:
    with psycopg.connect(configured_database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA other")
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET search_path = other").format(name))
    said = r"tables are in the schema 'public' of .* search_path \(other\)"
    for act in (migrate.upgrade, migrate.current, migrate.check_ready):
        with pytest.raises(DatabaseSetupError, match=said):
            await asyncio.to_thread(act, configured_database)
    async with Database(configured_database) as database:
        with pytest.raises(DatabaseSetupError, match=said):
            await database.check_server()
        with pytest.raises(DatabaseSetupError, match=said):
            await check_database(database)
    assert _tables_in(configured_database, "other") == []


async def test_tables_behind_a_schema_that_is_named_as_the_user_are_used_and_added_to(
    database_url: str,
) -> None:
    whole = tables(database_url)
    downgrade(database_url, "base")
    with psycopg.connect(database_url, autocommit=True) as connection:
        user = connection.info.user
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(user)))
    assert migrate.upgrade(database_url) == newest()
    assert (_tables_in(database_url, user), _tables_in(database_url, "public")) == (
        [],
        sorted(whole),
    )
    assert migrate.differences(database_url) == []
    async with Database(database_url) as database:
        await database.check_server()
        await check_database(database)


def _tables_in(url: str, schema: str) -> list[str]:
    with psycopg.connect(url) as connection:
        select = "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1"
        return [name for (name,) in connection.execute(select, [schema])]


def test_a_first_use_in_the_schema_of_a_search_path_is_possible(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA other")
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET search_path = other").format(name))
        # Of another program.
        connection.execute("CREATE TABLE public.alembic_version (version_num text)")
    for _ in range(2):
        assert migrate.upgrade(empty_database_url) == newest()
    assert migrate.check_ready(empty_database_url) == newest()
