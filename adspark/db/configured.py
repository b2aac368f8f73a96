"""The configured database: one's own server, or the embedded one for as long as it is needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adspark.db import migrate as schema
from adspark.db.embedded import ADSPARK_DATABASE, LocalPostgres
from adspark.settings import Settings


def postgres_folder(home: Path) -> Path:
    """Where the embedded server of a home folder keeps its data."""
    return home / "postgres"


@contextmanager
def database_url(settings: Settings, *, migrate: bool = True) -> Iterator[str]:
    """The address of AdSpark's database.

    The embedded server is started where nobody did, and migrated; one's own server is left as it
    is, for its operator decides when (`adspark db upgrade`).

    Raises:
        DatabaseSetupError, DatabaseUnavailableError: the embedded server cannot be used.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    with LocalPostgres(postgres_folder(settings.home)).running() as server:
        url = server.url(ADSPARK_DATABASE)
        if migrate and schema.current(url) != schema.newest():
            schema.upgrade(url)
        yield url
