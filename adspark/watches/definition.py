"""What a watch looks for, how often and at what cost, as a checked value."""

from collections.abc import Collection, Iterable, Mapping
from math import ceil
from typing import Any, TypedDict, Unpack, cast

from pydantic import BaseModel, ConfigDict

from adspark.errors import InvalidQueryError
from adspark.models import DEFAULT_USER, CreativeFormat, Platform, Watch
from adspark.serpapi.search_query import CreativeQuery, parse_query
from adspark.text.counts import counted
from adspark.validation.bounds import (
    DETAILS_PER_SWEEP,
    ENDED_AFTER_DAYS,
    ID,
    INTERVAL_MINUTES,
    MONTHLY_BUDGET,
    WATCH_PAGES,
)
from adspark.validation.names import check_line, check_name, check_new_name, name_key

CLEARABLE = ("advertiser_ids", "text", "region", "platform", "creative_format", "monthly_budget")
"""Fields that may be empty, so that a change may have to empty them."""

_RANGES = {
    "user_id": ID,
    "interval_minutes": INTERVAL_MINUTES,
    "max_pages": WATCH_PAGES,
    "monthly_budget": MONTHLY_BUDGET,
    "ended_after_days": ENDED_AFTER_DAYS,
    "details_per_sweep": DETAILS_PER_SWEEP,
}
_NOTHING: tuple[object, ...] = (None, "", [], ())  # what a form sends of a field left alone
_MINUTES_A_MONTH = 43_200  # of 30 days
SWEEP_MINUTES = 30
"""Between two sweeps as shipped: no watch is checked more often."""
CACHED_MINUTES = 60
"""In which SerpApi gives the same search the same answer."""


class WatchDefinition(BaseModel):
    """A watch as people define it. Make it with `parse_watch`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: int = DEFAULT_USER
    name: str
    advertiser_ids: tuple[str, ...] = ()
    text: str | None = None
    region: str | None = None
    platform: Platform | None = None
    creative_format: CreativeFormat | None = None
    political_ads: bool = False
    is_active: bool = True
    interval_minutes: int = 60
    max_pages: int = 5
    monthly_budget: int | None = None
    ended_after_days: int = 7
    details_per_sweep: int = 0

    @property
    def query(self) -> CreativeQuery:
        """The search."""
        return CreativeQuery(**self.model_dump(include=_SEARCHED))

    def looking_for(self, query: CreativeQuery) -> "WatchDefinition":
        """The same with another search."""
        return self.model_copy(update=query.model_dump(include=_SEARCHED))

    @property
    def checks_a_month(self) -> int:
        """Checks of 30 days, the first of them at once."""
        return count_checks(_MINUTES_A_MONTH, self.interval_minutes)

    @property
    def cost(self) -> str:
        """What it costs at most, in a line for a person."""
        # Not `checks_a_month`: a sweep may be scheduled more often than it is as shipped.
        checks = ceil(_MINUTES_A_MONTH / self.interval_minutes)
        details = f" + {self.details_per_sweep} details" if self.details_per_sweep else ""
        most = (self.max_pages + self.details_per_sweep) * checks
        pages = counted(self.max_pages, "page")
        budget = "none" if self.monthly_budget is None else f"{self.monthly_budget:,}"
        if self.monthly_budget == 0:
            return "never searched, for its budget is 0"
        return (
            f"at most {counted(most, 'search')} a month ({pages}{details} × "
            f"{counted(checks, 'look')}), budget {budget}"
        )


_SEARCHED = WatchDefinition.model_fields.keys() & CreativeQuery.model_fields.keys()


class WatchFields(TypedDict, total=False):
    """Fields of a watch as people write them; None is a field that is not given."""

    user_id: int | None
    name: str | None
    advertiser_ids: str | Iterable[str] | None
    text: str | None
    region: str | int | None
    platform: str | None
    creative_format: str | None
    political_ads: bool | None
    is_active: bool | None
    interval_minutes: int | None
    max_pages: int | None
    monthly_budget: int | None
    ended_after_days: int | None
    details_per_sweep: int | None


def count_checks(minutes: float, interval_minutes: int) -> int:
    """How many checks begin within so many minutes: the first at once, none at the very end."""
    return max(0, ceil(minutes / max(interval_minutes, SWEEP_MINUTES)))


def pick_fields(given: Mapping[str, object]) -> WatchFields:
    """The fields of a watch among what a command or a form was given, by the same names."""
    return cast(
        "WatchFields",
        {name: given[name] for name in WatchFields.__annotations__ if name in given},
    )


def parse_watch(**given: Unpack[WatchFields]) -> tuple[WatchDefinition, list[str]]:
    """The watch that people write, normalised, and warnings; what is not given has its default.

    Raises:
        InvalidQueryError: a field cannot be used; names it and the remedy.
    """
    fields: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
    for field, bounds in _RANGES.items():
        bounds.check(field, fields.get(field))
    fields["name"] = check_name(fields.get("name", ""), "watch")
    check_line("text", fields.get("text", ""))
    query, warnings = parse_query(**{k: v for k, v in fields.items() if k in _SEARCHED})
    if fields.get("monthly_budget") == 0:
        warnings.append(
            "monthly_budget: at 0 it is never checked; to let it rest for a time, pause it instead."
        )
    if fields.get("interval_minutes", CACHED_MINUTES) < CACHED_MINUTES:
        warnings.append(
            "interval_minutes: SerpApi answers the same search from its cache for an hour; checked "
            "more often it shows nothing new."
        )
    return WatchDefinition(**fields | query.model_dump(include=_SEARCHED)), warnings


def change_definition(
    present: WatchDefinition | None, changes: WatchFields, clear: Collection[str] = ()
) -> tuple[WatchDefinition, list[str]]:
    """`present` with only what is given changed and what is to be cleared emptied.

    Args:
        present: None where there is no such watch yet: everything else has its default.
        changes: what is given; None and what is empty change nothing.
        clear: names out of `CLEARABLE`.

    Raises:
        InvalidQueryError: the outcome cannot be used, or `clear` names something else.
    """
    given = {field: value for field, value in changes.items() if value not in _NOTHING}
    for field in clear:
        if field not in CLEARABLE:
            raise InvalidQueryError("clear", f"{field!r} is not one of {', '.join(CLEARABLE)}.")
        if field in given:
            raise InvalidQueryError("clear", f"{field} is given as well; leave one of them out.")
    name = str(given.get("name", ""))
    if name and (present is None or name != present.name):
        _check_given_name(name)
    before = {} if present is None else present.model_dump()
    return parse_watch(**cast("WatchFields", before | given | dict.fromkeys(clear)))


def _check_given_name(written: str) -> None:
    name = check_new_name(written, "watch")
    if name_key(name).isdecimal():
        raise InvalidQueryError(
            "name", f"{name[:40]!r} would be taken for a number; write a letter in it."
        )


def definition_of(watch: Watch) -> WatchDefinition:
    """The definition of a stored watch."""
    return WatchDefinition.model_validate(watch, from_attributes=True)
