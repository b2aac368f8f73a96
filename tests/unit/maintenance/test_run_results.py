"""Results of runs are removed by their age, and nothing else is."""

import os
import time
from pathlib import Path

from adspark.maintenance.run_results import remove_run_results


def write(file: Path, *, days_old: float) -> None:
    file.write_text("{}")
    then = time.time() - days_old * 86_400
    os.utime(file, (then, then))


def test_only_results_that_are_older_are_removed(tmp_path: Path) -> None:
    write(tmp_path / "old", days_old=32)
    write(tmp_path / "older", days_old=400)
    write(tmp_path / "new", days_old=30)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "older")
    assert remove_run_results(tmp_path, days_old=31, dry_run=True) == 2
    assert remove_run_results(tmp_path, days_old=31) == 2
    assert remove_run_results(tmp_path, days_old=31) == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder", "link", "new"]


def test_a_folder_that_is_not_there_holds_no_results(tmp_path: Path) -> None:
    assert remove_run_results(tmp_path / "results", days_old=1) == 0
