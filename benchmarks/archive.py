"""`python -m benchmarks.archive`: pictures a second from their address into the archive.

A server in a process of its own gives drawn ads of 350 by 450 pixels, each another one. AdSpark
archives them (claimed, downloaded by the rules, decoded in processes of their own, hashed, kept
with a thumbnail, noted in the database), turn about with bare httpx and Pillow, which download and
decode as many in threads, and keep nothing. Both keep to the same bounds: so many at once, and the
same pause between two requests to a host. Then, without a target, the same without the pause; and,
without the pause, many pictures in one run with the memory (RSS) of this process and all under it.
Exit code 1 says that a target was missed.
"""

import argparse
import asyncio
import io
import random
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
from PIL import Image, ImageDraw
from rich.table import Table
from sqlalchemy import text

from adspark.archive.hosts import AT_ONCE, PAUSE, HostPauses
from adspark.archive.picture import ArchiveTools
from adspark.archive.run import archive_pictures
from adspark.archive.summary import ArchiveBounds
from adspark.db.engine import Database
from adspark.media.store import MediaStore
from adspark.net.addresses import AddressRules
from adspark.net.downloads import Downloader
from adspark.rendering.renderer import Renderer
from benchmarks.arguments import benchmark_parser
from benchmarks.memory import MemoryPeaks, sampled
from benchmarks.server import running_server
from benchmarks.tables import make_console, make_table
from benchmarks.targets import Rates, Target, judge

_SIZE = (350, 450)
_DRAWN = 40  # different ads; each answer has its own number behind the picture's end
_LEAST = 0.8
_MOST_BYTES = 10**12
_PATIENCE = 3600.0  # seconds
_FILL = text("""
    WITH who AS (
        INSERT INTO advertiser (advertiser_id, name) VALUES ('AR', 'A') ON CONFLICT DO NOTHING
    ), ads AS (
        INSERT INTO creative (ad_creative_id, advertiser_id, format, image_url)
        SELECT 'CR' || lpad(n::text, 20, '0'), 'AR', 'image', :url || '/' || n || '.png'
        FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n
        RETURNING ad_creative_id, content_hash, image_url
    )
    INSERT INTO new_version (ad_creative_id, content_hash, source_url)
    SELECT ad_creative_id, content_hash, image_url FROM ads
""")


@dataclass(frozen=True)
class Size:
    """How much is archived: rounds, pictures of each, and pictures while memory is looked at."""

    rounds: int
    pictures: int
    filled: int


FULL, QUICK, SMALLEST = Size(3, 200, 10_000), Size(2, 100, 1_000), Size(1, 40, 100)


@dataclass
class Contest:
    """An archive and its source."""

    database: Database
    tools: ArchiveTools
    folder: Path
    url: str
    given: int = 0

    async def archive(self, count: int, pause: float) -> None:
        """Archive so many that are new."""
        first, self.given = self.given + 1, self.given + count
        async with self.database.session() as session:
            await session.execute(_FILL, {"url": self.url, "first": first, "last": self.given})
            await session.commit()
        tools = ArchiveTools(
            self.tools.media, self.tools.downloader, self.tools.renderer, HostPauses(pause)
        )
        bounds = ArchiveBounds(
            pictures=count, seconds=_PATIENCE, bytes=_MOST_BYTES, kept_bytes=_MOST_BYTES
        )
        summary = await archive_pictures(self.database, tools, bounds)
        if summary.stored != count:
            raise RuntimeError(f"{summary.stored} of {count} were archived: {summary.headline}")

    async def download(self, count: int, pause: float) -> None:
        """Download and decode so many, as a script would."""
        pauses, turns = HostPauses(pause), asyncio.Semaphore(AT_ONCE)

        async def one(client: httpx.AsyncClient, number: int) -> None:
            async with turns:
                url = f"{self.url}/{number}.png"
                await pauses.wait(url)
                answer = (await client.get(url)).raise_for_status()
                await asyncio.to_thread(_decode, answer.content)

        async with httpx.AsyncClient(timeout=120) as client:
            await asyncio.gather(*(one(client, number) for number in range(count)))


_OURS, _PEER = "archive", "httpx and Pillow"
_OURS_FREE, _PEER_FREE = "archive, no pause", "httpx and Pillow, no pause"


def main() -> int:
    """Measure, print, and judge; or be the server."""
    parser = benchmark_parser("archive", __doc__)
    parser.add_argument("--quick", action="store_true", help="fewer pictures")
    parser.add_argument("--smallest", action="store_true", help="ten times fewer than that")
    parser.add_argument(
        "--pictures", type=int, help="so many while memory is looked at, no contest"
    )
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        with suppress(KeyboardInterrupt):
            asyncio.run(_serve())
        return 0
    size = SMALLEST if arguments.smallest else QUICK if arguments.quick else FULL
    if arguments.pictures:
        size = Size(rounds=0, pictures=0, filled=arguments.pictures)
    command = [sys.executable, "-m", "benchmarks.archive", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:
        try:
            port = int(serving.stdout.readline()) if serving.stdout else 0
            with running_server() as server, tempfile.TemporaryDirectory() as folder:
                return asyncio.run(_measure(server.url(), folder, port, size))
        finally:
            serving.terminate()


async def _measure(database_url: str, folder: str, port: int, size: Size) -> int:
    rules = AddressRules([f"127.0.0.1:{port}"])
    console = make_console()
    async with (
        Database(database_url) as database,
        Downloader(rules) as downloader,
        Renderer(rules) as renderer,
    ):
        tools = ArchiveTools(MediaStore(folder), downloader, renderer, HostPauses())
        rates = Rates()
        contest = Contest(database, tools, Path(folder), f"http://127.0.0.1:{port}")
        await contest.archive(10, 0.0)  # the start of the decoders counts for nobody
        for _ in range(size.rounds):
            for pause, peer, ours in ((PAUSE, _PEER, _OURS), (0.0, _PEER_FREE, _OURS_FREE)):
                await rates.run(peer, size.pictures, partial(contest.download, pause=pause))
                await rates.run(ours, size.pictures, partial(contest.archive, pause=pause))
        peaks = await _fill(contest, size.filled)
    targets = [peaks.target]
    if size.rounds:
        console.print(_table(rates))
        ratio = rates.rate(_OURS) / rates.rate(_PEER)
        what = "Pictures a second, archive / httpx and Pillow, same bounds"
        targets.append(Target(what=what, ratio=ratio, least=_LEAST))
    console.print(peaks.sentence)
    return judge(targets, console)


async def _fill(contest: Contest, count: int) -> MemoryPeaks:
    """Archive so many in one run; the memory meanwhile."""
    before = len(list(contest.folder.glob("thumbnails/*/*")))

    def count_done() -> int:
        return sum(1 for _ in contest.folder.glob("thumbnails/*/*")) - before

    async with sampled(count, count_done) as peaks:
        await contest.archive(count, 0.0)
    return peaks


def _decode(content: bytes) -> None:
    with Image.open(io.BytesIO(content)) as image:
        image.load()


async def _serve() -> None:
    """Give drawn ads at any address; the port is the first line of the output."""
    drawn = [_draw(number) for number in range(_DRAWN)]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                asked = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
                number = int(asked.strip(b"/").removesuffix(b".png"))
                body = drawn[number % _DRAWN] + asked
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


def _draw(number: int) -> bytes:
    """An ad: a photo's noise above, words below."""
    noise = random.Random(number)
    photo = Image.frombytes("RGB", (44, 32), noise.randbytes(44 * 32 * 3))
    image = Image.new("RGB", _SIZE, "white")
    image.paste(photo.resize((350, 256), Image.Resampling.BICUBIC))
    pen = ImageDraw.Draw(image)
    for line in range(6):
        pen.text((16, 270 + 28 * line), f"Line {line} of the words of ad {number}", "black")
    target = io.BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


def _table(rates: Rates) -> Table:
    title = f"Pictures of 350 × 450, {AT_ONCE} at once, medians of the rounds"
    table = make_table(title, ["who"], ["pause", "pictures/s"])
    for name in rates.by_name:
        pause = "none" if "no pause" in name else f"{1000 * PAUSE:.0f} ms"
        table.add_row(name.partition(",")[0], pause, f"{rates.rate(name):.1f}")
    return table


if __name__ == "__main__":
    raise SystemExit(main())
