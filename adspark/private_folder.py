"""Short folders in the system's temporary folder that nobody else can enter or replace."""

import os
import stat
import tempfile
from pathlib import Path

from adspark.errors import ConfigurationError


def private_folder(name: str, *, owner: int | None = None) -> Path:
    """`name` in the temporary folder, made if it is missing, with mode 0700.

    Args:
        name: of the folder; it should hold what tells this user and purpose from others.
        owner: id of the account that it belongs to; None: this process's.

    Raises:
        ConfigurationError: there is something else of that name, as another user may have made it.
    """
    wanted = os.geteuid() if owner is None else owner
    folder = Path(tempfile.gettempdir()) / name
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, wanted, -1)
    except FileExistsError:
        pass
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != wanted or found.st_mode & 0o077:
        raise ConfigurationError(
            f"TMPDIR: {folder} is not a folder that only its owner can enter; remove it, or set "
            f"TMPDIR to another folder."
        )
    return folder
