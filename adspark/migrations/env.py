"""Alembic's environment: migrates the connection that it is given, else the configured database."""

from alembic import context
from sqlalchemy import Connection, create_engine
from sqlmodel import SQLModel

from adspark import models  # noqa: F401  (fills SQLModel.metadata)
from adspark.db.engine import driver_url
from adspark.settings import get_settings


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=SQLModel.metadata, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()


def _connect_and_migrate() -> None:
    url = get_settings().database_url
    if url is None:
        raise SystemExit("Set ADSPARK_DATABASE_URL to use alembic itself; see: adspark db --help")
    with create_engine(driver_url(url.get_secret_value())).connect() as connection:
        _migrate(connection)


given = context.config.attributes.get("connection")
if given is None:
    _connect_and_migrate()
else:
    _migrate(given)
