"""Prefect's own database, which may still be starting when its server does."""

import time

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL

PATIENCE = 60.0
"""Seconds that the server waits; then it starts all the same, and says what is wrong itself."""

_POLL = 0.1  # seconds
_CONNECT_TIMEOUT = 5  # seconds


def wait_for_database(address: URL, *, patience: float = PATIENCE) -> bool:
    """Wait so many seconds until PostgreSQL takes connections; returns whether it does, as another
    database does at once."""
    if address.get_backend_name() != "postgresql":
        return True
    conninfo = make_conninfo(  # without what else stands there, which is for Prefect's driver
        host=address.host or _option(address, "host"),
        port=address.port or _option(address, "port"),
        user=address.username,
        password=address.password,
        dbname=address.database,
        connect_timeout=_CONNECT_TIMEOUT,
    )
    ends = time.monotonic() + patience
    while True:
        try:
            psycopg.connect(conninfo).close()
        except psycopg.OperationalError:
            if time.monotonic() > ends:
                return False
            time.sleep(_POLL)
        else:
            return True


def _option(address: URL, name: str) -> str | None:
    value = address.query.get(name)
    return value if isinstance(value, str) else None
