"""What a shell exports for libpq (PGHOST, PGSERVICE, PGOPTIONS …), kept from our own servers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_EMBEDDED = "embedded-postgres"  # a file beside the socket of the embedded server


def mark_embedded(folder: Path) -> None:
    """Mark the folder of the embedded server's socket, by which its addresses are known."""
    folder.joinpath(_EMBEDDED).touch(mode=0o600)


def is_embedded(host: object) -> bool:
    """Whether the host of an address is the folder of the embedded server's socket."""
    with suppress(OSError, ValueError):  # it is none of ours that cannot be looked at
        return isinstance(host, str) and host.startswith("/") and Path(host, _EMBEDDED).is_file()
    return False


def libpq_variables() -> frozenset[str]:
    """The environment variables from which libpq takes what an address does not say."""
    from psycopg.pq import Conninfo  # noqa: PLC0415  (slow; most commands need no driver)

    named = (option.envvar for option in Conninfo.get_defaults())
    return frozenset(name.decode() for name in named if name) | {"PGSERVICEFILE", "PGSYSCONFDIR"}


def forget_libpq_variables() -> None:
    """Take them out of this process's environment, and so out of that of its children."""
    for name in libpq_variables():
        os.environ.pop(name, None)


@contextmanager
def without_libpq_variables() -> Iterator[None]:
    """Take them out of this process's environment for a moment."""
    kept = {name: os.environ[name] for name in libpq_variables() if name in os.environ}
    forget_libpq_variables()
    try:
        yield
    finally:
        os.environ.update(kept)
