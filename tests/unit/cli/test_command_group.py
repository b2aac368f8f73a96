"""The commands are known without being imported, and each is imported when it is called."""

import os
import re
import subprocess
import sys
from importlib.metadata import version
from typing import Any

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


def promised(command: Any) -> set[str]:  # noqa: ANN401
    """What a person reads in the help of a command to type it: names, variables, choices."""
    records = [one.get_help_record(typer.Context(command)) for one in command.params]
    told = " ".join(word for record in records if record for word in record)
    return set(re.findall(r"--[a-z][a-z-]+|[A-Z]+_[A-Z_]+|\w+-\w+|\w+(?=\|)|\d+<=x<=\d+", told))


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)
def test_help_cuts_no_name_variable_or_choice(
    command: LazyCommand, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    loaded = typer.main.get_command(command.typer())
    of_group = loaded.commands if isinstance(loaded, TyperGroup) else {}
    for words, one in [([], loaded), *(([name], one) for name, one in of_group.items())]:
        shown = CliRunner().invoke(app, [command.name, *words, "--help"])
        assert shown.exit_code == 0
        assert max(map(len, shown.output.splitlines())) <= columns
        assert "…" not in shown.output
        assert [name for name in promised(one) if name not in shown.output] == []
        assert not re.search(r"<[^>│]*\|[^>│]*│|<[^>│]*\|[^>│]*\s{2}", shown.output), words


@pytest.mark.parametrize(("columns", "is_rich"), [("100", True), ("60", False)])
def test_help_in_colours_is_as_wide_as_without(columns: str, is_rich: bool) -> None:
    shown = adspark("init", "--help", FORCE_COLOR="1", COLUMNS=columns).stdout
    assert ("╭" in shown) == is_rich
    assert ("\x1b[" in shown) == is_rich


def test_help_of_all_commands_has_them_by_panel_in_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    shown = CliRunner().invoke(app, ["--help"]).output
    assert "--install-completion" in shown
    panels = re.findall(r"^([A-Z][^:\n]*):$", shown, re.MULTILINE)
    assert panels == ["Options", *dict.fromkeys(one.panel for one in COMMANDS)]
    assert set(re.findall(r"^  (\w+)  ", shown, re.MULTILINE)) >= {one.name for one in COMMANDS}


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


def test_a_groups_command_is_named_with_its_group() -> None:
    done = adspark("compare")
    assert done.returncode == 2
    assert "Did you mean 'advertisers compare'?" in " ".join(done.stderr.split())


def test_behind_a_command_of_a_group_completion_is_that_behind_any_unknown_word() -> None:
    there, unknown = (
        adspark(_ADSPARK_COMPLETE="complete_bash", COMP_WORDS=f"adspark {one} ", COMP_CWORD="2")
        for one in ("compare", "statos")
    )
    assert (there.returncode, there.stdout) == (0, unknown.stdout)
    assert "Traceback" not in there.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ads", "search", "--running", "--ended"], "'--running': it is given with its opposite"),
        (["ads", "export", "x.csv", "--no-words", "--words"], "its opposite --no-words; keep one"),
    ],
)
def test_of_a_switch_and_its_opposite_none_is_dropped_in_silence(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 2
    assert said in shown.output


def test_an_option_may_stand_twice_as_a_switch_may_and_the_last_holds() -> None:
    twice = ["--running", "--running", "--region", "US", "--region", "DE", "--json", "--json"]
    shown = CliRunner().invoke(app, ["ads", "search", *twice, "--help"])
    assert shown.exit_code == 0, shown.output
