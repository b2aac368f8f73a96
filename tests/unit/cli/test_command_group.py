"""The commands are known without being imported, and each is imported when it is called."""

import os
import re
import subprocess
import sys
from importlib.metadata import version

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from deployments.cli.command_group import LazyCommand
from deployments.cli.commands import COMMANDS
from deployments.cli.main import app

HEAVY = {
    "sqlalchemy", "prefect", "httpx", "psycopg", "sqlmodel", "alembic", "docker", "mcp_types"
}  # fmt: skip


def adspark(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call the command, and have what was imported written on standard error."""
    code = (
        "import atexit, sys; from deployments.cli.main import main; sys.argv[0] = 'adspark'\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr)); main()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)
def test_help_says_of_a_command_what_the_command_says_of_itself(command: LazyCommand) -> None:
    loaded = typer.main.get_command(command.typer())
    assert loaded.help is not None
    first = loaded.help.strip().split("\n\n")[0]
    assert command.help == " ".join(first.split())


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)
def test_help_cuts_no_list_of_choices_at_80_columns(
    command: LazyCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    loaded = typer.main.get_command(command.typer())
    names = list(loaded.commands) if isinstance(loaded, TyperGroup) else []
    for words in [[one] for one in names] or [[]]:
        shown = CliRunner().invoke(app, [command.name, *words, "--help"])
        assert shown.exit_code == 0
        assert not re.search(r"<[^>│]*\|[^>│]*│|<[^>│]*\|[^>│]*\s{2}", shown.output), words


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)
def test_help_is_wrapped_at_the_terminals_width_alone(command: LazyCommand) -> None:
    loaded = typer.main.get_command(command.typer())
    commands = loaded.commands.values() if isinstance(loaded, TyperGroup) else [loaded]
    for one in commands:
        assert one.help is not None
        assert all("\n" not in paragraph for paragraph in one.help.strip().split("\n\n"))


@pytest.mark.parametrize(
    ("arguments", "complete", "told"),
    [
        (["--help"], None, "Stored ads"),
        (["--version"], None, f"adspark {version('adspark')}\n"),
        ([], "adspark wat", "watch"),
        ([], "adspark ", "provision"),
    ],
)
def test_nothing_heavy_is_imported_for_names_and_help(
    arguments: list[str], complete: str | None, told: str
) -> None:
    asked = {"_ADSPARK_COMPLETE": "complete_bash", "COMP_WORDS": complete or ""}
    more = asked | {"COMP_CWORD": "1"} if complete else {}
    done = adspark(*arguments, **more)
    assert told in done.stdout
    assert ("Usage" in done.stdout) == ("--help" in arguments)
    assert HEAVY & set(done.stderr.split()) == set()


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        (["watch", "list", "--nothing"], HEAVY - {"sqlalchemy", "psycopg", "sqlmodel", "httpx"}),
        (["users", "list", "--nothing"], HEAVY - {"sqlalchemy", "psycopg", "sqlmodel"}),
        (["init", "--nothing"], HEAVY - {"sqlalchemy", "psycopg", "sqlmodel", "httpx"}),
        (["mcp", "--nothing"], HEAVY - {"sqlalchemy", "psycopg", "sqlmodel"}),
        (["status", "--nothing"], HEAVY - {"httpx"}),
        (["status"], HEAVY - {"httpx", "prefect"}),  # all that it reads by; there is no server
        (["failures", "--nothing"], HEAVY - {"httpx"}),
    ],
)
def test_a_command_imports_only_what_it_needs(arguments: list[str], unneeded: set[str]) -> None:
    done = adspark(*arguments)
    assert done.returncode == 2
    imported = set(done.stderr.split())
    assert (unneeded | {"requests", "tldextract", "pandas", "numpy"}) & imported == set()


def test_a_groups_own_commands_are_completed() -> None:
    done = adspark(_ADSPARK_COMPLETE="complete_bash", COMP_WORDS="adspark watch cr", COMP_CWORD="2")
    assert done.stdout.split() == ["create"]


def test_an_unknown_command_is_told_with_what_is_spelled_like_it() -> None:
    done = adspark("statos")
    assert done.returncode == 2
    assert "Did you mean 'status'" in " ".join(done.stderr.split())
