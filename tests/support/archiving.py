"""What tests of the archive share: stored ads with pictures on a host, and runs over them."""

from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text

from adspark.archive.hosts import HostPauses
from adspark.archive.picture import ArchiveTools
from adspark.archive.run import archive_pictures
from adspark.archive.summary import ArchiveBounds, ArchiveSummary
from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.media.store import MediaStore
from adspark.net.addresses import AddressRules
from adspark.net.downloads import Downloader
from adspark.rendering.renderer import Renderer
from adspark.serpapi.payloads import CreativePayload
from tests.support.factories import creative
from tests.support.picture_host import PictureHost

AMPLE = ArchiveBounds(pictures=1000, bytes=10**9, seconds=300, kept_bytes=10**10)


@dataclass
class Archive:
    """A database, a media store, and hosts that may be asked."""

    database: Database
    media: MediaStore
    trusted: tuple[str, ...]
    pause: float = 0.0
    browser: Path | None = None

    async def show(self, host: PictureHost, numbers: Iterable[int]) -> None:
        """The source shows these ads, with the pictures of their numbers."""
        await self.store(*(creative(number, image=host.url(number)) for number in numbers))

    async def store(self, *rows: CreativePayload) -> None:
        """The source shows these rows."""
        async with self.database.session() as session:
            await save_creatives(session, rows=rows)
            await session.commit()

    async def run(self, bounds: ArchiveBounds = AMPLE, **options: Any) -> ArchiveSummary:  # noqa: ANN401
        """One run, with all that it opens."""
        rules = AddressRules(self.trusted)
        async with AsyncExitStack() as stack:
            downloader = await stack.enter_async_context(Downloader(rules))
            renderer = await stack.enter_async_context(
                Renderer(rules, program=self.browser, time_limit=60)
            )
            tools = ArchiveTools(self.media, downloader, renderer, HostPauses(self.pause))
            return await archive_pictures(self.database, tools, bounds, **options)

    async def rows(self, order: str = "ad_creative_id, id") -> list[Any]:
        """All rows of picture versions."""
        async with self.database.session() as session:
            found = await session.execute(text(f"SELECT * FROM picture_version ORDER BY {order}"))
            return list(found)
