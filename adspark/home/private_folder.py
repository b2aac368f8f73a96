"""Folders that only their owner can enter, whatever the umask is."""

import os
import stat
import tempfile
from pathlib import Path

from adspark.errors import ConfigurationError

_OURS = {"postgres", "stack.lock", "stack.log", "stack.json"}  # what only ADSPARK_HOME holds


def make_folder(path: Path) -> None:
    """Make a folder and its parents where they are missing, closed to others.

    Root's can be passed through, for PostgreSQL runs as another account; nobody can list them.
    Raises OSError where one cannot be made.
    """
    mode = _closed_mode()
    for folder in reversed([path, *path.parents]):
        if not folder.exists():
            folder.mkdir(exist_ok=True)  # another process may have made it
            folder.chmod(mode)


def make_home(path: Path) -> None:
    """Make ADSPARK_HOME, closed to others; one that an earlier version left open is closed.

    A folder with nothing of ours in it stays as it is, and what its owner may do in it, too.
    Raises OSError where it cannot be made.
    """
    make_folder(path)
    names, found = {one.name for one in path.iterdir()}, path.stat()
    if found.st_uid == os.geteuid() and (not names or names & _OURS):
        path.chmod(found.st_mode & stat.S_IRWXU | _closed_mode() & ~stat.S_IRWXU)


def private_folder(name: str, *, owner: int | None = None) -> Path:
    """The folder `name` in the system's temporary folder, made if it is missing, with mode 0700.

    It belongs to the account `owner`, without one to this process's.

    Raises:
        ConfigurationError: there is something else of that name, perhaps of another user.
    """
    owner = os.geteuid() if owner is None else owner
    folder = Path(tempfile.gettempdir()) / name
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, owner, -1)
    except FileExistsError:
        pass
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
        raise ConfigurationError(
            f"TMPDIR: {folder} is not a folder that only its owner can enter; remove it, or set "
            "TMPDIR to another folder."
        )
    return folder


def _closed_mode() -> int:
    return 0o711 if os.geteuid() == 0 else 0o700
