"""The memory of this process and all under it, but PostgreSQL, while work goes on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import psutil

from benchmarks.targets import Target

_EVERY = 0.5  # seconds between two samples
_MOST_GROWTH = 1.15
_MB = 1024 * 1024


@dataclass
class MemoryPeaks:
    """The highest memory (RSS, megabytes) in each tenth of the work, as far as it has come."""

    work: int
    tenths: list[float] = field(default_factory=lambda: [0.0] * 10)

    def add(self, done: int, megabytes: float) -> None:
        """A sample, when so much of the work was done."""
        tenth = min(9, 10 * done // self.work)
        self.tenths[tenth] = max(self.tenths[tenth], megabytes)

    @property
    def sentence(self) -> str:
        """The peaks as a line of the report."""
        told = ", ".join(f"{peak:.0f}" for peak in self.tenths)
        return (
            f"Memory of everything but PostgreSQL over {self.work:,} pictures, peak of each tenth: "
            f"{told} MB"
        )

    @property
    def target(self) -> Target:
        """The highest of the last half must be that of the first tenth."""
        return Target(
            what="Memory, peak of the last half / peak of the first tenth",
            ratio=max(self.tenths[5:]) / self.tenths[0],
            most=_MOST_GROWTH,
        )


@asynccontextmanager
async def sampled(work: int, count_done: Callable[[], int]) -> AsyncIterator[MemoryPeaks]:
    """Sample the memory for the length of a block."""
    peaks = MemoryPeaks(work)

    async def sample() -> None:
        while True:
            peaks.add(count_done(), read_memory())
            await asyncio.sleep(_EVERY)

    sampling = asyncio.create_task(sample())
    try:
        yield peaks
        peaks.add(count_done(), read_memory())
    finally:
        sampling.cancel()


def read_memory() -> float:
    """Resident megabytes of this process and everything under it, but PostgreSQL."""
    this = psutil.Process()
    total = 0
    for process in (this, *this.children(recursive=True)):
        with suppress(psutil.Error):
            if "postgres" not in process.name():
                total += process.memory_info().rss
    return total / _MB
