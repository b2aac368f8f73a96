"""Types of the fields in what SerpApi sends: times, addresses, whole numbers and bounded texts."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

AHEAD = timedelta(days=1)
"""How far a day may lie in the future: a day ahead of UTC is today somewhere."""

# Made anew by Google for every answer; kept, they would make every video look changed every time.
_NONCES = {"htmlParentId", "responseCallback"}
_LARGEST_SIDE = 20_000  # pixels
_LONGEST_ADDRESS = 8000  # characters; the longest recorded has 1,400
_LONGEST_NAME = 500  # characters of 4 bytes at most: an index takes 2,704 bytes
_LONGEST_DOMAIN = 253  # characters, by the rules of DNS
_LONGEST_AMOUNT = 100  # characters of an amount of money in words
_EPOCH_OF_2000 = datetime(2000, 1, 1, tzinfo=UTC)
_DAY = re.compile(r"(?:19|20)\d{6}", re.ASCII)
_EPOCH = re.compile(r"\d{9,10}", re.ASCII)
_EPOCHS = range(10**8, 10**10)
_SECONDS_UNTIL_2000 = int(_EPOCH_OF_2000.timestamp())
# Without NUL, which no text of a database can hold; halves of a character are no text to pydantic.
_STORABLE = StringConstraints(pattern=r"^[^\x00]*$")


def _http_address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("is not an http(s) address")
    return text


def moment(value: object) -> datetime | None:
    """A time of epoch seconds, which is what comes, or of a day in text, as aware UTC.

    Raises:
        ValueError: it is neither, or lies before 2000 or in the future.
    """
    if value is None:
        return None
    if type(value) is int and _SECONDS_UNTIL_2000 <= value <= time.time() + AHEAD.total_seconds():
        return datetime.fromtimestamp(value, UTC)  # as nearly all, of which a page has hundreds
    read = _read_moment(value)
    if not _EPOCH_OF_2000 <= read <= datetime.now(UTC) + AHEAD:
        raise ValueError(f"{read:%Y-%m-%d} is not between 2000 and now")
    return read


def moment_if_any(value: object) -> datetime | None:
    """The same; None where it is none."""
    try:
        return moment(value)
    except ValueError:
        return None


def _read_moment(value: object) -> datetime:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and value in _EPOCHS:
        return datetime.fromtimestamp(value, UTC)
    written = str(value).strip() if isinstance(value, int | str) else ""
    try:
        if isinstance(value, bool) or not written:
            raise ValueError
        if _DAY.fullmatch(written):
            return datetime.strptime(written, "%Y%m%d").replace(tzinfo=UTC)
        if _EPOCH.fullmatch(written):
            return datetime.fromtimestamp(int(written), UTC)
        read = datetime.fromisoformat(written)
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError("is neither seconds since 1970 nor a day") from None


def whole(value: object) -> object:
    """Refuse what pydantic would take for a number and is none: true and false."""
    if isinstance(value, bool):
        raise ValueError("is not a number")
    return value


def _cut(most: int) -> AfterValidator:
    return AfterValidator(lambda text: text.strip()[:most].strip())


def _without_nonces(link: str) -> str:
    parts = urlsplit(link)
    if not any(name in parts.query for name in _NONCES):
        return link
    sent = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in sent if name not in _NONCES]
    return link if kept == sent else urlunsplit(parts._replace(query=urlencode(kept)))


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


Name = Annotated[str, _STORABLE, _cut(_LONGEST_NAME)]
Domain = Annotated[str, _STORABLE, _cut(_LONGEST_DOMAIN), Field(min_length=1)]
Amount = Annotated[str, _STORABLE, _cut(_LONGEST_AMOUNT), Field(min_length=1)]
Address = Annotated[
    str, Field(max_length=_LONGEST_ADDRESS), _STORABLE, AfterValidator(_http_address)
]
Link = Annotated[Address, AfterValidator(_without_nonces)]
Moment = Annotated[datetime | None, BeforeValidator(moment)]
Side = Annotated[int, BeforeValidator(whole), Field(ge=1, le=_LARGEST_SIDE)]
Days = Annotated[int, BeforeValidator(whole), Field(ge=0, le=36_600)]
Count = Annotated[int, BeforeValidator(whole), Field(ge=0, lt=2**63)]
Lower = BeforeValidator(_lower)
