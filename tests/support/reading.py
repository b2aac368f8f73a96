"""What tests of reading share: archived pictures, as the archive leaves them."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from sqlalchemy import text

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.media.images import inspect_picture
from adspark.media.store import MediaStore
from adspark.sandbox.control.pictures import draw_picture
from adspark.sandbox.library.catalogue import AdCopy
from tests.support.factories import creative

CYRILLIC = (Path(__file__).parent / "pictures/cyrillic.png").read_bytes()
"""A picture of three Russian lines."""

_KEEP = text("""
    INSERT INTO picture_version (ad_creative_id, content_hash, status, sha256, path, thumbnail_path,
        picture_bytes, thumbnail_bytes, first_seen_at, stored_at)
    SELECT ad_creative_id, content_hash, 'pending', :sha256, NULL, NULL, 1, 1, now(), now()
    FROM creative WHERE ad_creative_id = :ad
""")
_STORED = text("""
    UPDATE picture_version SET status = 'stored', path = :path, thumbnail_path = 't',
        stored_at = now() WHERE ad_creative_id = :ad
""")


def draw_copy(headline: str, body: str, *, width: int = 350, height: int = 220) -> bytes:
    """A picture of the sandbox with these words."""
    row = {"advertiser": "A", "ad_creative_id": "CR1", "format": "text"}
    return draw_picture({**row, "width": width, "height": height}, AdCopy(headline, body, ""))


def draw_plain() -> bytes:
    """A picture without any words."""
    target = io.BytesIO()
    Image.new("RGB", (60, 40), "navy").save(target, "PNG")
    return target.getvalue()


@dataclass
class Shelf:
    """A database and a media store with archived pictures."""

    database: Database
    media: MediaStore

    async def put(self, number: int, content: bytes, **columns: Any) -> str:  # noqa: ANN401
        """Store an ad whose picture is in the archive, whatever it is; returns its id."""
        row = creative(number, image=f"https://pictures.example/{number}.png", **columns)
        sha256 = hashlib.sha256(content).hexdigest()
        path = f"pictures/{sha256[:2]}/{sha256}.png"
        if content.startswith(b"\x89PNG"):
            path, _ = await self.media.save_archived(content, await inspect_picture(content))
        values = {"ad": row.ad_creative_id, "sha256": sha256, "path": path}
        async with self.database.session() as session:
            await save_creatives(session, rows=[row])
            await session.execute(_KEEP, values)
            await session.execute(_STORED, values)
            await session.commit()
        return row.ad_creative_id

    def spoil(self, content: bytes) -> None:
        """Write over a picture in the media store."""
        self._place(content).write_bytes(b"nothing that anybody draws")

    def replace_by_folder(self, content: bytes) -> None:
        """Put a folder, which no account can read as a file, where a picture was."""
        self._place(content).unlink()
        self._place(content).mkdir()

    def _place(self, content: bytes) -> Path:
        name = hashlib.sha256(content).hexdigest()
        return Path(self.media.locate(f"pictures/{name[:2]}/{name}.png"))

    async def lose(self, number: int) -> str:
        """Store an ad of whose archived picture the file is gone; returns its id."""
        return await self.put(number, number.to_bytes(8))

    async def execute(self, statement: str, **values: object) -> None:
        """Change something."""
        async with self.database.session() as session:
            await session.execute(text(statement), values)
            await session.commit()

    async def rows(self) -> list[Any]:
        """What is noted of all pictures, the newest first."""
        async with self.database.session() as session:
            statement = text("SELECT * FROM picture_words ORDER BY seen_at DESC, sha256")
            return list(await session.execute(statement))
