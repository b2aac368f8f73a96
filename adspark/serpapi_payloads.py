"""What SerpApi sends, parsed at the door: rows, pages and the account."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from adspark.models import CreativeFormat

# Made anew by Google for every answer; kept, they would make every video look changed every time.
_NONCES = {"htmlParentId", "responseCallback"}
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LARGEST_SIDE = 20_000  # pixels
_EPOCH_OF_2000 = 946_684_800
_EPOCH_OF_2200 = 7_258_118_400


def _storable(text: str) -> str:
    """Refuse what no text of a database can hold: NUL, and halves of a character."""
    if _UNSTORABLE.search(text):
        raise ValueError("holds a NUL or half a character, which no database text can")
    return text


def _http_address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("is not an http(s) address")
    return text


def _from_epoch(value: object) -> object:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("is not a whole number of seconds since 1970")
    if not _EPOCH_OF_2000 <= value <= _EPOCH_OF_2200:
        raise ValueError("is not a time between 2000 and 2200")
    return datetime.fromtimestamp(value, UTC)


def _without_nonces(link: str) -> str:
    parts = urlsplit(link)
    if not _NONCES & set(re.findall(r"[?&](\w+)=", f"?{parts.query}")):
        return link
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k not in _NONCES]
    return urlunsplit(parts._replace(query=urlencode(kept)))


_Text = Annotated[str, AfterValidator(_storable)]
_Address = Annotated[_Text, AfterValidator(_http_address)]
_Moment = Annotated[datetime | None, BeforeValidator(_from_epoch)]
_Side = Annotated[int, Field(ge=1, le=_LARGEST_SIDE)]
_Count = Annotated[int, Field(ge=0, lt=2**63)]


class CreativePayload(BaseModel):
    """A row of `ad_creatives[]`; fields that we do not know are passed over.

    Times come as epoch seconds and leave as aware UTC; `link` leaves without its nonces.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    advertiser_id: Annotated[str, Field(pattern=r"^AR\d{20}$")]
    advertiser: _Text = ""
    ad_creative_id: Annotated[str, Field(pattern=r"^CR\d{20}$")]
    format: CreativeFormat
    image: _Address | None = None
    link: Annotated[_Address, AfterValidator(_without_nonces)] | None = None
    width: _Side | None = None
    height: _Side | None = None
    target_domain: _Text | None = None
    first_shown: _Moment = None
    last_shown: _Moment = None
    total_days_shown: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    details_link: _Address | None = None
    minimum_views_count: _Count | None = None
    maximum_views_count: _Count | None = None
    minimum_budget_spent: _Text | None = None
    maximum_budget_spent: _Text | None = None


class RejectedPayload(BaseModel):
    """A row that could not be parsed, as it came, with the reason."""

    payload: Any
    reason: str


class Search(BaseModel):
    """One answered search: SerpApi's id, and how old the answer was when it came (seconds)."""

    id: str
    age: float


class SearchPage(BaseModel):
    """One page of creatives, newest last_shown first, with what it took to get it.

    `broke_off` says that it was empty although more was promised, so the end may not be the end.
    """

    searches: list[Search]
    rows: list[CreativePayload] = Field(default_factory=list)
    rejected: list[RejectedPayload] = Field(default_factory=list)
    next_page_token: str | None = None
    total_results: int | None = None
    broke_off: bool = False
    sandbox: bool = False

    @property
    def oldest_shown(self) -> datetime | None:
        """The earliest last_shown on the page."""
        return min((row.last_shown for row in self.rows if row.last_shown), default=None)

    @property
    def is_empty(self) -> bool:
        """Whether the page holds nothing at all, not even rows that were rejected."""
        return not self.rows and not self.rejected


class AccountPayload(BaseModel):
    """The account; all but two figures may be missing. The key that it echoes is not kept."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    plan_name: str | None = None
    searches_per_month: int | None = None
    total_searches_left: int | None = None
    this_month_usage: int | None = None
    this_hour_searches: int | None = None
    last_hour_searches: int | None = None
    account_rate_limit_per_hour: int | None = None


def parse_rows(rows: list[Any]) -> tuple[list[CreativePayload], list[RejectedPayload]]:
    """Rows that can be stored, each creative once, and those that cannot, with the reason."""
    good: dict[str, CreativePayload] = {}
    rejected: list[RejectedPayload] = []
    for row in rows:
        try:
            payload = CreativePayload.model_validate(row)
        except ValidationError as error:
            rejected.append(RejectedPayload(payload=row, reason=_reason(error)))
        else:
            good.setdefault(payload.ad_creative_id, payload)
    return list(good.values()), rejected


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "row"
    return f"{where}: {first['msg']}"
