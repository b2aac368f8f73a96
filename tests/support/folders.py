"""Folders of the tests' own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

_MEMORY = Path("/dev/shm")
_ROOM = 3 * 2**30  # bytes that have to be free, of which a server of the tests takes some 200 MB


@contextmanager
def open_folder(parent: Path | None = None) -> Iterator[Path]:
    """A temporary folder with a short name that every account can enter; pytest's own is closed.

    PostgreSQL does not run as root: for root it runs as another account.
    """
    with TemporaryDirectory(prefix="adspark-", dir=parent, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def in_memory() -> Path | None:
    """Where files need no disk, for what many tests write and nothing has to keep.

    To copy a database there takes half the CPU time. None where the system has no such place, or
    too little room in it.
    """
    if not _MEMORY.is_dir():
        return None
    room = min(psutil.disk_usage(str(_MEMORY)).free, psutil.virtual_memory().available)
    return _MEMORY if room >= _ROOM else None
