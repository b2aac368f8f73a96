"""What commands that were killed leave behind is stopped, and what others use is not."""

import subprocess
import sys
from pathlib import Path

from adspark.db.embedded import LocalPostgres, postgres_folder
from deployments.stack.control import stop_databases

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
