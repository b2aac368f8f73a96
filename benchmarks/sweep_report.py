"""What sweeps have taken, beside their targets; made and printed by `sweep`."""

import statistics
from collections.abc import Sequence

from pydantic import BaseModel

from benchmarks.tables import make_console, make_table
from benchmarks.targets import Target

OURS, PEER = "AdSpark", "Celery"

_MOST_OF_IDEAL = 1.15
_MOST_OF_PEER = 1.0
_MOST_CLIENT = 6.5  # ms of CPU time a watch
_MOST_POSTGRES = 3.0  # ms of CPU time a watch
_MOST_RSS = 1.25
_MB = 1_000_000


class SweepResult(BaseModel):
    """A measured sweep of so many watches; seconds, but for the times of one watch."""

    contender: str
    watches: int
    searches: int
    news: int
    ideal: float
    seconds: float
    client_ms_per_watch: float
    postgres_ms_per_watch: float
    peak_rss: int

    @property
    def ratio(self) -> float:
        """Of the ideal."""
        return self.seconds / self.ideal


class Report(BaseModel):
    """All that was measured."""

    title: str
    postgres: str
    sweeps: list[SweepResult]
    targets: list[Target]


def targets_of(sweeps: Sequence[SweepResult], sizes: Sequence[int]) -> list[Target]:
    """What the sweeps are held against: those of the second size, where there are several, and the
    memory of the last."""
    judged = sizes[:2][-1]

    def median(figure: str, watches: int = judged, contender: str = OURS) -> float:
        found = [one for one in sweeps if (one.watches, one.contender) == (watches, contender)]
        return statistics.median(float(getattr(one, figure)) for one in found)

    named = f"Sweep of {judged:,} watches"
    targets = [
        (f"{named} / ideal", median("ratio"), _MOST_OF_IDEAL),
        (f"{named}: client CPU / {_MOST_CLIENT} ms",
         median("client_ms_per_watch") / _MOST_CLIENT, 1.0),
        (f"{named}: PostgreSQL CPU / {_MOST_POSTGRES} ms",
         median("postgres_ms_per_watch") / _MOST_POSTGRES, 1.0),
        (f"Peak RSS of {sizes[-1]:,} watches / {sizes[0]:,}",
         median("peak_rss", sizes[-1]) / median("peak_rss", sizes[0]), _MOST_RSS),
    ]  # fmt: skip
    if any(one.contender == PEER for one in sweeps):
        of_peer = median("seconds") / median("seconds", contender=PEER)
        targets.insert(1, (f"{named} / {PEER}", of_peer, _MOST_OF_PEER))
    return [Target(what=what, ratio=ratio, most=most) for what, ratio, most in targets]


def show_report(report: Report) -> None:
    """Print the table and what became of the targets."""
    console = make_console()
    figures = ("watches", "searches", "news", "ideal s", "s", "of ideal", "client CPU ms a watch",
               "PostgreSQL CPU ms a watch", "peak RSS MB")  # fmt: skip
    table = make_table(report.title, ["by"], figures)
    for sweep in report.sweeps:
        table.add_row(
            sweep.contender,
            f"{sweep.watches:,}",
            f"{sweep.searches:,}",
            f"{sweep.news:,}",
            f"{sweep.ideal:.1f}",
            f"{sweep.seconds:.1f}",
            f"{sweep.ratio:.2f} ×",
            f"{sweep.client_ms_per_watch:.1f}",
            f"{sweep.postgres_ms_per_watch:.1f}",
            f"{sweep.peak_rss / _MB:.0f}",
        )
    console.print(table)
    for target in report.targets:
        console.print(target.sentence)
