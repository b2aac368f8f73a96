"""A process that archives pictures and kills itself, with SIGKILL, at a given step.

`python -m tests.support.archive_crash DATABASE HOST FOLDER` reads the number of a step on each
line, and answers with the place where it was killed, or `done`. Steps are those that leave
something behind: before and after a commit, and each file that is written, renamed or dated in the
media store. The process forks for each line, for imports take long.
"""

import sys

from adspark.db.engine import Database
from adspark.media.store import MediaStore
from tests.support.archiving import Archive
from tests.support.crash_steps import Steps, serve_lines

_FILE_EVENTS = ("open", "os.rename", "os.utime", "os.mkdir", "os.remove")


async def archive(address: str, host: str, folder: str, steps: Steps) -> None:
    """One run."""

    def on_audit(name: str, arguments: tuple[object, ...]) -> None:
        if name in _FILE_EVENTS and str(arguments[0]).startswith(folder):
            steps.take(f"{name} of a file")

    steps.count_database()
    sys.addaudithook(on_audit)
    async with Database(address) as database:
        await Archive(database, MediaStore(folder), (host,)).run()


def main() -> None:
    """Serve the lines."""
    address, host, folder = sys.argv[1:]
    serve_lines(
        lambda line, report: archive(address, host, folder, Steps(int(line), report)),
        ended="done",
    )


if __name__ == "__main__":
    main()
