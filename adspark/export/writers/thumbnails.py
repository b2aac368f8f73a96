"""Thumbnails from the archive, as files of a kind and size that spreadsheets show."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from adspark.concurrency import all_of, in_thread
from adspark.errors import UnusableContentError
from adspark.export.reading import Values
from adspark.media.images import shrink_picture
from adspark.media.store import MediaStore

MOST_THUMBNAILS = 10_000
"""Of one export; a spreadsheet with more does not open."""

THUMBNAIL_COLUMNS = "p.thumbnail_path, p.width, p.height"
WIDTH, HEIGHT = 104, 96
"""Pixels at most."""

_AT_ONCE = 8


class ThumbnailSource:
    """Makes thumbnails from those of the archive; a JPEG each, in a folder.

    Attributes:
        count: of those that were made.
        missing: how many the media store has lost.
    """

    def __init__(self, media: MediaStore, folder: Path) -> None:
        self._media = media
        self._folder = folder
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self.count = 0
        self.missing = 0

    async def fetch(self, pictures: Sequence[Values]) -> list[Path | None]:
        """The files of pictures, by the values of `THUMBNAIL_COLUMNS`; None where there is none.

        Raises:
            ServiceUnavailableError: the media store does not answer.
        """
        return await all_of(self._fetch(*one) for one in pictures)

    async def _fetch(self, path: str | None, width: int | None, height: int | None) -> Path | None:
        if path is None or self.count >= MOST_THUMBNAILS:
            return None
        self.count += 1
        file = self._folder / f"{self.count}.jpeg"
        fitting = WIDTH if not width or not height else min(WIDTH, HEIGHT * width // height)
        async with self._turns:
            try:
                content = await shrink_picture(await self._media.read(path), max(1, fitting))
            except UnusableContentError:
                self.missing += 1
                return None
        await in_thread(file.write_bytes, content)
        return file
