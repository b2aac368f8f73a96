"""A command that is told to end cleans up, as at Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

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
