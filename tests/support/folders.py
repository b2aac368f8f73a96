"""Folders of the tests' own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder with a short name that every account can enter; pytest's own is closed.

    PostgreSQL does not run as root: for root it runs as another account.
    """
    with TemporaryDirectory(prefix="adspark-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
