"""Bounds of numbers and texts, each once: for flows, commands, settings, blocks and values.

A bound is put on a type (`Annotated[int, MAX_PAGES]`), where pydantic validates it and Prefect's
form shows it; a command gives it to its option (`min=MAX_PAGES.least, max=MAX_PAGES.most`).
"""

from dataclasses import dataclass
from math import inf
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from adspark.errors import InvalidQueryError

LARGEST_ID = 2**31 - 1
"""What a column of whole numbers holds."""

_DAY = 86_400  # seconds
_LONGEST_SHOWN = 10**30


class _Bound:
    """An annotation of a type; None, where the type allows it, is within all bounds."""

    def problem_of(self, value: Any) -> str | None:  # noqa: ANN401  (what its type allows)
        """What is wrong with a value; None where nothing is."""
        raise NotImplementedError

    def in_schema(self) -> dict[str, Any]:
        """The bounds as JSON Schema has them."""
        raise NotImplementedError

    def check(self, field: str, value: Any) -> None:  # noqa: ANN401
        """Raise InvalidQueryError, which names the field, for a value that is out of bounds."""
        if problem := self.problem_of(value):
            raise InvalidQueryError(field, f"{problem}.")

    def _validate(self, value: Any) -> Any:  # noqa: ANN401
        if problem := self.problem_of(value):
            raise PydanticCustomError("out_of_bounds", "{problem}", {"problem": problem})
        return value

    def __get_pydantic_core_schema__(
        self,
        source: Any,  # noqa: ANN401
        handler: GetCoreSchemaHandler,
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._validate, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """One plain field in a form, also for what may be left empty."""
        made: dict[str, Any] = dict(handler(schema))
        choices = [one for one in made.pop("anyOf", []) if one.get("type") != "null"]
        return {**made, **(choices[0] if choices else {}), **self.in_schema()}


@dataclass(frozen=True)
class Range(_Bound):
    """From the least to the most, both included; neither infinite nor not a number."""

    least: float
    most: float

    def problem_of(self, value: float | None) -> str | None:
        if value is None or self.least <= value <= self.most:
            return None
        return f"must be {self._describe(value)}, not {_shown(value)}"

    def _describe(self, value: float) -> str:
        # A column's end is no news for a value that is too small.
        if self.most == LARGEST_ID and value < self.least:
            return f"{self.least:g} or more"
        return f"{_plain(self.least)} to {_plain(self.most)}"

    def in_schema(self) -> dict[str, Any]:
        return {"minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class Length(_Bound):
    """So many characters at most."""

    most: int

    def problem_of(self, value: str | None) -> str | None:
        if value is None or len(value) <= self.most:
            return None
        return f"has {len(value)} characters; shorten it to {self.most}"

    def in_schema(self) -> dict[str, Any]:
        return {"maxLength": self.most}


def _shown(value: float) -> str:
    is_long = abs(value) > _LONGEST_SHOWN and abs(value) != inf
    return "one of more than 30 digits" if is_long else str(value)


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


ID = Range(1, LARGEST_ID)
"""Of a user, workspace, watch or variant."""

MAX_PAGES = Range(1, 1000)
"""Of one fetch; more ads than any advertiser shows at once."""

PAGE_SIZE = Range(1, 100)
WATCH_PAGES = Range(1, 100)
INTERVAL_MINUTES = Range(5, 43_200)
MONTHLY_BUDGET = Range(0, LARGEST_ID)
ENDED_AFTER_DAYS = Range(1, 365)
DETAILS_PER_SWEEP = Range(0, 100)
DETAILS_AT_ONCE = Range(1, 100)
DAYS = Range(1, 36_500)
"""For which something is kept."""

SEARCHES = Range(0, LARGEST_ID)
WATCHES_AT_ONCE = Range(1, 10_000)
"""Of a user, in a simulation."""

USER_WEIGHT = Range(1, 100)
"""Of a user, in the sharing of searches."""

VARIANTS_UNDER_WAY = Range(1, 1000)
RATING = Range(1, 5)
SECONDS = Range(0, 366 * _DAY)
SILENCE = Range(60, 366 * _DAY)
"""Seconds without a sign of life: a living run gives one every 30 s, and one may be late."""

TIME_LIMIT = Range(0.001, 7 * _DAY)
"""Seconds for one piece of work."""

RATE = Range(1, 100_000)
"""A minute."""

RUNS = Range(1, 10_000)
"""At once."""

PORT = Range(1, 65_535)
TEXT = Length(500)
"""What a person writes on one line."""

COMMENT = Length(5000)
PROMPT = Length(20_000)
AD_ID = Length(300)  # or the address of its page

Id = Annotated[int, ID]
Days = Annotated[int, DAYS]
TimeLimit = Annotated[float, TIME_LIMIT]
Port = Annotated[int, PORT]
