"""The two extensions of PostgreSQL that make the search better, and works without.

Both come with PostgreSQL's contrib package and may be created by whoever may create in the
database. An upgrade of the schema uses what it can get; what it cannot is told with the remedy.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

TRIGRAM_PREFIX = "ix_trigram_"
"""How the names of indexes begin that only a database with pg_trgm has."""

_WITHOUT = {
    "unaccent": "words are found only with the accents that they are written with",
    "pg_trgm": "misspelled words and names are not found",
}
_USED = {
    "unaccent": """
        ALTER TEXT SEARCH CONFIGURATION adspark
            ALTER MAPPING FOR hword, hword_part, word WITH unaccent, simple;
        SELECT refresh_search_document(ad_creative_id) FROM search_document
            ORDER BY ad_creative_id;
        REINDEX INDEX ix_search_advertiser_name;
        REINDEX INDEX ix_search_advertiser_domain;
        REINDEX INDEX ix_search_creative_note
    """,
    "pg_trgm": """
        CREATE INDEX ix_trigram_word ON search_word USING gin (word gin_trgm_ops);
        CREATE INDEX ix_trigram_advertiser_name ON advertiser USING gin (lower(name) gin_trgm_ops);
        CREATE INDEX ix_trigram_domain ON advertiser_domain USING gin (domain gin_trgm_ops)
    """,
}
# The right is missing; or it lies in a schema to which our search path does not lead, or in files
# that this server lacks.
_UNUSABLE = ("42501", "42704", "0A000", "58P01")
READ_EXTENSIONS = text("""
    SELECT name,
        EXISTS (SELECT FROM pg_available_extensions a WHERE a.name = e.name) AS is_packaged,
        CASE name WHEN 'unaccent' THEN EXISTS (
            SELECT FROM pg_ts_config_map m JOIN pg_ts_config c ON c.oid = m.mapcfg
                JOIN pg_ts_dict d ON d.oid = m.mapdict
            WHERE c.cfgname = 'adspark' AND d.dictname = 'unaccent'
        ) ELSE to_regclass('ix_trigram_word') IS NOT NULL END AS is_used
    FROM unnest(ARRAY['unaccent', 'pg_trgm']) AS e (name)
""")
"""Rows with `name`, `is_packaged` and `is_used` of both."""


def use_extensions(connection: Connection) -> None:
    """Create and use the extensions that are not used yet, as far as the server lets us."""
    if connection.scalar(text("SELECT to_regclass('search_word')")) is None:
        return
    for row in connection.execute(READ_EXTENSIONS).mappings().all():
        if row["is_used"] or not row["is_packaged"]:
            continue
        try:
            with connection.begin_nested():
                connection.execute(text(f"CREATE EXTENSION IF NOT EXISTS {row['name']}"))
                for statement in _USED[row["name"]].split(";"):
                    connection.execute(text(statement))
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _UNUSABLE:
                raise


def describe_missing(rows: Iterable[Mapping[Any, Any]]) -> dict[str, str]:
    """The extensions that are not used by `READ_EXTENSIONS`' rows, each with a line on it."""
    return {
        row["name"]: _describe(row["name"], is_packaged=row["is_packaged"])
        for row in rows
        if not row["is_used"]
    }


def _describe(name: str, *, is_packaged: bool) -> str:
    """What does not work without an extension, and what to do."""
    remedy = (
        f"its owner can run: CREATE EXTENSION IF NOT EXISTS {name}; (or grant CREATE on the "
        "database)"
        if is_packaged
        else f"install the server's contrib package (postgresql-contrib), which holds {name}"
    )
    return (
        f"The database does without {name}, so {_WITHOUT[name]}; {remedy}, then: adspark db upgrade"
    )
