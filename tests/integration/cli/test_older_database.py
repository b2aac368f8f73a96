"""An embedded database of an older version: a command migrates it, but not beneath a stack."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from adspark.db import migrate
from adspark.db.embedded import ADSPARK_DATABASE, LocalPostgres, postgres_folder
from adspark.db.revisions import newest
from adspark.errors import DatabaseSetupError
from adspark.home.running_stack import StackState
from adspark.settings import get_settings
from tests.support.commanding import Command
from tests.support.migrations import downgrade

WATCHES = Command("watch", columns=200)
OLDER = "0029"


@pytest.fixture
def older(home_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of ADSPARK_HOME's database, which is at an older migration."""
    monkeypatch.setenv("ADSPARK_HOME", str(home_folder))
    get_settings.cache_clear()
    with LocalPostgres(postgres_folder(home_folder)).running() as server:
        url = server.url(ADSPARK_DATABASE)
        migrate.upgrade(url)
        downgrade(url, OLDER)
        yield url


def test_a_command_says_that_it_migrated_a_database_that_nothing_else_uses(older: str) -> None:
    result = WATCHES.run("list")
    assert result.exit_code == 0
    assert f"The database was migrated from {OLDER} to {newest()}." in result.stderr
    assert migrate.current(older) == newest()
    assert "migrated" not in WATCHES.run("list").stderr


def test_a_command_leaves_the_database_of_a_running_stack_as_it_is(
    older: str, home_folder: Path
) -> None:
    StackState(home=home_folder, api_url="http://127.0.0.1:9/api", ui_url="", ready=True).write(
        home_folder
    )
    result = WATCHES.run("list")
    assert isinstance(result.exception, DatabaseSetupError)
    assert str(result.exception) == (
        f"The database is at {OLDER}, AdSpark needs {newest()}; adspark db upgrade"
    )
    with psycopg.connect(older) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [
            (OLDER,)
        ]
