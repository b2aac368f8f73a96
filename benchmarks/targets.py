"""What a benchmark is held against."""

import statistics
from collections.abc import Iterable, Sequence

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


def judge(targets: Sequence[Target], console: Console | None = None) -> int:
    """Print what each has come to; returns the exit code, 1 where one was missed."""
    for target in targets:
        (console or Console()).print(target.sentence)
    return 0 if all(target.is_met for target in targets) else 1


def p95(values: Iterable[float]) -> float:
    """That which 95 of a hundred do not exceed."""
    return statistics.quantiles(values, n=20)[-1]
