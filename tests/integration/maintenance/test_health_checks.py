"""The checks of what AdSpark needs: what they warn of, and that nothing ends them."""

import asyncio
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pydantic import SecretStr

from adspark.db.engine import Database
from adspark.errors import ServiceUnavailableError
from adspark.maintenance.check import Check, look_at
from adspark.maintenance.disk import check_disk
from adspark.maintenance.health_checks import (
    check_archive,
    check_database,
    check_media,
    check_searches,
)
from adspark.media.store import MediaStore
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.serpapi.client import SerpApiClient
from tests.support.archived import add_versions

KEY = SecretStr("sandbox-key")
GB = 2**30


async def test_a_database_is_told_with_its_migration_and_connections(database: Database) -> None:
    check = await check_database(database)
    assert check.state == "ok"
    assert "migration 0" in check.what
    assert "connections" in check.what


async def test_a_database_without_tables_says_how_it_gets_them(empty_database_url: str) -> None:
    async with Database(empty_database_url) as database:
        check = await look_at("database", lambda: check_database(database), remedy="adspark db")
    assert (check.state, check.remedy) == ("failed", "run: adspark db upgrade")


@pytest.mark.parametrize(
    ("quota", "state"), [(0, "failed"), (100_000, "ok")], ids=["none left", "many left"]
)
async def test_searches_are_told_before_they_are_missed(quota: int, state: str) -> None:
    with serve(SandboxSettings(monthly_quota=quota)) as url:
        async with SerpApiClient(KEY, base_url=url) as client:
            check = await check_searches(client)
    assert (check.state, check.what) == (state, f"{quota} of {quota} searches left this month")


@pytest.mark.parametrize(
    ("free", "total", "state"),
    [
        (0.5, 2, "failed"),  # too little for anything
        (5, 100, "warning"),  # below a tenth
        (50, 100, "ok"),
    ],
)
async def test_a_disk_that_fills_is_told_in_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: float, total: int, state: str
) -> None:
    usage = type(shutil.disk_usage(tmp_path))(total * GB, int((total - free) * GB), int(free * GB))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    check = await check_disk(tmp_path)
    assert check.state == state
    assert bool(check.remedy) == (state != "ok")


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="has no second file system")
async def test_the_disk_of_pictures_is_told_where_it_is_another_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    full = type(shutil.disk_usage(tmp_path))(GB, GB, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with TemporaryDirectory(dir="/dev/shm") as elsewhere:
        check = await check_media(MediaStore(elsewhere), tmp_path)
        assert (check.name, check.state) == ("media store", "failed")
        assert check.what == f"0.0 of 1.0 GB free for {elsewhere}"
    # That of ADSPARK_HOME has a line of its own.
    check = await check_media(MediaStore(str(tmp_path / "media")), tmp_path)
    assert (check.name, check.state) == ("media store", "ok")


@pytest.mark.parametrize(("most", "state"), [(100, "ok"), (11, "warning"), (10, "warning")])
async def test_an_archive_that_fills_is_told_in_time(
    database: Database, most: int, state: str
) -> None:
    async with database.session() as session:
        await add_versions(session, status="stored", count=10)
        await add_versions(session, status="failed", count=3)
        await session.commit()
    check = await check_archive(database, most * 2**20)
    told = f"10 pictures, 10.0 MB of at most {most}.0 MB; 0 wait, 3 failed"
    assert (check.state, check.what) == (state, told)
    assert ("ADSPARK_ARCHIVE_MEGABYTES" in check.remedy) == (state != "ok")


async def test_what_is_told_late_is_slow_and_no_failure() -> None:
    async def answer() -> Check:
        return Check.ok("it", "is there")

    late = await look_at("it", answer, remedy="mend it", slow=0.0)
    assert (late.state, late.what) == ("warning", "is slow: is there, after 0 s")
    assert (await look_at("it", answer, remedy="mend it")).state == "ok"


async def test_whatever_stops_a_check_is_its_answer(tmp_path: Path) -> None:
    async def hang() -> Check:
        await asyncio.Event().wait()
        raise AssertionError

    async def break_off() -> Check:
        raise ValueError("s3cret")

    async def be_away() -> Check:
        raise ServiceUnavailableError("it is away")

    told = [await look_at("it", hang, remedy="mend it", away=0.05)]
    told += [await look_at("it", one, remedy="mend it") for one in (break_off, be_away)]
    told.append(await look_at("it", lambda: check_disk(tmp_path / "none"), remedy="mend it"))
    assert [one.what for one in told] == [
        "no answer in 0.05 s",
        "failed (ValueError)",
        "it is away",
        f"{tmp_path}/none: No such file or directory",
    ]
    assert {(one.state, one.remedy) for one in told} == {("failed", "mend it")}
