"""A process that exports ads and kills itself, with SIGKILL, at a given step.

`python -m tests.support.export_crash DATABASE MEDIA FILE` reads the number of a step on each line,
and answers with the place where it was killed, or `done`. Steps are what is done to files beside
FILE. The process forks for each line, for imports take long.
"""

import sys
from pathlib import Path

from adspark.db.engine import Database
from adspark.export.run import ExportRequest, export_ads
from adspark.export.target import find_target
from adspark.media.store import MediaStore
from tests.support.crash_steps import Steps, serve_lines

_FILE_EVENTS = ("open", "os.rename", "os.mkdir", "os.remove", "shutil.rmtree")


async def export(address: str, media: str, file: str, steps: Steps) -> None:
    """One export with pictures, which replaces the one before."""
    folder = str(Path(file).parent)

    def on_audit(name: str, arguments: tuple[object, ...]) -> None:
        if name in _FILE_EVENTS and str(arguments[0]).startswith(folder):
            steps.take(name)

    target = find_target(file, home=Path(folder), base=Path())
    sys.addaudithook(on_audit)
    async with Database(address) as database:
        request = ExportRequest(with_pictures=True, replaces=True)
        await export_ads(database, MediaStore(media), target, request)


def main() -> None:
    """Serve the lines."""
    address, media, file = sys.argv[1:]
    serve_lines(
        lambda line, report: export(address, media, file, Steps(int(line), report)), ended="done"
    )


if __name__ == "__main__":
    main()
