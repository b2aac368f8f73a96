"""Faults that can be switched on: which there are, and which of them hit a search."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator


class FaultKind(StrEnum):
    """What can go wrong with a search."""

    LATENCY = "latency"
    THROUGHPUT_429 = "throughput_429"
    QUOTA_429 = "quota_429"
    SERVER_ERROR_500 = "server_error_500"
    UNAVAILABLE_503 = "unavailable_503"
    HANG = "hang"
    RESET = "reset"
    HTML = "html"
    CUT_JSON = "cut_json"
    EMPTY_PAGE_WITH_TOKEN = "empty_page_with_token"  # noqa: S105 - a kind of fault, no secret
    NO_RESULTS = "no_results"
    DUPLICATES = "duplicates"
    BROKEN_ROWS = "broken_rows"


# They change a good answer; the search counts as a success and is billed as one.
CONTENT_FAULTS = {
    FaultKind.EMPTY_PAGE_WITH_TOKEN,
    FaultKind.NO_RESULTS,
    FaultKind.DUPLICATES,
    FaultKind.BROKEN_ROWS,
}
_REFUSALS = {FaultKind.THROUGHPUT_429, FaultKind.QUOTA_429}
_DEFAULT_LATENCY = 1.0  # seconds


Kind = TypeVar("Kind", bound=StrEnum)


class BaseFault(BaseModel, Generic[Kind]):
    """One fault of some service.

    Attributes:
        timed: the kinds that may have `seconds`.
        kind: what happens.
        probability: the chance that it hits a matching request.
        times: how often it hits before it is over; without, for ever.
        seconds: how long it lasts.
        after: how many matching requests are spared first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    timed: ClassVar[frozenset[str]] = frozenset()

    kind: Kind
    probability: Annotated[float, Field(ge=0, le=1)] = 1.0
    times: Annotated[int, Field(ge=1)] | None = None
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    after: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _only_timed_kinds_have_seconds(self) -> Self:
        if self.seconds is not None and self.kind not in self.timed:
            raise ValueError(f"seconds belongs to {' and '.join(sorted(self.timed))} only")
        return self


class Fault(BaseFault[FaultKind]):
    """One fault of SerpApi.

    `latency` lasts 1 second unless told otherwise, `hang` for ever. Searches with a sound key and
    sound parameters match; for kinds that change rows, only those of the list engine, and for
    `duplicates`, only those for a later page.
    """

    timed = frozenset({FaultKind.LATENCY, FaultKind.HANG})


AnyFault = TypeVar("AnyFault", bound="BaseFault[Any]")


@dataclass
class ArmedFault(Generic[AnyFault]):
    """A fault with what it has done so far."""

    fault: AnyFault
    matched: int = 0
    fired: int = 0

    @property
    def is_over(self) -> bool:
        return self.fault.times is not None and self.fired >= self.fault.times

    def fires(self, chance: random.Random) -> bool:
        """Whether it hits the next matching request; counts both."""
        self.matched += 1
        if self.is_over or self.matched <= self.fault.after:
            return False
        hit = self.fault.probability >= 1 or chance.random() < self.fault.probability
        self.fired += hit
        return hit


@dataclass(frozen=True)
class Hit:
    """What the faults do to one search: a wait, then an end of it or changes to its rows."""

    wait: float = 0.0
    end: Fault | None = None
    changes: frozenset[FaultKind] = field(default_factory=frozenset)


class BaseFaultBox(Generic[AnyFault]):
    """The faults of a service in a running sandbox; the same seed hits the same requests."""

    def __init__(self, faults: Iterable[AnyFault], seed: int) -> None:
        self._seed = seed
        self.replace(faults)

    def replace(self, faults: Iterable[AnyFault]) -> None:
        """Switch on these instead of the present ones; counting starts anew."""
        self.armed = [ArmedFault(fault) for fault in faults]
        self._chance = random.Random(self._seed)  # noqa: S311 - repeatable chance is the point


class FaultBox(BaseFaultBox[Fault]):
    """The faults of SerpApi."""

    def replace(self, faults: Iterable[Fault]) -> None:
        super().replace(faults)
        self._refusal: FaultKind | None = None

    def draw(self, *, later_page: bool, details: bool = False) -> Hit:
        """Which faults hit a search. The first that ends it wins; those behind it sit this out."""
        wait, changes = 0.0, set[FaultKind]()
        for armed in self.armed:
            fault = armed.fault
            if fault.kind is FaultKind.DUPLICATES and not later_page:
                continue
            if fault.kind in CONTENT_FAULTS and details:
                continue
            if not armed.fires(self._chance):
                continue
            if fault.kind is FaultKind.LATENCY:
                wait += _DEFAULT_LATENCY if fault.seconds is None else fault.seconds
            elif fault.kind in CONTENT_FAULTS:
                changes.add(fault.kind)
            else:
                if fault.kind in _REFUSALS:
                    self._refusal = fault.kind
                return Hit(wait=wait, end=fault)
        return Hit(wait=wait, changes=frozenset(changes))

    def note_success(self) -> None:
        """A search went well: a refusal whose fault is over no longer shows in the account."""
        if not any(a.fault.kind is self._refusal and not a.is_over for a in self.armed):
            self._refusal = None

    @property
    def refusal(self) -> FaultKind | None:
        """The 429 that the account has to agree with: the last, until a search succeeds again."""
        return self._refusal
