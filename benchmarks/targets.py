"""What a benchmark is held against, and the rates of contenders that take turns."""

import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, computed_field
from rich.console import Console


class Target(BaseModel):
    """A ratio with its bound."""

    what: str
    ratio: float
    least: float | None = None
    most: float | None = None

    @computed_field  # type: ignore[prop-decorator]  # as pydantic's manual has it
    @property
    def is_met(self) -> bool:
        """Whether the ratio lies within its bound."""
        return (self.least is None or self.ratio >= self.least) and (
            self.most is None or self.ratio <= self.most
        )

    @property
    def sentence(self) -> str:
        """The target as a line of the report."""
        bound = f"at least {self.least}" if self.least is not None else f"at most {self.most}"
        colour, word = ("green", "met") if self.is_met else ("red", "MISSED")
        return f"[{colour}]{word:6}[/]  {self.what}: {self.ratio:.2f} × (target: {bound} ×)"


@dataclass
class Rates:
    """How much each contender does in a second, round by round."""

    by_name: dict[str, list[float]] = field(default_factory=dict)

    async def run(self, name: str, count: int, work: Callable[[int], Awaitable[None]]) -> None:
        """Do so much of the work and note the rate."""
        began = time.perf_counter()
        await work(count)
        self.by_name.setdefault(name, []).append(count / (time.perf_counter() - began))

    def rate(self, name: str) -> float:
        """The median of the rounds."""
        return statistics.median(self.by_name[name])


def judge(targets: Sequence[Target], console: Console | None = None) -> int:
    """Print what each has come to; returns the exit code, 1 where one was missed."""
    for target in targets:
        (console or Console()).print(target.sentence)
    return 0 if all(target.is_met for target in targets) else 1


def p95(values: Iterable[float]) -> float:
    """That which 95 of a hundred do not exceed."""
    return statistics.quantiles(values, n=20)[-1]
