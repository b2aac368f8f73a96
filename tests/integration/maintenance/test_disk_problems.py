"""What `adspark status` says of the disks: that of ADSPARK_HOME, and that of the pictures."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pydantic import SecretStr

from adspark.settings import Settings
from deployments.diagnosis.disk import find_disk_problems

GB = 2**30


def settings_of(home: Path, media: Path | str) -> Settings:
    """Settings whose pictures are there."""
    return Settings(home=home, media_url=SecretStr(str(media)))


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="has no second file system")
async def test_a_full_disk_of_pictures_is_told_beside_one_of_the_stack_that_has_room(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with TemporaryDirectory(dir="/dev/shm") as elsewhere:
        usage = type(shutil.disk_usage(tmp_path))
        monkeypatch.setattr(
            shutil,
            "disk_usage",
            lambda folder: usage(GB, GB, 0) if str(folder) == elsewhere else usage(GB, 0, 2 * GB),
        )
        (problem,) = await find_disk_problems(tmp_path, settings_of(tmp_path, elsewhere))
    assert problem.what == f"media store: 0.0 of 1.0 GB free for {elsewhere}"
    assert "free some space" in problem.remedy


async def test_a_file_in_the_place_of_the_pictures_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("in the way")
    (problem,) = await find_disk_problems(tmp_path, settings_of(tmp_path, tmp_path / "media"))
    assert "cannot be used" in problem.what
    assert "make it a folder" in problem.what
    assert problem.remedy == "adspark doctor"


@pytest.mark.parametrize("media", ["s3://bucket/pictures", "media"])
async def test_pictures_elsewhere_and_those_of_a_folder_that_has_room_are_no_problem(
    tmp_path: Path, media: str
) -> None:
    assert await find_disk_problems(tmp_path, settings_of(tmp_path, media)) == []
