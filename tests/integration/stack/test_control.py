"""What commands that were killed leave behind is stopped, and what others use is not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adspark.db.embedded import LocalPostgres, postgres_folder
from adspark.errors import ConfigurationError
from adspark.home.processes import ProcessId
from adspark.home.running_stack import StackState, check_no_stack, orphaned_stack, running_stack
from adspark.settings import Settings
from deployments.stack.control import stop_databases, stop_stack

USES = """
import sys, time
from pathlib import Path
from adspark.db.embedded import LocalPostgres
with LocalPostgres(Path(sys.argv[1])).running():
    print("used", flush=True)
    time.sleep(600)
"""


def test_a_database_is_stopped_once_nobody_uses_it(home_folder: Path) -> None:
    folder = postgres_folder(home_folder / "sandbox")
    folder.parent.mkdir(mode=0o755)
    assert not stop_databases(home_folder / "nothing")
    with subprocess.Popen(
        [sys.executable, "-c", USES, str(folder)],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
    ) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == b"used\n"
        assert stop_databases(home_folder)
        assert LocalPostgres(folder).is_running()
        user.kill()
    assert LocalPostgres(folder).is_running()
    assert not stop_databases(home_folder)
    assert not LocalPostgres(folder).is_running()


def test_a_copied_home_has_no_stack_and_stops_none(home_folder: Path) -> None:
    home, copy = home_folder / "home", home_folder / "copy"
    (home / "sandbox").mkdir(parents=True)
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(command) as supervisor, subprocess.Popen(command) as part:
        stack = StackState(
            supervisor=ProcessId.of(supervisor.pid),
            home=home / "sandbox",
            api_url="",
            ui_url="",
            ready=True,
            parts={"part": ProcessId.of(part.pid)},
        )
        stack.write(home)
        shutil.copytree(home, copy)
        (home_folder / "link").symlink_to(home)
        assert running_stack(home) == running_stack(home_folder / "link") == stack
        assert running_stack(copy) is None
        check_no_stack(copy)
        assert not stop_stack(Settings(home=copy))
        supervisor.kill()
        supervisor.wait()
        assert orphaned_stack(home) == stack
        assert orphaned_stack(copy) is None
        assert not stop_stack(Settings(home=copy))
        assert part.poll() is None
        assert stop_stack(Settings(home=home))
        assert part.wait(10)


def test_a_file_in_place_of_the_home_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"ADSPARK_HOME: .*/file is no folder"):
        running_stack(tmp_path / "file")
