"""What processes share that kill themselves, with SIGKILL, at a given step."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

from adspark.db.engine import Database

_OPEN = text("""
    SELECT EXISTS (
        SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
    )
""")


class Steps:
    """Counts steps, and dies at the one that it is told."""

    def __init__(self, last: int, report: int) -> None:
        self._left = last
        self._report = report

    def take(self, where: str) -> None:
        """Another step."""
        self._left -= 1
        if self._left == 0:
            os.write(self._report, where.encode())
            os.kill(os.getpid(), signal.SIGKILL)

    def count_database(self) -> None:
        """Let each commit and each use of a database of this process be a step."""

        def before_commit(_connection: object) -> None:
            self.take("before a commit")

        def after_use(_connection: object, _record: object) -> None:
            self.take("after a use of the database")

        event.listen(Engine, "commit", before_commit)
        event.listen(Pool, "checkin", after_use)


def serve_lines(run: Callable[[str, int], Coroutine[Any, Any, None]], *, ended: str) -> None:
    """Answer each line of the input with the place where `run` was killed, or with `ended`.

    Each runs in a fork, for imports take long. `run` gets the line and where its steps report.
    """
    for line in sys.stdin:
        reading, writing = os.pipe()
        if (child := os.fork()) == 0:
            os.close(reading)
            asyncio.run(run(line, writing))
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as told:
            where = told.read()
        _, status = os.waitpid(child, 0)
        done = ended if os.waitstatus_to_exitcode(status) == 0 else "failed"
        sys.stdout.write(f"{where or done}\n")
        sys.stdout.flush()


@asynccontextmanager
async def crashing_process(
    module: str, *arguments: str
) -> AsyncIterator[Callable[[str], Coroutine[Any, Any, str]]]:
    """A process that serves lines; what is given sends one and returns the answer."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", module, *arguments),
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    reader, writer = process.stdout, process.stdin

    async def send(line: str) -> str:
        writer.write(f"{line}\n".encode())
        return (await reader.readline()).decode().strip()

    try:
        yield send
    finally:
        writer.close()
        await process.wait()


async def wait_for_rollback(database: Database) -> None:
    """Until PostgreSQL has noticed that a process died, and has released what that had locked."""
    while True:
        async with database.session() as session:
            if not await session.scalar(_OPEN):
                return
        await asyncio.sleep(0.01)
