"""A share with its number of cases and the interval that they allow to say."""

import math
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

_Z = 1.959964  # of 95 %


class Share(BaseModel):
    """So many of so many cases, and Wilson's 95% interval of the share behind them, 0 to 1.

    Source: Wilson, Probable inference, JASA 22 (1927) 209. With no cases it is the whole range.
    """

    model_config = ConfigDict(frozen=True)

    hits: int
    cases: int
    low: Annotated[float, Field(description="Of the interval, 0 to 1.")]
    high: Annotated[float, Field(description="Of the interval, 0 to 1.")]

    @classmethod
    def of(cls, hits: int, cases: int) -> Self:
        """The share of `hits` among `cases`."""
        if cases == 0:
            return cls(hits=0, cases=0, low=0.0, high=1.0)
        share, square = hits / cases, _Z * _Z / cases
        middle = share + square / 2
        spread = _Z * math.sqrt(share * (1 - share) / cases + square / (4 * cases))
        low, high = (middle - spread) / (1 + square), (middle + spread) / (1 + square)
        return cls(hits=hits, cases=cases, low=max(0.0, low), high=min(1.0, high))

    @property
    def sentence(self) -> str:
        """As people read it: the cases first, and no percentage without its interval."""
        if self.cases == 0:
            return "no cases"
        share = self.hits / self.cases
        return f"{self.hits} of {self.cases}: {share:.0%} ({self.low:.0%} to {self.high:.0%})"
