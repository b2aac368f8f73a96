"""The folder of pictures beside exports: whose they are, and which of them stay."""

import re
import shutil
from pathlib import Path

from adspark.export.formats import Format

_EXPORTED = re.compile(r"CR\d{20}\.[a-z]+")


def is_exported(folder: Path) -> bool:
    """Whether a folder holds nothing but pictures of an export."""
    return folder.is_dir() and all(
        one.is_file() and _EXPORTED.fullmatch(one.name) for one in folder.iterdir()
    )


def has_sibling(file: Path, *, stem: str) -> bool:
    """Whether beside an export is one of another ending, whose pictures lie in the same folder.

    Args:
        file: the export.
        stem: its name without its ending, as it was typed; the file may be what a link leads to.
    """
    return any(
        one.stem == stem
        and one.suffix.lower() in tuple(Format)
        and one.name not in (file.name, stem + file.suffix)
        for one in file.parent.iterdir()
    )


def keep_pictures(folder: Path, other: Path) -> None:
    """Let the pictures of a folder be in another one as well, but for those that it has."""
    for picture in folder.iterdir():
        kept = other / picture.name
        try:
            kept.hardlink_to(picture)
        except FileExistsError:
            continue
        except OSError:  # a file system without such links
            if not kept.exists():
                shutil.copyfile(picture, kept)
