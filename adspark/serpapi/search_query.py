"""A search as a checked value: everything that can be wrong is found before anything is spent."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict

from adspark.errors import InvalidQueryError
from adspark.models import CreativeFormat, Platform
from adspark.serpapi.regions import region_code, region_short
from adspark.validation.bounds import PAGE_SIZE, TEXT
from adspark.validation.names import check_line, clean_name
from adspark.validation.stored import find_advertiser_id

if TYPE_CHECKING:
    from tldextract import TLDExtract

MAX_PAGE_SIZE = 100

_MOST_ADVERTISERS = 100  # of one search; more make an address that servers do not take
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2100, 1, 1)  # older than the Transparency Center

_LONGEST_DOMAIN = 253  # characters (RFC 1035); making ASCII of far longer ones takes minutes
_HOST = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+")
_BLANK = re.compile(r"\s")
_Choice = TypeVar("_Choice", bound=StrEnum)


@cache
def _suffixes() -> "TLDExtract":
    """The public suffix list that the package carries; never fetched, so no search waits for it."""
    from tldextract import TLDExtract  # noqa: PLC0415  (slow)

    return TLDExtract(suffix_list_urls=(), cache_dir=None)


class CreativeQuery(BaseModel):
    """One search of the Transparency Center. Make it with `parse_query`.

    `region` is a SerpApi code; `page_size` counts creatives a page, 1 to 100, at the same price.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    advertiser_ids: tuple[str, ...] = ()
    text: str | None = None
    region: str | None = None
    platform: Platform | None = None
    creative_format: CreativeFormat | None = None
    start_date: date | None = None
    end_date: date | None = None
    political_ads: bool = False
    page_size: int = MAX_PAGE_SIZE

    @property
    def hash(self) -> str:
        """The same for the same search, whatever order its advertisers were given in."""
        plain = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(plain.encode()).hexdigest()

    def describe(self) -> str:
        """The search in a few words for a person."""
        parts = [*self.advertiser_ids, *([self.text] if self.text else [])]
        named = {k: v for k, v in self.model_dump(mode="json", exclude_none=True).items() if v}
        if self.region:
            named["region"] = region_short(self.region)
        shown = ("region", "platform", "creative_format", "start_date", "end_date", "political_ads")
        return " ".join([*parts, *(f"{key}={named[key]}" for key in shown if key in named)])


def parse_query(
    *,
    advertiser_ids: str | Iterable[str] | None = None,
    text: str | None = None,
    region: str | int | None = None,
    platform: str | None = None,
    creative_format: str | None = None,
    start_date: date | None = None,
    end_date: date | None = None,
    political_ads: bool = False,
    page_size: int = MAX_PAGE_SIZE,
) -> tuple[CreativeQuery, list[str]]:
    """The search that people write, normalised, and warnings about what finds little.

    Args:
        advertiser_ids: AR and 20 digits each, at most 100; in one text divided by commas.
        text: a domain or an address, of which the bare domain is kept; other words stay as they
            are.
        region: a name, a country code or a SerpApi code.
        platform: a value of `Platform`, in any case of letters.
        creative_format: a value of `CreativeFormat`, in any case of letters.
        start_date: first day that an ad was shown.
        end_date: last day, that day included.
        political_ads: only these; they need a region.
        page_size: ads a page, 1 to 100.

    Raises:
        InvalidQueryError: a parameter cannot be used; names it and the remedy.
    """
    ids = _advertiser_ids(advertiser_ids)
    domain, warnings = _domain(text)
    if not ids and domain is None:
        raise InvalidQueryError(
            "advertiser_ids", "give at least one advertiser id, or text (a bare domain)."
        )
    if region is not None:
        TEXT.check("region", str(region)[: 2 * TEXT.most])
    code = region_code(str(region)) if region not in (None, "") else None
    if political_ads and code is None:
        raise InvalidQueryError("political_ads", "political ads need a region; give one.")
    PAGE_SIZE.check("page_size", page_size)
    _check_dates(start_date, end_date)
    query = CreativeQuery(
        advertiser_ids=ids,
        text=domain,
        region=code,
        platform=_choice("platform", Platform, platform),
        creative_format=_choice("creative_format", CreativeFormat, creative_format),
        start_date=start_date,
        end_date=end_date,
        political_ads=political_ads,
        page_size=page_size,
    )
    return query, warnings


def find_bare_domain(written: str) -> str | None:
    """The bare domain in a domain or an address, as example.com; None where there is none."""
    domain: str = _suffixes()(written.lower()).top_domain_under_public_suffix
    if len(domain) > _LONGEST_DOMAIN:
        return None
    try:
        encoded = domain.encode("idna").decode()
    except UnicodeError:  # not a name that there can be
        return None
    is_name = _HOST.fullmatch(encoded) and all(map(_is_of_name, domain))
    return domain if is_name and not _BLANK.search(written.strip()) else None


def _is_of_name(character: str) -> bool:
    """Whether it may stand in the name of a host: a letter of any script, a figure, no symbol."""
    return character in ".-" or unicodedata.category(character)[0] in "LMN"


def _advertiser_ids(given: str | Iterable[str] | None) -> tuple[str, ...]:
    parts = [given] if isinstance(given, str) else list(given or ())
    written = [one for part in parts for one in map(clean_name, part.split(",")) if one]
    ids = set(map(_advertiser_id, written))
    if len(ids) > _MOST_ADVERTISERS:
        raise InvalidQueryError(
            "advertiser_ids", f"{len(ids)} of them; at most {_MOST_ADVERTISERS} in one search."
        )
    return tuple(sorted(ids))


def _advertiser_id(written: str) -> str:
    if found := find_advertiser_id("advertiser_ids", written):
        return found
    raise InvalidQueryError(
        "advertiser_ids",
        f"{written!r} is not an advertiser id: AR and 20 digits, as in the address of the "
        f"advertiser's page at adstransparency.google.com.",
    )


def _domain(text: str | None) -> tuple[str | None, list[str]]:
    if text is None or not (written := clean_name(text)):
        return None, []
    check_line("text", written)
    TEXT.check("text", written)
    domain = find_bare_domain(written)
    if domain is None:
        return written, [
            f"text: {written!r} is not a domain; SerpApi finds ads by a bare domain such as "
            f"example.com, other words usually find nothing."
        ]
    if domain == written:
        return domain, []
    return domain, [f"text: searching for {domain!r}, since only a bare domain finds ads."]


def _choice(field: str, choices: type[_Choice], given: str | None) -> _Choice | None:
    if given is None or not given.strip():
        return None
    for choice in choices:
        if choice.value.lower() == given.strip().lower():
            return choice
    raise InvalidQueryError(field, f"{given!r} is not one of {', '.join(choices)}.")


def _check_dates(start: date | None, end: date | None) -> None:
    for field, day in (("start_date", start), ("end_date", end)):
        if day and not _FIRST_DAY <= day <= _LAST_DAY:
            raise InvalidQueryError(field, f"must be {_FIRST_DAY} to {_LAST_DAY}, not {day}.")
    if start and end and end < start:
        raise InvalidQueryError("end_date", f"{end} lies before start_date {start}; swap them.")
    # A day ahead of UTC is today somewhere.
    if start and start > datetime.now(UTC).date() + timedelta(days=1):
        raise InvalidQueryError("start_date", f"{start} lies in the future; nothing can match.")
