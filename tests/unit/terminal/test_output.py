"""What the command says where the shell does not find it, and what Prefect says at its end."""

import logging
import sys
from pathlib import Path

import pytest

from deployments.terminal.output import print_activation
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
