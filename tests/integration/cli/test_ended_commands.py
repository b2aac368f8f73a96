"""A command that is told to end cleans up, as at Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
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


DEAF = """
import asyncio, contextlib, subprocess
from deployments.environment.termination import end_at_ctrl_c

async def wait_for_a_server():
    child = subprocess.Popen(["sleep", "1000"])
    asyncio.get_running_loop().call_soon(lambda: print(child.pid, flush=True))  # once this waits
    while True:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(1000)

with end_at_ctrl_c(lambda: print("Interrupted.", flush=True)):
    asyncio.run(wait_for_a_server())
"""


# Ctrl-C comes as the command begins to be imported.
INTERRUPTED_AT_ONCE = """
import signal, sys
from deployments.cli.entry_point import main

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "deployments.cli.main":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
sys.argv = ["adspark", "--version"]
main()
"""


def _hear_of_signals() -> None:
    """As a program that a person starts, also where the tests run in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _ignore_ctrl_c() -> None:
    """As behind nohup, or a job in the background of a script."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.mark.usefixtures("configured_database")
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGTERM, 143),
        (signal.SIGINT, -signal.SIGINT),
        (signal.SIGHUP, 143),  # its terminal was closed
    ],
)
def test_a_command_that_is_told_to_end_cleans_up(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL,
        preexec_fn=_hear_of_signals,
    )  # fmt: skip
    while not (tmp_path / "begun").exists():
        assert process.poll() is None
    process.send_signal(number)
    assert process.wait() == code
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


@pytest.mark.parametrize(
    ("called", "encoding", "words"),
    [
        ("watch list", "latin-1", b"There are no watches"),
        ("--help", "ascii", b"Usage: adspark"),
        ("budget --json", "ascii", b'{"schema":"budget/1"'),
    ],
)
@pytest.mark.usefixtures("configured_database")
def test_what_an_encoding_lacks_ends_no_command(
    called: str, encoding: str, words: bytes, tmp_path: Path
) -> None:
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run(
        [BIN / "adspark", *called.split()], cwd=tmp_path, env=environment, capture_output=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert words in done.stdout


@pytest.mark.parametrize(
    ("redirected", "code", "words"),
    [
        (">&-", 0, ""),
        ("> /dev/full", 1, "Error: The disk: No space left on device; make some room.\n"),
        ("2>&1 | cat", 0, ""),
    ],
)
def test_where_output_cannot_go_the_command_says_so_or_nothing(
    redirected: str, code: int, words: str, tmp_path: Path
) -> None:
    environment = os.environ | {"COLUMNS": "0"}
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{BIN / 'adspark'} --help {redirected}"], cwd=tmp_path,
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (code, words)
    assert ("Usage: adspark" in done.stdout) == redirected.endswith("cat")


def test_ctrl_c_ends_what_asyncio_cannot_cancel_with_all_that_it_started(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen(
        [sys.executable, "-c", DEAF], cwd=tmp_path, env=environment, stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert process.stdout
    child = psutil.Process(int(process.stdout.readline()))
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert process.stdout.read() == b"Interrupted.\n"
    process.stdout.close()
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("prepare", "code", "said"), [(_hear_of_signals, 130, ""), (_ignore_ctrl_c, 0, "adspark ")]
)
def test_ctrl_c_while_the_command_is_imported_ends_it_in_silence(
    prepare: Callable[[], None], code: int, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_AT_ONCE],
        preexec_fn=prepare,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.startswith(said)
