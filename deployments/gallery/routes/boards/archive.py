"""A board as a ZIP file: one page with its style sheet and pictures, which opens offline."""

import asyncio
import math
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime

from adspark.errors import UnusableContentError
from deployments.gallery.downloads import MOST_PICTURE_BYTES, FileDownload, Turns
from deployments.gallery.resources import Gallery
from deployments.gallery.routes.boards.content import ShownAd

_STYLES = "gallery.css"
_TURNS = Turns(2)  # each keeps its file for as long as its reader takes
_UNSAFE = re.compile(r"[^\w.-]+")  # in the name of a file


async def send_archive(
    gallery: Gallery, name: str, ads: Sequence[ShownAd], *, most_bytes: int = MOST_PICTURE_BYTES
) -> FileDownload:
    """The ZIP file of a board as a download; one picture at a time is in memory.

    Args:
        gallery: with its templates and pictures.
        name: of the board.
        ads: that are on it, with their thumbnails; of one whose picture is not there, the page
            says so.
        most_bytes: of whole pictures in all; the page says how many are left out, of which it has
            the thumbnails alone.

    Raises:
        BusyError: others download as many boards as go at once.
    """
    with _TURNS.file() as (file, held):
        with zipfile.ZipFile(file, "w") as archive:
            await _write(gallery, archive, name, ads, most_bytes)
        download = f"{_UNSAFE.sub('-', name).strip('-') or 'board'}.zip"
        return FileDownload(file, held.pop_all(), name=download)


async def _write(
    gallery: Gallery,
    archive: zipfile.ZipFile,
    name: str,
    ads: Sequence[ShownAd],
    most_bytes: int,
) -> None:
    thumbnails = [one.ad.thumbnail for one in ads]
    kept, _ = await _write_pictures(gallery, archive, thumbnails)
    wholes = [one.ad.picture for one in ads if one.ad.picture not in kept]
    whole, left_out = await _write_pictures(gallery, archive, wholes, most_bytes=most_bytes)
    kept |= whole
    page = gallery.templates.render(
        "board_archive.html",
        name=name,
        ads=ads,
        at=datetime.now(UTC),
        media="pictures/",
        kept=kept,
        lacking=sum(one.ad.picture in left_out for one in ads),
        styles=_STYLES,
    )
    await asyncio.to_thread(archive.writestr, "index.html", page)
    archive.writestr(_STYLES, gallery.templates.files[_STYLES][0])


async def _write_pictures(
    gallery: Gallery,
    archive: zipfile.ZipFile,
    paths: Sequence[str | None],
    *,
    most_bytes: float = math.inf,
) -> tuple[set[str], set[str]]:
    """Those of the pictures that are in the archive then, without what the store has lost; and
    those that are left out, for they go beyond so many bytes in all."""
    wanted = list(dict.fromkeys(filter(None, paths)))
    kept: set[str] = set()
    left = most_bytes
    for number, path in enumerate(wanted):
        try:
            content = await gallery.media.read(path)
        except UnusableContentError:
            continue
        left -= len(content)
        if left < 0:
            return kept, set(wanted[number:])
        kept.add(path)
        await asyncio.to_thread(archive.writestr, f"pictures/{path}", content)
    return kept, set()
