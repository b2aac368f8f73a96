"""A board as a ZIP file: one page with its style sheet and pictures, which opens offline."""

import asyncio
import re
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

from adspark.errors import UnusableContentError
from deployments.gallery.downloads import Download
from deployments.gallery.resources import Gallery
from deployments.gallery.routes.boards.content import ShownAd

_STYLES = "gallery.css"
_UNSAFE = re.compile(r"[^\w.-]+")  # in the name of a file


async def send_archive(gallery: Gallery, name: str, ads: Sequence[ShownAd]) -> Download:
    """The ZIP file of a board as a download; one picture at a time is in memory.

    Args:
        gallery: with its templates and pictures.
        name: of the board.
        ads: that are on it; of one whose picture is not there, the page says so.
    """
    with ExitStack() as held:
        file = held.enter_context(tempfile.TemporaryFile(prefix="adspark-board-"))
        with zipfile.ZipFile(file, "w") as archive:
            await _write(gallery, archive, name, ads)
        download = f"{_UNSAFE.sub('-', name).strip('-') or 'board'}.zip"
        return Download(file, held.pop_all(), kind="application/zip", name=download)


async def _write(
    gallery: Gallery, archive: zipfile.ZipFile, name: str, ads: Sequence[ShownAd]
) -> None:
    kept: set[str] = set()
    for path in dict.fromkeys(one.ad.thumbnail for one in ads if one.ad.thumbnail):
        try:
            content = await gallery.media.read(path)
        except UnusableContentError:
            continue
        kept.add(path)
        await asyncio.to_thread(archive.writestr, f"pictures/{path}", content)
    page = gallery.templates.render(
        "board_archive.html",
        name=name,
        ads=ads,
        at=datetime.now(UTC),
        media="pictures/",
        kept=kept,
        styles=_STYLES,
    )
    await asyncio.to_thread(archive.writestr, "index.html", page)
    archive.writestr(_STYLES, gallery.templates.files[_STYLES][0])
