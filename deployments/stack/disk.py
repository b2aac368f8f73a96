"""Room on the disk of the stack: without it nothing that died is started again."""

import shutil
from pathlib import Path
from tempfile import TemporaryFile

_ROOM = 32 * 2**20  # bytes: two segments of PostgreSQL's log, of which it begins one as it starts
_BLOCK = 2**20


def has_room(folder: Path) -> bool:
    """Whether the folder's disk takes what PostgreSQL writes as it starts; a quota, or a lack of
    inodes, shows only when something is written."""
    try:
        if shutil.disk_usage(folder).free < _ROOM:
            return False
        with TemporaryFile(dir=folder) as file:
            for _ in range(_ROOM // _BLOCK):
                file.write(bytes(_BLOCK))
            file.flush()
    except OSError:
        return False
    return True
