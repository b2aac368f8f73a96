"""`python -m benchmarks.render`: pictures a second with one browser, and memory that stays.

One renderer (a fresh context for every picture) against a renderer for every picture, which does
the same work with a browser of its own; turn about, in one run, over a local server. Beside them,
without a target, the least that a browser for every picture can cost: an already running Playwright
starts it, and the picture is neither downloaded by the rules nor decoded before. Then 500 pictures,
with the memory (RSS) of this process and of the browser's whole tree. Exit code 1 says that a
target was missed.
"""

import asyncio
import statistics
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
from playwright.async_api import Playwright, async_playwright
from rich.table import Table

from adspark.net.addresses import AddressRules
from adspark.rendering.render_target import RenderKind, RenderTarget
from adspark.rendering.renderer import AT_ONCE, Renderer
from adspark.sandbox.testing import serve
from adspark.settings import get_settings
from benchmarks.arguments import benchmark_parser
from benchmarks.memory import read_memory
from benchmarks.tables import make_console, make_table
from benchmarks.targets import Rates, Target, judge

_TIMES_FASTER = 5.0
_MOST_GROWTH = 1.1
_SPAN = 50  # pictures at either end whose memory is compared
_PICTURE = "/archive/simgad/3303515941519189982"
_SIZE = (380, 199)
_MB = 1024 * 1024

_OURS, _OURS_AT_ONCE = "one renderer, one by one", f"one renderer, {AT_ONCE} at once"
_PEER, _BARE = "a renderer each", "a bare browser each"


@dataclass(frozen=True)
class Size:
    """How much is drawn: rounds of the rates, and samples of the memory, ten pictures each."""

    rounds: int
    samples: int


FULL, QUICK, SMALLEST = Size(4, 500), Size(2, 100), Size(1, 10)


def main() -> int:
    parser = benchmark_parser("render", __doc__)
    parser.add_argument("--quick", action="store_true", help="fewer pictures")
    parser.add_argument("--smallest", action="store_true", help="ten times fewer than that")
    parser.add_argument("--browser", type=Path, help="Chromium's program")
    arguments = parser.parse_args()
    program = arguments.browser or get_settings().browser
    size = SMALLEST if arguments.smallest else QUICK if arguments.quick else FULL
    return asyncio.run(_measure(program, size))


async def _measure(program: Path | None, size: Size) -> int:
    console = make_console()
    with serve() as url:
        make = partial(
            Renderer,
            AddressRules([url.removeprefix("http://")]),
            program=program,
            chromium_sandbox=get_settings().browser_sandbox,
        )
        target = RenderTarget(RenderKind.PICTURE, f"{url}{_PICTURE}", *_SIZE)
        async with make() as renderer:
            await renderer.render(target)  # the start counts for nobody
            rates = await _compete(make, renderer, target, rounds=size.rounds)
            samples = await _fill(renderer, target, count=size.samples)
    first = statistics.median(samples[: _SPAN // 10])
    last = statistics.median(samples[-(_SPAN // 10) :])
    console.print(_table(rates))
    console.print(
        f"Memory of everything: {first:.0f} MB over the first {_SPAN} of {len(samples) * 10} "
        f"pictures, {last:.0f} MB over the last {_SPAN}, {max(samples):.0f} MB at most"
    )
    peer = rates.rate(_PEER)
    goals = [
        Target(what=_OURS, ratio=rates.rate(_OURS) / peer, least=_TIMES_FASTER),
        Target(what=_OURS_AT_ONCE, ratio=rates.rate(_OURS_AT_ONCE) / peer, least=_TIMES_FASTER),
        Target(what="Memory, last / first", ratio=last / first, most=_MOST_GROWTH),
    ]
    return judge(goals, console)


async def _compete(
    make: Callable[[], Renderer], renderer: Renderer, target: RenderTarget, *, rounds: int
) -> Rates:
    rates = Rates()

    async def one_by_one(count: int) -> None:
        for _ in range(count):
            await renderer.render(target)

    async def at_once(count: int) -> None:
        await asyncio.gather(*(renderer.render(target) for _ in range(count)))

    async with async_playwright() as playwright:
        program = _find_program()

        async def a_renderer_each(count: int) -> None:
            for _ in range(count):
                async with make() as own:
                    await own.render(target)

        async def a_browser_each(count: int) -> None:
            for _ in range(count):
                await _draw_alone(playwright, target, program)

        for _ in range(rounds):
            await rates.run(_PEER, 3, a_renderer_each)
            await rates.run(_BARE, 3, a_browser_each)
            await rates.run(_OURS, 20, one_by_one)
            await rates.run(_OURS_AT_ONCE, 20, at_once)
    return rates


def _find_program() -> Path | None:
    """The program that the renderer runs, so that both run the same."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            is_ours = any(part.startswith("--adspark-browser") for part in process.cmdline())
            if is_ours and "chrom" in Path(process.exe()).name:  # not a shell that starts it
                return Path(process.exe())
    return None


async def _draw_alone(playwright: Playwright, target: RenderTarget, program: Path | None) -> None:
    """As a script would do it that starts a browser whenever it needs one."""
    browser = await playwright.chromium.launch(executable_path=program, chromium_sandbox=False)
    page = await browser.new_page(viewport={"width": _SIZE[0], "height": _SIZE[1]})
    await page.set_content(f'<body style="margin:0"><img src="{target.url}">')
    await page.screenshot()
    await browser.close()


async def _fill(renderer: Renderer, target: RenderTarget, *, count: int) -> list[float]:
    """Draw so many; the memory in megabytes after every ten."""
    samples: list[float] = []
    for _ in range(count // 10):
        await asyncio.gather(*(renderer.render(target) for _ in range(10)))
        samples.append(read_memory())
    return samples


def _table(rates: Rates) -> Table:
    title = "Pictures of 380 × 199, medians of the rounds"
    table = make_table(title, ["drawn by"], ["ms", "pictures/s", "times"])
    for name in rates.by_name:
        rate = rates.rate(name)
        ratio = rate / rates.rate(_PEER)
        table.add_row(name, f"{1000 / rate:.0f}", f"{rate:.1f}", f"{ratio:.1f}")
    return table


if __name__ == "__main__":
    raise SystemExit(main())
