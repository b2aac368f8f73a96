"""One shell in which the code blocks of a page are run, one after the other, as a reader would."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from adspark.home.running_stack import StackState
from tests.support.documentation.pages import Block
from tests.support.stack import INSTALLED, Stack


@dataclass(frozen=True)
class Session:
    """A shell of a page: what one block exports or writes, the next ones find."""

    stack: Stack
    folder: Path
    shell: subprocess.Popen[str]

    def run(self, block: Block) -> str:
        """Run a block; returns what it printed. An assertion says where it failed, and how."""
        text = _with_ports(block.text, self.stack)
        if block.kind == "sql":
            return self._query(text)
        if block.kind == "python":
            (self.folder / "block.py").write_text(text)
            return self._shell(block, f"{shlex.quote(sys.executable)} block.py\n")
        if block.kind == "console":
            text = "".join(f"{one[2:]}\n" for one in text.splitlines() if one.startswith("$ "))
            assert text, f"{block}: it has no line that begins with $"
        return self._shell(block, text)

    def _shell(self, block: Block, text: str) -> str:
        (self.folder / "block.sh").write_text(text)
        output = self.folder / "output.txt"
        assert self.shell.stdin
        assert self.shell.stdout
        here = shlex.quote(str(self.folder))
        self.shell.stdin.write(
            f"source {here}/block.sh </dev/null >{here}/output.txt 2>&1; echo done\n"
        )
        self.shell.stdin.flush()
        is_done = self.shell.stdout.readline() == "done\n"
        printed = output.read_text() if output.exists() else ""
        assert is_done, f"{block} failed:\n{text}\n{printed}"
        return printed

    def _query(self, text: str) -> str:
        state = StackState.model_validate_json((self.stack.home / "stack.json").read_text())
        assert state.database_url
        with psycopg.connect(state.database_url) as connection:
            cursor = connection.execute(text)
            return "\n".join(map(str, cursor.fetchall())) if cursor.description else ""


@contextmanager
def open_session(stack: Stack, folder: Path) -> Iterator[Session]:
    """A shell that ends at the first command that fails, with the commands of this environment."""
    path = [stack.program.parent, INSTALLED.parent, stack.environment["PATH"]]
    shell = subprocess.Popen(
        ["bash", "--noprofile", "--norc", "-e"],
        env=stack.environment | {"PATH": ":".join(map(str, path))},
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield Session(stack, folder, shell)
    finally:
        with suppress(ProcessLookupError):  # with what it may still be carrying out
            os.killpg(shell.pid, signal.SIGKILL)
        shell.communicate()


def _with_ports(text: str, stack: Stack) -> str:
    """The block with the ports of this stack in the place of those that the pages name."""
    ports = {
        "4200": stack.prefect_port,
        "4280": stack.gallery_port,
        "4290": stack.metrics_port,
        "4300": stack.sandbox_port,
    }
    return re.sub(r"(?<=127\.0\.0\.1:)42[0-9]0", lambda one: str(ports[one[0]]), text)
