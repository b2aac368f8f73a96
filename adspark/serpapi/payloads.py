"""What SerpApi sends, parsed at the door: rows, pages and the account."""

import hashlib
import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from adspark.models import CreativeFormat
from adspark.serpapi.payload_fields import (
    Address,
    Amount,
    Count,
    Days,
    Domain,
    Link,
    Lower,
    Moment,
    Name,
    Side,
    moment_if_any,
)
from adspark.validation.messages import describe_validation_error

LAG = timedelta(days=2)
"""How late the Transparency Center may list an ad."""

# Without them an ad is none: its key, whose it is, and how it is shown, on which its picture, its
# words and its variants depend. Any other field is left out where it cannot be read.
_REQUIRED = {"advertiser_id", "ad_creative_id", "format"}
_LONGEST_NOTE = 200  # characters on a field that was left out
_LONGEST_REJECTED = 20_000  # characters of a row that is kept although it cannot be read
_LARGEST_QUOTED = 10**40  # Python does not write a number of any length
# What moves in a row from answer to answer, so that it does not identify it.
_MOVING = {"first_shown", "last_shown", "total_days_shown", "link", "image"}


class CreativePayload(BaseModel):
    """A row of `ad_creatives[]`; fields that we do not know are passed over.

    Times come as epoch seconds and leave as aware UTC; `link` leaves without its nonces. A field
    that cannot be read is left out and named, with the reason, in `dropped_fields`.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    advertiser_id: Annotated[
        str, StringConstraints(strip_whitespace=True, pattern=r"^AR[0-9]{20}$")
    ]
    advertiser: Name = ""
    ad_creative_id: Annotated[
        str, StringConstraints(strip_whitespace=True, pattern=r"^CR[0-9]{20}$")
    ]
    format: Annotated[CreativeFormat, Lower]
    image: Address | None = None
    link: Link | None = None
    width: Side | None = None
    height: Side | None = None
    target_domain: Domain | None = None
    first_shown: Moment = None
    last_shown: Moment = None
    total_days_shown: Days | None = None
    details_link: Address | None = None
    minimum_views_count: Count | None = None
    maximum_views_count: Count | None = None
    minimum_budget_spent: Amount | None = None
    maximum_budget_spent: Amount | None = None
    dropped_fields: tuple[str, ...] | None = None


class RejectedPayload(BaseModel):
    """A row that could not be parsed, as it came, with the reason."""

    payload: Any
    reason: str

    @property
    def key(self) -> str:
        """The same for the same row in the next answer: its id, or a hash of what stays in it."""
        known = self.payload
        if isinstance(known, dict):
            stays = {name: value for name, value in known.items() if name not in _MOVING}
            known = known.get("ad_creative_id") or stays
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


class Search(BaseModel):
    """One answered search: SerpApi's id, and how old the answer was when it came (seconds)."""

    id: str
    age: float
    came_at: float = Field(default_factory=time.time)

    @property
    def age_now(self) -> float:
        """Seconds since SerpApi made it; a page may wait for further tries before it is stored."""
        return self.age + max(0.0, time.time() - self.came_at)


class SearchPage(BaseModel):
    """One page of creatives, newest last_shown first, with what it took to get it.

    `shown` has the last_shown of every row in the order that they came in, None where it is not
    known. `broke_off` says that more was promised than can be had: the page came empty, or the
    way to the next one cannot be gone.
    """

    searches: list[Search]
    rows: list[CreativePayload] = Field(default_factory=list)
    rejected: list[RejectedPayload] = Field(default_factory=list)
    shown: list[datetime | None] = Field(default_factory=list)
    next_page_token: str | None = None
    total_results: int | None = None
    broke_off: bool = False
    sandbox: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether the page holds nothing at all, not even rows that were rejected."""
        return not self.rows and not self.rejected

    def better_of(self, again: "SearchPage") -> "SearchPage":
        """This page or `again`, the same one fetched once more; with the searches of both."""
        is_better = self.is_empty or len(again.rejected) < len(self.rejected)
        better = again if is_better and not (again.is_empty and self.rejected) else self
        return better.model_copy(update={"searches": self.searches + again.searches})


def _figure(value: object) -> int | None:
    """A count of searches; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < 2**31 else None


def _plan(value: object) -> str | None:
    return value[:_LONGEST_NOTE] if isinstance(value, str) else None


_Figure = Annotated[int | None, BeforeValidator(_figure)]


class AccountPayload(BaseModel):
    """The account; all but two figures may be missing. The key that it echoes is not kept."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    plan_name: Annotated[str | None, BeforeValidator(_plan)] = None
    searches_per_month: _Figure = None
    total_searches_left: _Figure = None
    this_hour_searches: _Figure = None
    account_rate_limit_per_hour: _Figure = None


def parse_rows(rows: list[Any]) -> tuple[list[CreativePayload], list[RejectedPayload]]:
    """Rows that can be stored, each creative once, and those that cannot, with the reason."""
    good: dict[str, CreativePayload] = {}
    rejected: list[RejectedPayload] = []
    for row in rows:
        try:
            payload = _parse_row(row)
        except ValidationError as error:
            reason = next(_reasons(error, only=_REQUIRED))
            rejected.append(RejectedPayload(payload=_shortened(row), reason=reason))
        else:
            good.setdefault(payload.ad_creative_id, payload)
    return list(good.values()), rejected


def _shortened(row: Any) -> Any:  # noqa: ANN401  (whatever was sent)
    """A row as it is kept; of one that is larger than any real one, its beginning."""
    written = json.dumps(row)
    if len(written) <= _LONGEST_REJECTED:
        return row
    known = str(row.get("ad_creative_id") or "") if isinstance(row, dict) else ""
    named = {"ad_creative_id": known[:_LONGEST_NOTE]} if known else {}
    return named | {"cut_off": written[:_LONGEST_REJECTED]}


def shown_of(rows: list[Any]) -> list[datetime | None]:
    """The last_shown of each row, rejected or not; None where it is not known."""
    sent = (row.get("last_shown") if isinstance(row, dict) else None for row in rows)
    return [moment_if_any(value) for value in sent]


def _parse_row(row: Any) -> CreativePayload:  # noqa: ANN401  (whatever was sent)
    """The row, without the fields that cannot be read; ValidationError where it is none."""
    if isinstance(row, dict) and "dropped_fields" in row:
        row = {name: value for name, value in row.items() if name != "dropped_fields"}
    try:
        payload, notes = CreativePayload.model_validate(row), list[str]()
    except ValidationError as error:
        unreadable = {str(one["loc"][0]) for one in error.errors() if one["loc"]}
        if not unreadable or unreadable & _REQUIRED:
            raise
        kept = {name: value for name, value in row.items() if name not in unreadable}
        payload, notes = CreativePayload.model_validate(kept), list(_reasons(error))
    if payload.last_shown is None and not any(note.startswith("last_shown:") for note in notes):
        notes.append("last_shown: is missing")
    return payload.model_copy(update={"dropped_fields": tuple(notes)}) if notes else payload


def _reasons(error: ValidationError, *, only: set[str] | None = None) -> Iterator[str]:
    """What is wrong with each field; with `only`, with these where any of them is wrong."""
    mistakes = error.errors(include_url=False)
    chosen = [one for one in mistakes if not only or not one["loc"] or one["loc"][0] in only]
    for one in chosen or mistakes:
        where = ".".join(str(part) for part in one["loc"]) or "row"
        yield f"{where}: {describe_validation_error(one)}{_quote(one['input'])}"[
            : 2 * _LONGEST_NOTE
        ]


def _quote(sent: object) -> str:
    if isinstance(sent, str):
        return f" ({json.dumps(sent[:_LONGEST_NOTE])})"
    is_short = isinstance(sent, int | float) and abs(sent) < _LARGEST_QUOTED
    return f" ({json.dumps(sent)})" if is_short else ""
