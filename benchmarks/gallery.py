"""`python -m benchmarks.gallery`: the web pages over a library of 100,000 ads and 20,000 variants.

The gallery is served as `adspark up` serves it. Each page is asked for again and again by one
reader, and 95 of a hundred first bytes are held against 100 ms; then fifty readers ask at once for
five minutes (fewer in the smaller sizes), none of whom may be refused, with the memory of the
server at their end held against that after their first tenth. In Chromium the grid of sixty
thumbnails is held against a second, and what a first visit loads beside pictures against 200 kB.
Exit code 1 says that a limit was passed.
"""

import asyncio
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from playwright.sync_api import Response, sync_playwright
from rich.console import Console

from adspark.rendering.browser import PROGRAMS
from benchmarks.arguments import parse_scale
from benchmarks.gallery_workload import environment, fill_library, questions
from benchmarks.library_workload import Workload
from benchmarks.ports import free_port
from benchmarks.server import Server, running_server
from benchmarks.targets import Target, judge, p95

_ADS = 100_000
_THUMBNAILS = 600  # of the newest ads
_ASKED = 200  # times each page
_READERS, _SECONDS = 50, 300.0
_FIRST_BYTE_MS, _GRID_MS, _FIRST_VISIT = 100.0, 1000.0, 200_000
_MOST_GROWTH = 1.1
_PAGES = (
    "/library",
    "/library?q={word}",
    "/library?format=video&platform=YOUTUBE",
    "/library?sort=longest&running=yes",
    "/library?advertiser=AR{advertiser:020d}",
    "/boards",
    "/",
    "/watches",
    "/ads/CR{ad:020d}",
    "/advertisers",
    "/advertisers/AR{advertiser:020d}",
    "/compare?advertiser=AR{advertiser:020d}&advertiser=AR{other:020d}",
    "/compare?advertiser=AR{advertiser:020d}&advertiser=AR{other:020d}"
    "&advertiser=AR{third:020d}&advertiser=AR{fourth:020d}",
    "/variants",
    "/variants?status=approved",
    "/variants?status=waiting&user={user}",
    "/variants/{variant}",
)


def main() -> int:
    scale = parse_scale("gallery", __doc__)
    workload = Workload(_ADS // scale)
    with running_server() as server, tempfile.TemporaryDirectory() as folder:
        fill_library(server, workload, Path(folder), _THUMBNAILS // min(scale, 10))
        with _gallery(server, Path(folder)) as (url, process):
            first_bytes = {page: _ask(url, page, workload, _ASKED // scale) for page in _PAGES}
            grid, visit = _look(url)
            failures, answers, growth = asyncio.run(
                _read_at_once(url, workload, process, _READERS // min(scale, 10), _SECONDS / scale)
            )
    console = Console()
    for page, took in first_bytes.items():
        console.print(f"{page}: median {statistics.median(took):.0f} ms, p95 {p95(took):.0f} ms")
    console.print(f"{answers:,} answers to readers at once, {failures} failures")
    slowest = max(p95(took) for took in first_bytes.values())
    targets = [
        Target(what="First byte, p95 of 100 ms", ratio=slowest / _FIRST_BYTE_MS, most=1.0),
        Target(what="Grid of 60 thumbnails in a second", ratio=grid / _GRID_MS, most=1.0),
        Target(what="First visit of 200 kB", ratio=visit / _FIRST_VISIT, most=1.0),
        Target(what="Readers who were refused", ratio=failures, most=0.0),
        Target(what="Memory at the end / after a tenth", ratio=growth, most=_MOST_GROWTH),
    ]
    return judge(targets, console)


@contextmanager
def _gallery(server: Server, folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The server of the pages; its address and its process."""
    port = free_port()
    command = [sys.executable, "-m", "deployments.gallery.server", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, env=environment(server, folder)) as process:
        try:
            while process.poll() is None and not _answers(url):
                time.sleep(0.1)
            yield url, psutil.Process(process.pid)
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5).is_success
    except httpx.HTTPError:
        return False


def _ask(url: str, page: str, workload: Workload, times: int) -> list[float]:
    """Milliseconds to the first byte of each answer."""
    took = []
    with httpx.Client(base_url=url, timeout=30) as client:
        for address in _addresses(page, workload, times + 3):
            began = time.perf_counter()
            with client.stream("GET", address) as answer:
                answer.raise_for_status()
                took.append((time.perf_counter() - began) * 1000)
                answer.read()
    return took[3:]


def _addresses(page: str, workload: Workload, times: int) -> Iterator[str]:
    return (page.format(**asked) for asked in questions(workload, max(times, 5)))


def _look(url: str) -> tuple[float, int]:
    """Milliseconds until all thumbnails of a grid are drawn, and bytes beside them of a visit."""
    loaded: list[Response] = []
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 3000}, bypass_csp=True)
        page.on("response", lambda one: loaded.append(one))
        began = time.perf_counter()
        page.goto(f"{url}/library")
        page.wait_for_function("[...document.images].filter(one => one.complete).length >= 60")
        took = (time.perf_counter() - began) * 1000
        visit = sum(
            one.request.sizes()["responseBodySize"] for one in loaded if "/media/" not in one.url
        )
        browser.close()
    return took, visit


async def _read_at_once(
    url: str, workload: Workload, process: psutil.Process, readers: int, seconds: float
) -> tuple[int, int, float]:
    """Failures and answers of all readers, and by how much the server's memory has grown."""
    begin = time.monotonic()
    failures = answers = 0

    async def read(number: int) -> None:
        nonlocal failures, answers
        pages = [_PAGES[(number + place) % len(_PAGES)] for place in range(len(_PAGES))]
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            while time.monotonic() - begin < seconds:
                for page in pages:
                    address = next(_addresses(page, workload, 1))
                    try:
                        failures += (await client.get(address)).status_code != 200
                    except httpx.HTTPError:
                        failures += 1
                    answers += 1

    async def measure() -> float:
        await asyncio.sleep(seconds / 10)
        before = process.memory_info().rss
        await asyncio.sleep(seconds * 0.85)
        return process.memory_info().rss / before

    measured = asyncio.create_task(measure())
    await asyncio.gather(*(read(number) for number in range(readers)))
    return failures, answers, await measured


if __name__ == "__main__":
    raise SystemExit(main())
