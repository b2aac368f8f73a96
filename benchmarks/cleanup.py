"""`python -m benchmarks.cleanup`: a million old ads among 1.2 million go, and nobody waits for it.

While the clean-up runs, another connection stores a page of a hundred ads, old ones among them,
again and again, as fetches do. Held against limits: the longest step, whose locks are held no
longer, and the longest page, each against a second; and memory, at the end against the beginning.
Exit code 1 says that a limit was passed.
"""

import asyncio
import tempfile
import time
from dataclasses import dataclass, field

import psutil
from rich.console import Console
from sqlalchemy import text

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.maintenance.cleanup import CleanupSummary, Retention, clean_up
from adspark.media.store import MediaStore
from adspark.serpapi.payloads import CreativePayload
from benchmarks.arguments import parse_scale
from benchmarks.server import Server, running_server
from benchmarks.targets import Target, judge

_ADS, _OLD = 1_200_000, 1_000_000
_ADVERTISERS = 1_000
_PAGE = 100  # ads of a page that a fetch stores
_PAUSE = 0.1  # seconds between two pages
_MOST_GROWTH = 1.1
_MB = 1024 * 1024

_FILL = text("""
    WITH who AS (
        INSERT INTO advertiser (advertiser_id, name)
        SELECT 'AR' || lpad(n::text, 20, '0'), 'Advertiser ' || n
        FROM generate_series(0, :advertisers - 1) AS n
    ), watching AS (
        INSERT INTO watch (user_id, name, text, political_ads, is_active)
        VALUES (1, 'all', 'example.com', false, true)
    )
    SELECT 1
""")
_FILL_ADS = text("""
    INSERT INTO creative (ad_creative_id, advertiser_id, format, image_url, last_shown)
    SELECT 'CR' || lpad(n::text, 20, '0'), 'AR' || lpad((n % :advertisers)::text, 20, '0'), 'image',
        'https://tpc.googlesyndication.com/archive/simgad/' || n,
        now() - CASE WHEN n <= :old THEN interval '100 days' ELSE interval '1 day' END
    FROM generate_series(1, :ads) AS n
""")
# Each ad was seen by a watch, which has told of it: what goes along.
_LINK = text("""
    WITH seen AS (
        INSERT INTO watch_creative (watch_id, ad_creative_id, content_hash)
        SELECT w.id, c.ad_creative_id, c.content_hash FROM creative c, watch w
    )
    INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash)
    SELECT w.id, c.ad_creative_id, 'baseline', c.content_hash FROM creative c, watch w
""")


@dataclass
class Measured:
    """What was seen on the way, in seconds and megabytes."""

    seconds: float = 0.0
    steps: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


def main() -> int:
    scale = parse_scale("cleanup", __doc__)
    with running_server() as server:
        summary, measured = asyncio.run(_measure(server, _ADS // scale, _OLD // scale))
    Console().print(
        f"{summary.creatives:,} of {_ADS // scale:,} ads in {measured.seconds:.0f} s "
        f"({summary.creatives / measured.seconds:,.0f} a second), {len(measured.steps):,} steps; "
        f"meanwhile {len(measured.pages):,} pages were stored; peak memory "
        f"{max(measured.memory):.0f} MB"
    )
    tenth = max(1, len(measured.memory) // 10)
    growth = max(measured.memory[-tenth:]) / max(measured.memory[:tenth])
    targets = [
        Target(what="Longest step, of a second", ratio=max(measured.steps), most=1.0),
        Target(what="Longest page meanwhile, of a second", ratio=max(measured.pages), most=1.0),
        Target(what="Memory, last / first tenth", ratio=growth, most=_MOST_GROWTH),
    ]
    is_done = summary.creatives == _OLD // scale
    return judge(targets) or int(not is_done)


async def _measure(server: Server, ads: int, old: int) -> tuple[CleanupSummary, Measured]:
    measured = Measured()
    async with Database(server.url()) as database:
        async with database.session() as session:
            await session.execute(_FILL, {"advertisers": _ADVERTISERS})
            await session.execute(_FILL_ADS, {"advertisers": _ADVERTISERS, "ads": ads, "old": old})
            await session.execute(_LINK)
            await session.commit()
        server.settle("adspark")
        storing = asyncio.create_task(_store(database, measured, newest=ads))
        began = last = time.perf_counter()

        def note(_: CleanupSummary) -> None:
            nonlocal last
            now = time.perf_counter()
            measured.steps.append(now - last)
            last = now
            measured.memory.append(psutil.Process().memory_info().rss / _MB)

        with tempfile.TemporaryDirectory() as folder:
            media = MediaStore(folder)
            summary = await clean_up(database, media, Retention(), on_step=note)
        measured.seconds = time.perf_counter() - began
        storing.cancel()
        await asyncio.gather(storing, return_exceptions=True)
    return summary, measured


async def _store(database: Database, measured: Measured, *, newest: int) -> None:
    """What fetches do meanwhile: store pages of ads that are being shown."""
    number = 0
    while True:
        first = newest - (number * _PAGE) % (newest // 10)
        page = [_creative(max(1, first - place)) for place in range(_PAGE)]
        began = time.perf_counter()
        async with database.session() as session:
            await save_creatives(session, rows=page)
            await session.commit()
        measured.pages.append(time.perf_counter() - began)
        number += 1
        await asyncio.sleep(_PAUSE)


def _creative(number: int) -> CreativePayload:
    return CreativePayload.model_validate(
        {
            "advertiser_id": f"AR{number % _ADVERTISERS:020d}",
            "advertiser": f"Advertiser {number % _ADVERTISERS}",
            "ad_creative_id": f"CR{number:020d}",
            "format": "image",
            "image": f"https://tpc.googlesyndication.com/archive/simgad/{number}",
            "first_shown": 1_780_000_000,
            "last_shown": int(time.time()),
        }
    )


if __name__ == "__main__":
    raise SystemExit(main())
