"""A command that is told to end cleans up, as at Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
PROGRAM = """
import asyncio
from pathlib import Path
from deployments.cli.database import open_database

async def act():
    async with open_database():
        try:
            Path("begun").touch()
            await asyncio.sleep(600)
        finally:
            Path("cleaned").touch()

asyncio.run(act())
"""


@pytest.mark.usefixtures("configured_database")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda one: one.name)
def test_a_command_that_is_told_to_end_cleans_up(number: signal.Signals, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    while not (tmp_path / "begun").exists():
        assert process.poll() is None
    process.send_signal(number)
    assert process.wait() == {signal.SIGTERM: 143, signal.SIGINT: -signal.SIGINT}[number]
    assert (tmp_path / "cleaned").exists()


@pytest.mark.usefixtures("configured_database")
@pytest.mark.parametrize("called", ["--help", "watch list", "watch list --json", "watch export"])
def test_a_command_whose_reader_has_seen_enough_ends_well(called: str, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [BIN / "adspark", *called.split()], cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE,
        check=False,
    )  # fmt: skip
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
