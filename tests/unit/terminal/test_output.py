"""What the command says where the shell does not find it, and what Prefect says at its end."""

import logging
import sys
from pathlib import Path

import pytest

from adspark.text.terminal import SafeConsole
from deployments.cli.runs.run import _is_shown
from deployments.terminal.output import print_activation, print_wrapped
from deployments.terminal.quiet import drop_countdowns


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


def test_each_line_of_several_begins_at_its_own_margin() -> None:
    console = SafeConsole(width=40, record=True, force_terminal=True)
    print_wrapped(console, f"[bold]Error:[/] {'word ' * 9}end\nx, line 2: {'word ' * 7}end")
    lines = [line.rstrip() for line in console.export_text().splitlines()]
    assert lines == [
        "Error: word word word word word word",
        "word word word end",
        "x, line 2: word word word word word word",
        "word end",
    ]


def test_of_prefects_log_only_warnings_reach_a_command_that_runs_a_flow_itself() -> None:
    levels = (logging.INFO, logging.WARNING, logging.ERROR)
    records = [logging.LogRecord("prefect", level, "", 0, "words", None, None) for level in levels]
    assert [_is_shown(one) for one in records] == [False, True, False]
