"""What the command says where the shell does not find it, and what Prefect says at its end."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from adspark.text.terminal import SafeConsole
from deployments.cli.runs.run import _is_shown
from deployments.terminal.log_lines import drop_countdowns
from deployments.terminal.output import print_activation, print_wrapped


def test_a_shell_that_does_not_find_the_command_is_told_how_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "my ads" / ".venv" / "bin"
    folder.mkdir(parents=True)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.chdir(tmp_path / "my ads")
    monkeypatch.setenv("PATH", str(tmp_path))
    print_activation()
    assert capsys.readouterr().out == "So that the shell finds adspark: source .venv/bin/activate\n"
    monkeypatch.chdir(tmp_path)
    print_activation()
    assert "source 'my ads/.venv/bin/activate'" in capsys.readouterr().out
    (folder / "adspark").write_text("#!/bin/sh\n")
    (folder / "adspark").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    print_activation()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["APILogWorker", "EventsWorker"])
def test_what_prefect_counts_at_its_end_is_not_shown(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    drop_countdowns()
    logging.getLogger(name).warning("Still processing items: 3 items remaining...")
    logging.getLogger(name).warning("Service is full")
    assert [record.getMessage() for record in caplog.records] == ["Service is full"]


def test_what_the_drivers_log_reaches_the_handlers_of_a_program_and_no_bare_terminal() -> None:
    program = """
import logging, sys
from deployments.terminal.log_lines import drop_driver_lines
drop_driver_lines()
logging.getLogger("psycopg").warning("query cancellation interrupted")
logging.getLogger("another").warning("another line")
logging.basicConfig(format="%(message)s")
logging.getLogger("psycopg").warning("in the log")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines() == ["another line", "in the log"]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_line_goes_on_at_a_word_on_a_terminal_and_is_whole_for_a_program(
    is_terminal: bool,
) -> None:
    console = SafeConsole(width=80, record=True, force_terminal=is_terminal)
    address = f"https://example.com/{'a' * 90}"
    print_wrapped(console, f"  link        {address} [bold]and[/] {'word ' * 30}end", indent=14)
    lines = [line.rstrip() for line in console.export_text().splitlines()]

    if not is_terminal:
        assert len(lines) == 1
        return
    assert " ".join(lines).split() == ["link", address, "and", *["word"] * 30, "end"]
    assert any(address in line for line in lines)
    assert all(len(line) <= 80 for line in lines if address not in line)
    assert all(line.startswith(" " * 14) for line in lines[1:])


@pytest.mark.parametrize(
    ("line", "blanks"),
    [
        (f"[yellow]Warning:[/] {'word ' * 30}", [0, 2, 2]),
        (f"  first look: {'word ' * 30}", [2, 4, 4]),
        (f"  [bold]{'word ' * 12}[/]\n  {'word ' * 16}", [2, 2, 4]),
        (f"{'word ' * 15}words", [0]),
        ("one\n", [0, 0]),
    ],
)
def test_a_line_goes_on_further_right_than_it_begins(line: str, blanks: list[int]) -> None:
    console = SafeConsole(width=80, record=True, force_terminal=True)
    print_wrapped(console, line)
    lines = [one.rstrip() for one in console.export_text().splitlines()]
    assert [len(one) - len(one.lstrip()) for one in lines] == blanks
    assert max(map(len, lines)) <= 80


def test_of_prefects_log_only_warnings_reach_a_command_that_runs_a_flow_itself() -> None:
    levels = (logging.INFO, logging.WARNING, logging.ERROR)
    records = [logging.LogRecord("prefect", level, "", 0, "words", None, None) for level in levels]
    assert [_is_shown(one) for one in records] == [False, True, False]
