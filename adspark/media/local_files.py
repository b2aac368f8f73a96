"""List a local folder so that an error is told: one that cannot be read is not an empty one."""

import os
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """What lies at a place of a file system; its size in bytes."""

    place: str
    size: int
    is_directory: bool


def list_local(top: str, *, is_deep: bool) -> Iterator[Entry]:
    """What lies in a folder, and unless it is not `is_deep` in its folders; none where it is gone.

    A link is a file, of the size of what it leads to.

    Raises:
        OSError: a folder cannot be listed; it is named.
    """
    try:
        with os.scandir(top) as entries:
            found = list(entries)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}: {top}") from error
    for one in found:
        is_directory = one.is_dir(follow_symlinks=False)
        yield Entry(one.path, _size(one), is_directory)
        if is_deep and is_directory:
            yield from list_local(one.path, is_deep=True)


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except OSError:  # a link that leads nowhere, or it has just been removed
        return 0
