"""`python -m benchmarks.words`: words read from drawn ads: how many are right, how fast, how large.

The sandbox's recorded ads that have copy are drawn with it, in 350 by 450 pixels and in the size of
their record, and read as `read-words` reads them: in one process that can be killed. Its computing
time counts, without the start, so that the rate is that of one core whatever else the machine does.
Then many small pictures are read in one run, with the memory (RSS) of this process and all under
it. Exit code 1 says that a target was missed.
"""

import asyncio
import hashlib
import io
import json
import re
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import psutil
from PIL import Image, ImageDraw
from rich.table import Table
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.media.store import MediaStore
from adspark.picture_queue.summary import RunBounds
from adspark.sandbox.control.pictures import draw_picture
from adspark.sandbox.library.catalogue import AdCopy, Row
from adspark.sandbox.library.recorded import RecordedCatalogue
from adspark.sandbox.serpapi.details import find_copy
from adspark.words.reader_process import close_reader, read_picture
from adspark.words.run import read_words
from benchmarks.arguments import benchmark_parser
from benchmarks.memory import sampled
from benchmarks.server import running_server
from benchmarks.tables import make_console, make_table
from benchmarks.targets import Target, judge

_SIZE: Row = {"width": 350, "height": 450}
_LEAST_RIGHT = 0.95
_LEAST_RATE = 2.0  # pictures a second and core
_MOST_MEMORY = 600  # MB
_QUICK = 4  # ads
_SMALL, _SMALL_QUICK = 1000, 40  # pictures while memory is looked at
_SMALL_SIZE = (120, 40)
_PATIENCE = 7200.0  # seconds
_CONSOLE = make_console()
_ARCHIVED = text("""
    INSERT INTO picture_version (ad_creative_id, content_hash, status, sha256, path, thumbnail_path,
        stored_at)
    VALUES (:sha256, '', 'stored', :sha256,
        'pictures/' || left(:sha256, 2) || '/' || :sha256 || '.png', 't', now())
""")
_WORD = re.compile(r"\w+")


@dataclass
class Reading:
    """What reading pictures of a kind came to."""

    pictures: int = 0
    words: int = 0
    right: int = 0
    computing: float = 0.0  # seconds
    waiting: float = 0.0  # seconds
    languages: Counter[str | None] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Pictures a second of computing."""
        return self.pictures / self.computing

    async def add(self, content: bytes, copy: AdCopy) -> None:
        """Read a picture that has this copy."""
        used, began = _computed(), time.perf_counter()
        read = await read_picture(content)
        self.computing += _computed() - used
        self.waiting += time.perf_counter() - began
        wanted = _count_words(f"{copy.headline} {copy.body} {copy.action}")
        self.pictures += 1
        self.words += wanted.total()
        self.right += (wanted & _count_words(" ".join(read.lines))).total()
        self.languages[read.language] += 1


def main() -> int:
    parser = benchmark_parser("words", __doc__)
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK} ads instead of all")
    parser.add_argument("--pictures", type=int, help="so many small ones while memory is looked at")
    arguments = parser.parse_args()
    ads = list(_ads())[: _QUICK if arguments.quick else None]
    small = arguments.pictures or (_SMALL_QUICK if arguments.quick else _SMALL)
    targets = [*asyncio.run(_measure(ads)), asyncio.run(_measure_memory(small))]
    return judge(targets, _CONSOLE)


async def _measure(ads: list[tuple[Row, AdCopy]]) -> list[Target]:
    drawn, recorded = Reading(), Reading()
    row, copy = ads[0]
    await read_picture(draw_picture(row, copy))  # the start counts for nobody
    for row, copy in ads:
        await drawn.add(draw_picture(row | _SIZE, copy), copy)
        await recorded.add(draw_picture(row, copy), copy)
    close_reader()
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    _CONSOLE.print(_table({"350 × 450": drawn, "as recorded": recorded}))
    right = (drawn.right + recorded.right) / (drawn.words + recorded.words)
    return [
        Target(what="Words that are right, of all", ratio=right, least=_LEAST_RIGHT),
        Target(what="Pictures a second and core, 350 × 450", ratio=drawn.rate, least=_LEAST_RATE),
        Target(
            what=f"Memory of the reader ({memory:.0f} MB) / {_MOST_MEMORY} MB",
            ratio=memory / _MOST_MEMORY,
            most=1.0,
        ),
    ]


async def _measure_memory(count: int) -> Target:
    """Read so many small pictures in one run, and print the memory meanwhile."""
    read = text("SELECT count(*) FROM picture_words WHERE status <> 'pending'")
    with running_server() as server, tempfile.TemporaryDirectory() as folder:
        archived = [_keep_small(Path(folder), number) for number in range(count)]
        done = 0
        async with Database(server.url()) as database:
            async with database.session() as session:
                await session.execute(_ARCHIVED, [{"sha256": name} for name in archived])
                await session.commit()

            async def count_read() -> None:
                nonlocal done
                while True:
                    async with database.session() as session:
                        done = int(await session.scalar(read) or 0)
                    await asyncio.sleep(1)

            counting = asyncio.create_task(count_read())
            async with sampled(count, lambda: done) as peaks:
                bounds = RunBounds(pictures=count, seconds=_PATIENCE)
                summary = await read_words(database, MediaStore(folder), bounds)
            counting.cancel()
    if summary.read != count:
        raise RuntimeError(f"{summary.read} of {count} were read: {summary.headline}")
    _CONSOLE.print(peaks.sentence)
    return peaks.target


def _keep_small(folder: Path, number: int) -> str:
    """Keep a picture of two words as the archive does; returns its hash."""
    image = Image.new("RGB", _SMALL_SIZE, "white")
    ImageDraw.Draw(image).text((8, 8), f"Sale {number}", "black", font_size=20)
    target = io.BytesIO()
    image.save(target, "PNG")
    name = hashlib.sha256(target.getvalue()).hexdigest()
    place = folder / "pictures" / name[:2] / f"{name}.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(target.getvalue())
    return name


def _ads() -> Iterator[tuple[Row, AdCopy]]:
    """The recorded ads that have copy and a picture."""
    catalogue = RecordedCatalogue()
    file = resources.files("adspark.sandbox").joinpath("data/creatives.jsonl")
    for line in file.read_text(encoding="utf-8").splitlines():
        row = catalogue.find(json.loads(line)["ad_creative_id"])
        copy = None if row is None else find_copy(row)
        if row is not None and copy is not None and "image" in row:
            yield row, copy


def _computed() -> float:
    """Seconds of computing that the process that reads has used."""
    total = 0.0
    for process in psutil.Process().children():
        with suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def _count_words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text.lower()))


def _table(readings: dict[str, Reading]) -> Table:
    figures = ("pictures", "words", "right", "a second and core", "seconds each")
    table = make_table("Drawn ads with their recorded copy", ["size"], figures)
    table.add_column("languages")
    for name, one in readings.items():
        languages = ", ".join(f"{count} {what}" for what, count in one.languages.most_common())
        share = f"{one.right / one.words:.1%}"
        each = f"{one.waiting / one.pictures:.2f}"
        cells = (f"{one.pictures}", f"{one.words}", share, f"{one.rate:.2f}", each, languages)
        table.add_row(name, *cells)
    return table


if __name__ == "__main__":
    raise SystemExit(main())
