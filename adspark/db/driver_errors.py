"""Errors of psycopg and SQLAlchemy in the project's own words: what is wrong, and what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from adspark.db.libpq import is_embedded
from adspark.db.locks import transaction_pooler
from adspark.errors import (
    AdSparkError,
    BusyError,
    DatabaseSetupError,
    DatabaseUnavailableError,
    PermanentError,
    StatementLimitError,
)
from adspark.text.redaction import safe_cause
from adspark.text.sentences import with_full_stop

_REFUSED_LOGIN = "28"
# An attempt to connect that failed carries no SQLSTATE, only words: the server's, which follow
# `_FATAL`, or those of the client.
_FATAL = "FATAL:  "
_REFUSED_WORDS = ("authentication failed", "no password supplied", 'FATAL:  role "')
_ACCESS_RULES = "pg_hba.conf"
_BAD_ADDRESS = (
    "invalid connection option",
    "bad value for connect_timeout",
    "connection is bad: invalid ",
    "connection is bad: could not match ",
    "connection is bad: definition of service ",
    "connection is bad: service file ",
    f"{_FATAL}unrecognized configuration parameter",
    f"{_FATAL}invalid value for parameter",
)
_NOT_ENCRYPTED = (
    "SSL was required",
    "certificate verify failed",
    "does not match host name",
    "certificate file",
    "private key file",
    "client certificate",
    "alert unknown ca",
    "GSSAPI encryption required",
)
_TOO_MANY = ("too many connections for", "remaining connection slots", "too many clients")
_TOO_MANY_CONNECTIONS = "53300"
_MISSING_DATABASE = "3D000"
_MISSING_RIGHT = "42501"
_MISSING_TABLE = ("42P01", "42703")
_NO_SCHEMA = "3F000"
_LOCK_TIMEOUT = "55P03"
_ONLY_READS = "25006"
# What the server ends for its time, by the setting that says how long it may take.
_STATEMENT_ENDED = "57014"  # by the others, the session ends too
_TIME_LIMITS = {
    _STATEMENT_ENDED: "statement_timeout",
    "25P03": "idle_in_transaction_session_timeout",
    "25P04": "transaction_timeout",
    "57P05": "idle_session_timeout",
}
_DISK_FULL, _NO_SPACE = "53100", "No space left on device"
# A prepared statement that its session should know and does not, or the other way round.
_LOST_STATEMENT = ("26000", "42P05")
# A value that no column holds; what the driver itself refuses carries no SQLSTATE.
_BAD_VALUE = ("22", "54000")
_BAD_VALUE_ERRORS = (psycopg.DataError, psycopg.ProgrammingError, UnicodeEncodeError)
_GONE = ("08", "57P")  # connection lost, operator's intervention
_OVERLOADED = ("53", "40")  # resources, serialization and deadlock: may pass


@contextmanager
def translated_errors(url: URL) -> Iterator[None]:
    """Turn errors of psycopg and SQLAlchemy into the project's own, a safe cause kept."""
    try:
        yield
    except DBAPIError as error:
        raise _translate(error.orig or error, url) from safe_cause(error)
    except PoolTimeoutError as error:
        raise DatabaseUnavailableError(
            "All of this process's connections to PostgreSQL were in use, and none came free; "
            "another session keeps a table locked, or the server is overloaded."
        ) from safe_cause(error)
    except (psycopg.Error, UnicodeEncodeError) as error:
        raise _translate(error, url) from safe_cause(error)


def missing_right(url: URL, reason: str) -> DatabaseSetupError:
    """The error for a right that the address's user lacks, with the statement that grants it."""
    if "for database" in reason:
        grant = f"CONNECT ON DATABASE {url.database}"
    elif "schema" in reason:
        grant = "CREATE, USAGE ON SCHEMA public"
    else:
        grant = "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public"
    return DatabaseSetupError(
        f"User {url.username!r} lacks a right in database {url.database!r} ({reason}); "
        f"its owner can grant it: GRANT {grant} TO {url.username};"
    )


def only_read(url: URL) -> DatabaseSetupError:
    """The error for an address at which nothing can be written."""
    return DatabaseSetupError(
        f"Database {url.database!r} is only read by user {url.username!r}, or at {_place(url)} (a "
        "standby, or default_transaction_read_only); name a user or server that writes."
    )


def _place(url: URL) -> str:
    """Host and port of an address, for people; where it names several, all of them."""
    host, port = (joined(url.query.get(name, "")) for name in ("host", "port"))
    return f"{url.host or host or 'the local socket'}:{url.port or port or 5432}"


def joined(value: str | tuple[str, ...]) -> str:
    """What an address has behind its question mark under one name, several with commas between."""
    return value if isinstance(value, str) else ",".join(value)


def _reason_of(error: BaseException) -> str:
    """An error in one line; of a server's refusal its own words."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return line.rpartition(_FATAL)[2]


def _translate(error: BaseException, url: URL) -> AdSparkError:
    state = getattr(error, "sqlstate", None) or ""
    reason = _reason_of(error)
    place = _place(url)
    if state.startswith(_REFUSED_LOGIN) or any(words in str(error) for words in _REFUSED_WORDS):
        return DatabaseSetupError(
            f"ADSPARK_DATABASE_URL: PostgreSQL at {place} refuses user {url.username!r}; "
            f"correct the user or the password (in containers: POSTGRES_PASSWORD)."
        )
    if state == _MISSING_DATABASE or f'database "{url.database}" does not exist' in str(error):
        return DatabaseSetupError(
            f"ADSPARK_DATABASE_URL: no database {url.database!r} at {place}; "
            f"make it (createdb {url.database}) or correct the name."
        )
    if not state and (refusal := _translate_refusal(str(error), reason, url)):
        return refusal
    if state in _LOST_STATEMENT or "statement pooling mode" in reason:
        return transaction_pooler()
    if state == _MISSING_RIGHT:
        return missing_right(url, reason)
    if state == _NO_SCHEMA:
        return DatabaseSetupError(
            f"Database {url.database!r} has no schema for user {url.username!r} ({reason}); "
            f"correct the user's search_path."
        )
    if state in _MISSING_TABLE:
        return DatabaseSetupError(
            f"Database {url.database!r} lacks a table ({reason}).",
            command="run: adspark db upgrade",
        )
    if state == _LOCK_TIMEOUT:
        return BusyError(
            "PostgreSQL: a table stays locked by another session (an upgrade of the schema, or one "
            "that was left open); retry later."
        )
    if state == _ONLY_READS:
        return only_read(url)
    if setting := _TIME_LIMITS.get(state):
        kind = StatementLimitError if state == _STATEMENT_ENDED else DatabaseUnavailableError
        return kind(
            f"PostgreSQL ended a statement or connection before its end ({reason}); where the "
            f"user, the database or the server limits it by {setting}, raise that setting."
        )
    if state.startswith(_BAD_VALUE) or (not state and isinstance(error, _BAD_VALUE_ERRORS)):
        number = f" (SQLSTATE {state})" if state else ""
        return PermanentError(with_full_stop(f"PostgreSQL cannot store a value: {reason}{number}"))
    if state == _TOO_MANY_CONNECTIONS:
        return _no_connection_left(url, reason)
    if state == _DISK_FULL or _NO_SPACE in str(error):
        return DatabaseUnavailableError(
            f"PostgreSQL at {place} has no room on its disk ({reason}); make some, and it goes on."
        )
    if state.startswith(_OVERLOADED):
        return DatabaseUnavailableError(f"PostgreSQL did not carry out a statement ({reason}).")
    if not state or state.startswith(_GONE):
        if is_embedded(url.query.get("host")):
            return DatabaseUnavailableError(
                f"PostgreSQL does not answer in {url.query.get('host')} ({reason}); a stack that "
                "runs starts it again within seconds.",
                command="if none runs, start one: adspark up",
            )
        return DatabaseUnavailableError(
            f"PostgreSQL does not answer at {place} ({reason}); start it, or correct "
            f"ADSPARK_DATABASE_URL."
        )
    return AdSparkError(f"PostgreSQL refused a statement: {reason} (SQLSTATE {state}).")


def _translate_refusal(words: str, reason: str, url: URL) -> AdSparkError | None:
    """The error for a connection that was not made, where its words say that somebody answers or
    that nobody was asked."""

    def said(known: tuple[str, ...]) -> bool:
        return any(one in words for one in known)

    if said(_NOT_ENCRYPTED):
        return DatabaseSetupError(
            f"ADSPARK_DATABASE_URL: no encrypted connection to PostgreSQL at {_place(url)} as the "
            f"address or the server asks for it ({reason}); correct sslmode and the certificates, "
            "or the server."
        )
    if _ACCESS_RULES in words:
        return DatabaseSetupError(
            f"ADSPARK_DATABASE_URL: PostgreSQL at {_place(url)} takes no such connection "
            f"({reason}); correct the server's pg_hba.conf and reload it, or the address."
        )
    if said(_BAD_ADDRESS):
        return DatabaseSetupError(
            f"ADSPARK_DATABASE_URL: PostgreSQL cannot be asked as the address says ({reason}); "
            "correct what stands behind its question mark, or the variables PG… of the environment."
        )
    if "permission denied for database" in words:
        return missing_right(url, reason)
    if "not currently accepting connections" in words:
        return DatabaseSetupError(
            f"Database {url.database!r} at {_place(url)} accepts no connections; its owner can "
            f"change that: ALTER DATABASE {url.database} ALLOW_CONNECTIONS true;"
        )
    return _no_connection_left(url, reason) if said(_TOO_MANY) else None


def _no_connection_left(url: URL, reason: str) -> DatabaseUnavailableError:
    return DatabaseUnavailableError(
        f"PostgreSQL at {_place(url)} answers, but has no connection left ({reason}).",
        command="raise max_connections, or the CONNECTION LIMIT of the user or database, or run "
        "less at once: adspark scale POOL N",
    )
