"""What a watch looks for, how often and at what cost, as a checked value."""

import unicodedata
from collections.abc import Collection, Iterable
from typing import TypedDict

from pydantic import BaseModel, ConfigDict

from adspark.errors import InvalidQueryError
from adspark.models import DEFAULT_USER, CreativeFormat, Platform, Watch
from adspark.serpapi.search_query import CreativeQuery, parse_query
from adspark.validation.bounds import (
    DETAILS_PER_SWEEP,
    ENDED_AFTER_DAYS,
    ID,
    INTERVAL_MINUTES,
    MONTHLY_BUDGET,
    WATCH_PAGES,
)
from adspark.validation.names import clean_name

CLEARABLE = ("advertiser_ids", "text", "region", "platform", "creative_format", "monthly_budget")
"""Fields that may be empty, so that a change may have to empty them."""

_LONGEST_NAME = 100
_RANGES = {
    "user_id": ID,
    "interval_minutes": INTERVAL_MINUTES,
    "max_pages": WATCH_PAGES,
    "monthly_budget": MONTHLY_BUDGET,
    "ended_after_days": ENDED_AFTER_DAYS,
    "details_per_sweep": DETAILS_PER_SWEEP,
}
_NOTHING: tuple[object, ...] = (None, "", [], ())  # what a form sends of a field left alone
_MINUTES_A_MONTH = 43_200
_CACHED_FOR = 60  # minutes that SerpApi gives the same search the same answer
# Control characters, halves of characters, breaks of lines and paragraphs.
_NOT_ON_A_LINE = {"Cc", "Cs", "Zl", "Zp"}


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
        return CreativeQuery(
            advertiser_ids=self.advertiser_ids,
            text=self.text,
            region=self.region,
            platform=self.platform,
            creative_format=self.creative_format,
            political_ads=self.political_ads,
        )

    @property
    def cost(self) -> str:
        """What it costs at most, in a line for a person."""
        checks = _MINUTES_A_MONTH // self.interval_minutes
        details = f" + {self.details_per_sweep} details" if self.details_per_sweep else ""
        most = (self.max_pages + self.details_per_sweep) * checks
        pages = "1 page" if self.max_pages == 1 else f"{self.max_pages} pages"
        budget = "none" if self.monthly_budget is None else f"{self.monthly_budget:,}"
        return (
            f"at most {most:,} searches a month ({pages}{details} × "
            f"{checks:,} checks), budget {budget}"
        )


class WatchChanges(TypedDict, total=False):
    """Some words of `parse_watch`, as people give them; None is a word that was not given."""

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


def parse_watch(
    *,
    name: str,
    user_id: int = DEFAULT_USER,
    advertiser_ids: str | Iterable[str] | None = None,
    text: str | None = None,
    region: str | int | None = None,
    platform: str | None = None,
    creative_format: str | None = None,
    political_ads: bool = False,
    is_active: bool = True,
    interval_minutes: int = 60,
    max_pages: int = 5,
    monthly_budget: int | None = None,
    ended_after_days: int = 7,
    details_per_sweep: int = 0,
) -> tuple[WatchDefinition, list[str]]:
    """Check and normalise a watch as people write it.

    Returns:
        The definition, and warnings about what was changed or will probably find nothing.

    Raises:
        InvalidQueryError: a field cannot be used; names it and the remedy.
    """
    numbers = {
        "user_id": user_id,
        "interval_minutes": interval_minutes,
        "max_pages": max_pages,
        "monthly_budget": monthly_budget,
        "ended_after_days": ended_after_days,
        "details_per_sweep": details_per_sweep,
    }
    for field, number in numbers.items():
        _RANGES[field].check(field, number)
    named = check_name(name)
    _check_line("text", text or "")
    query, warnings = parse_query(
        advertiser_ids=advertiser_ids,
        text=text,
        region=region,
        platform=platform,
        creative_format=creative_format,
        political_ads=political_ads,
    )
    if monthly_budget == 0:
        warnings.append(
            "monthly_budget: at 0 it is never checked; to let it rest for a time, pause it instead."
        )
    if interval_minutes < _CACHED_FOR:
        warnings.append(
            "interval_minutes: SerpApi answers the same search from its cache for an hour; looked "
            "at more often it shows nothing new."
        )
    search = query.model_dump(exclude={"start_date", "end_date", "page_size"})
    return WatchDefinition(name=named, is_active=is_active, **numbers, **search), warnings


def change_definition(
    present: WatchDefinition | None, changes: WatchChanges, clear: Collection[str] = ()
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
    words = {} if present is None else present.model_dump()
    words |= given | dict.fromkeys(clear)
    return parse_watch(**{"name": "", **words})


def definition_of(watch: Watch) -> WatchDefinition:
    """The definition of a stored watch."""
    fields = {field: getattr(watch, field) for field in WatchDefinition.model_fields}
    return WatchDefinition.model_validate(fields)


def check_name(name: str) -> str:
    """A watch's name as it is kept: without blanks and invisible characters around it.

    Raises:
        InvalidQueryError: it is empty, too long or holds control characters.
    """
    _check_line("name", name)
    stripped = clean_name(name)
    if not stripped:
        raise InvalidQueryError("name", "is empty; name the watch.")
    if len(stripped) > _LONGEST_NAME:
        raise InvalidQueryError(
            "name", f"has {len(stripped)} characters; shorten it to {_LONGEST_NAME}."
        )
    return stripped


def _check_line(field: str, written: str) -> None:
    for character in written.strip():
        if unicodedata.category(character) in _NOT_ON_A_LINE:
            raise InvalidQueryError(
                field, f"holds a control character ({character!a}); write it on one line without."
            )
