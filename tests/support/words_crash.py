"""A process that reads words and kills itself, with SIGKILL, at a given step of the database.

`python -m tests.support.words_crash DATABASE FOLDER` reads the number of a step on each line, and
answers with the place where it was killed, or `done`.
"""

import sys

from adspark.db.engine import Database
from adspark.media.store import MediaStore
from adspark.picture_queue.summary import RunBounds
from adspark.words.run import read_words
from tests.support.crash_steps import Steps, serve_lines


async def read(address: str, folder: str, steps: Steps) -> None:
    """One run."""
    steps.count_database()
    async with Database(address) as database:
        await read_words(database, MediaStore(folder), RunBounds(pictures=10, seconds=300))


def main() -> None:
    """Serve the lines."""
    address, folder = sys.argv[1:]
    serve_lines(lambda line, report: read(address, folder, Steps(int(line), report)), ended="done")


if __name__ == "__main__":
    main()
