"""Exports to an object store: whole or not at all, and the keys to it appear nowhere."""

import logging
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from s3fs import S3FileSystem

from adspark.db.engine import Database
from adspark.errors import InvalidQueryError, ServiceUnavailableError
from adspark.export.target import find_target, open_target
from adspark.settings import get_settings
from tests.support.exporting import PICTURE, archive_one, csv_rows, export, sheets
from tests.support.library import ad
from tests.support.object_store import BUCKET, KEYS, ObjectStore, set_environment, use_object_store

CSV, XLSX = f"s3://{BUCKET}/weekly/ads.csv", f"s3://{BUCKET}/weekly/ads.xlsx"
_IN_PARTS = 101 * 2**20  # bytes; s3fs sends what is longer than 100 MiB in parts
WRONG = ("AKIAWRONGWRONGWRONG1", "wrong/secret/of/nobody/at/all/0123456789")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ObjectStore]:
    """A store whose keys are in the environment."""
    with use_object_store(monkeypatch, tmp_path) as served:
        yield served


def left_over() -> list[Path]:
    """What an export has left at home."""
    folder = get_settings().home / "exports"
    return list(folder.rglob("*")) if folder.exists() else []


async def test_csv_and_workbook_arrive_whole_with_their_pictures(
    store: ObjectStore, database: Database
) -> None:
    await archive_one(database)
    first = await export(database, CSV, with_pictures=True)
    second = await export(database, XLSX)
    kept = store.objects()
    assert set(kept) == {
        "weekly/ads.csv",
        f"weekly/ads-pictures/{ad(1)}.png",
        "weekly/ads.xlsx",
    }
    assert kept[f"weekly/ads-pictures/{ad(1)}.png"] == PICTURE
    rows = csv_rows(kept["weekly/ads.csv"])
    assert (len(rows), first.ads, first.bytes) == (5, 5, len(kept["weekly/ads.csv"]))
    assert sheets(kept["weekly/ads.xlsx"])[1] == 1
    assert (second.place, second.bytes) == (XLSX, len(kept["weekly/ads.xlsx"]))
    assert left_over() == []
    with pytest.raises(InvalidQueryError, match="exists; name another file, or replace it"):
        await export(database, CSV)
    assert (await export(database, CSV, replaces=True)).ads == 5


async def test_a_failure_in_the_middle_leaves_nothing_and_what_was_there_before(
    store: ObjectStore, database: Database
) -> None:
    await archive_one(database)
    store.broken = {".csv"}
    with pytest.raises(
        ServiceUnavailableError, match=r"weekly/ads\.csv cannot be written right now"
    ):
        await export(database, CSV, with_pictures=True)
    assert any(one.endswith(".png") and one.startswith("PUT") for one in store.asked)
    assert store.objects() == {}
    assert left_over() == []
    store.broken = set()
    await export(database, CSV)
    before = store.objects()
    store.broken = {".csv"}
    with pytest.raises(ServiceUnavailableError):
        await export(database, CSV, replaces=True)
    assert store.objects() == before


async def test_a_large_file_that_breaks_off_between_its_parts_leaves_none_of_them(
    store: ObjectStore, tmp_path: Path
) -> None:
    async def write() -> None:
        target = find_target(CSV, home=tmp_path, base=tmp_path)
        with open_target(target):
            with target.file.open("wb") as file:
                file.truncate(_IN_PARTS)
            await target.finish(with_pictures=False, replaces=False)

    store.broken = {".csv"}
    with pytest.raises(ServiceUnavailableError):
        await write()
    assert "POST /reports/weekly/ads.csv" in store.asked  # it was begun in parts
    assert store.unfinished_uploads() == []
    assert store.objects() == {}


async def test_keys_that_are_wrong_or_missing_say_what_to_set_and_appear_nowhere(
    store: ObjectStore,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    await archive_one(database)
    store.check_keys()
    said = []
    with caplog.at_level(logging.DEBUG, logger="adspark"):
        for keys in (KEYS, WRONG, None):
            set_environment(monkeypatch, store.environment(keys or KEYS))
            if keys is None:
                monkeypatch.delenv("AWS_ACCESS_KEY_ID")
                monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
            with pytest.raises(InvalidQueryError) as caught:
                await export(database, CSV)
            said.append(str(caught.value))
    for one in said:
        assert "\n" not in one
        assert CSV in one
        assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in one
    assert "refuses" in said[0]
    assert "takes keys" in said[2]
    shown = " ".join([*said, caplog.text, *capfd.readouterr()])
    for secret in (*KEYS, *WRONG):
        assert secret not in shown
    assert left_over() == []


async def test_a_bucket_that_is_not_there_is_told(store: ObjectStore, database: Database) -> None:
    await archive_one(database)
    with pytest.raises(InvalidQueryError, match="there is no such folder"):
        await export(database, "s3://nowhere/ads.csv")
    assert fsspec.get_filesystem_class("s3") is S3FileSystem
