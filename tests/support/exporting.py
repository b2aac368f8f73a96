"""A library with one archived picture, and exports of it read back."""

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from sqlalchemy import text

from adspark.db.engine import Database
from adspark.export.run import ExportRequest, export_ads
from adspark.export.summary import ExportSummary
from adspark.export.target import find_target
from adspark.media.images import inspect_picture
from adspark.media.store import MediaStore
from adspark.settings import get_settings, media_url
from tests.support.library import ad, fill_library
from tests.support.strange_pictures import encode, scene

ARCHIVED = ad(1)
PICTURE = encode(scene())


async def archive_one(database: Database) -> None:
    """The library of five ads, and the archived picture of the first."""
    await fill_library(database)
    inspected = await inspect_picture(PICTURE)
    path, thumbnail = await media().save_archived(PICTURE, inspected)
    async with database.session() as session:
        await session.execute(
            text(
                "INSERT INTO picture_version (ad_creative_id, content_hash, status, path, sha256, "
                "thumbnail_path, width, height) SELECT ad_creative_id, content_hash, 'stored', "
                ":path, :hash, :thumbnail, 60, 40 FROM creative WHERE ad_creative_id = :ad"
            ),
            {
                "path": path,
                "thumbnail": thumbnail,
                "ad": ARCHIVED,
                "hash": hashlib.sha256(PICTURE).hexdigest(),
            },
        )
        await session.commit()


def media() -> MediaStore:
    """The store of the test's settings."""
    return MediaStore(media_folder())


def media_folder() -> str:
    """Where that store is."""
    return media_url(get_settings())


async def export(database: Database, file: str, **request: Any) -> ExportSummary:  # noqa: ANN401
    """Export into the working folder, or to an address."""
    target = find_target(file, home=get_settings().home, base=Path())
    return await export_ads(database, media(), target, ExportRequest(**request))


def csv_rows(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV as a program reads it."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def json_rows(content: bytes) -> list[dict[str, Any]]:
    """The objects of JSON lines."""
    return [json.loads(line) for line in content.splitlines()]


def sheets(content: bytes) -> tuple[list[str], int]:
    """The XML of the sheets of a workbook, and how many pictures it holds."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        names = sorted(book.namelist())
        xml = [book.read(one).decode() for one in names if one.startswith("xl/worksheets/sheet")]
    return xml, sum(one.startswith("xl/media/") for one in names)
