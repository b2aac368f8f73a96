"""A process that archives pictures and kills itself, with SIGKILL, at a given step.

`python -m tests.support.archive_crash DATABASE HOST FOLDER` reads the number of a step on each
line, and answers with the place where it was killed, or `done`. Steps are those that leave
something behind: before and after a commit, and each file that is written, renamed or dated in the
media store. The process forks for each line, for imports take long.
"""

import asyncio
import os
import signal
import sys

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

from adspark.db.engine import Database
from adspark.media.store import MediaStore
from tests.support.archiving import Archive

_FILE_EVENTS = ("open", "os.rename", "os.utime", "os.mkdir", "os.remove")


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


async def archive(address: str, host: str, folder: str, steps: Steps) -> None:
    """One run."""

    def before_commit(_connection: object) -> None:
        steps.take("before a commit")

    def after_use(_connection: object, _record: object) -> None:
        steps.take("after a use of the database")

    def on_audit(name: str, arguments: tuple[object, ...]) -> None:
        if name in _FILE_EVENTS and str(arguments[0]).startswith(folder):
            steps.take(f"{name} of a file")

    event.listen(Engine, "commit", before_commit)
    event.listen(Pool, "checkin", after_use)
    sys.addaudithook(on_audit)
    async with Database(address) as database:
        await Archive(database, MediaStore(folder), (host,)).run()


def main() -> None:
    """Serve the lines."""
    address, host, folder = sys.argv[1:]
    for line in sys.stdin:
        reading, writing = os.pipe()
        if (child := os.fork()) == 0:
            os.close(reading)
            asyncio.run(archive(address, host, folder, Steps(int(line), writing)))
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as told:
            where = told.read()
        _, status = os.waitpid(child, 0)
        done = "done" if os.waitstatus_to_exitcode(status) == 0 else "failed"
        sys.stdout.write(f"{where or done}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
