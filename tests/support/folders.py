"""Folders of the tests' own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_MEMORY = Path("/dev/shm")
_ROOM = 2 * 2**30  # bytes that have to be free there; a server of the tests takes a tenth of it


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
    try:
        has_room = shutil.disk_usage(_MEMORY).free >= _ROOM
    except OSError:
        return None
    return _MEMORY if has_room else None
