"""A database's tables, and the way back to an older version of them."""

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from adspark.db.engine import driver_url


def downgrade(url: str, revision: str) -> None:
    """Take migrations back, down to a revision or `base`."""
    config = Config()
    config.set_main_option("script_location", "adspark:migrations")
    engine = create_engine(driver_url(url))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        connection.commit()
    engine.dispose()


def tables(url: str) -> list[str]:
    """Names of the tables."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return [row[0] for row in rows]
