"""An embedded PostgreSQL for one run of the benchmarks, and databases cloned from a template."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psutil
import psycopg
from psycopg import sql

from adspark.db import migrate
from adspark.db.embedded import ADSPARK_DATABASE, LocalPostgres


class Server:
    """A running server whose databases are copies of a migrated template."""

    def __init__(self, local: LocalPostgres) -> None:
        self._local = local

    def url(self, database: str = ADSPARK_DATABASE) -> str:
        """The address of a database; without a name, of the empty template."""
        return self._local.url(database)

    def clone(self, template: str = ADSPARK_DATABASE) -> str:
        """Make a copy of a database that nobody is connected to; returns its name."""
        name = f"bench_{uuid4().hex}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with self._administer() as connection:
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop(self, name: str) -> None:
        """Remove a copy."""
        with self._administer() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def settle(self, name: str) -> None:
        """Vacuum and analyze, so that no contender's plans change on the way."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")

    def cpu_seconds(self) -> float:
        """CPU time of all the server's processes so far, also of those that have ended."""
        with self._administer() as connection:
            postmaster = psutil.Process(connection.info.backend_pid).parent()
        if postmaster is None:
            raise RuntimeError("the server's first process has ended")
        spent = 0.0
        for process in (postmaster, *postmaster.children()):
            with suppress(psutil.NoSuchProcess):  # it is among the ended then
                times = process.cpu_times()
                spent += times.user + times.system
        ended = postmaster.cpu_times()
        return spent + ended.children_user + ended.children_system

    @staticmethod
    def backend_milliseconds(pid: int) -> float:
        """CPU time of one connection's process so far."""
        # Exact where the kernel tells it; else in hundredths of a second.
        account = Path(f"/proc/{pid}/schedstat")
        if account.exists():
            return int(account.read_text().split()[0]) / 1e6
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system) * 1000

    def version(self) -> str:
        """What the server calls itself."""
        with self._administer() as connection:
            row = connection.execute("SHOW server_version").fetchone()
        return str(row[0]) if row else "?"

    def _administer(self) -> psycopg.Connection:
        return psycopg.connect(self.url("postgres"), autocommit=True)


@contextmanager
def running_server() -> Iterator[Server]:
    """A server in a temporary folder, with the template migrated; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="adspark-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # for root PostgreSQL runs as another account
        with LocalPostgres(Path(name) / "pg").running() as local:
            migrate.upgrade(local.url(ADSPARK_DATABASE))
            yield Server(local)
