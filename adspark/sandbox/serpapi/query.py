"""The parameters of a search, checked as SerpApi checks them."""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from adspark.serpapi.regions import REGIONS

ENGINE = "google_ads_transparency_center"
DETAILS_ENGINE = "google_ads_transparency_center_ad_details"
DEFAULT_PAGE_SIZE = 40
PLATFORMS = ("PLAY", "MAPS", "SEARCH", "SHOPPING", "YOUTUBE")
FORMATS = ("text", "image", "video")

_MAX_PAGE_SIZE = 100
_CONTROL = {"engine", "api_key", "no_cache", "async", "output"}
_KNOWN = {
    ENGINE: _CONTROL | {
        "advertiser_id", "text", "region", "platform", "political_ads", "start_date", "end_date",
        "creative_format", "num", "next_page_token",
    },
    DETAILS_ENGINE: _CONTROL | {"advertiser_id", "creative_id", "region"},
}  # fmt: skip


class RefusedError(Exception):
    """A search that is answered with an error status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Query:
    """What is searched for, without how it is paged. Times are epoch seconds."""

    advertiser_ids: tuple[str, ...] = ()
    text: str | None = None
    region: str | None = None
    platform: str | None = None
    creative_format: str | None = None
    start: int | None = None
    end: int | None = None
    political: bool = False

    def overlaps(self, first_shown: int | None, last_shown: int | None) -> bool:
        """Whether an ad shown in this span was shown between start and end."""
        if self.start is None and self.end is None:
            return True
        if first_shown is None or last_shown is None:
            return False
        starts_in_time = self.end is None or first_shown <= self.end
        return starts_in_time and (self.start is None or last_shown >= self.start)


@dataclass(frozen=True)
class DetailsQuery:
    """Whose details are asked for. The region makes no difference to the sandbox's answers."""

    advertiser_id: str
    creative_id: str


def parse_query(params: Mapping[str, str]) -> Query:
    """The search that these parameters ask for.

    Raises:
        RefusedError: a parameter is missing or cannot be used.
    """
    _check_control(params)
    ids = tuple(sorted({one.strip() for one in params.get("advertiser_id", "").split(",")} - {""}))
    text = params.get("text", "").strip()
    if not ids and not text:
        raise RefusedError(400, "Missing query `advertiser_id` parameter.")
    political = _flag(params, "political_ads")
    region = _choice(params, "region", REGIONS)
    if political and region is None:
        raise RefusedError(400, "`political_ads` parameter requires `region` parameter.")
    return Query(
        advertiser_ids=ids,
        text=text or None,
        region=region,
        platform=_choice(params, "platform", PLATFORMS),
        creative_format=_choice(params, "creative_format", FORMATS),
        start=_date(params, "start_date"),
        end=_date(params, "end_date"),
        political=political,
    )


def parse_details_query(params: Mapping[str, str]) -> DetailsQuery:
    """The ad that these parameters ask for.

    Raises:
        RefusedError: a parameter is missing or cannot be used.
    """
    _check_control(params)
    _choice(params, "region", REGIONS)
    return DetailsQuery(_need(params, "advertiser_id"), _need(params, "creative_id"))


def parse_page_size(params: Mapping[str, str]) -> int:
    """How many creatives a page holds."""
    given = params.get("num", str(DEFAULT_PAGE_SIZE))
    if re.fullmatch(r"[0-9]{1,9}", given) and 1 <= int(given) <= _MAX_PAGE_SIZE:
        return int(given)
    raise RefusedError(400, "`num` parameter must be an integer between 1 and 100.")


def refuse(value: str, name: str) -> RefusedError:
    """The error for a value that a parameter does not take."""
    return RefusedError(400, f"Unsupported `{value[:200]}` {name} parameter.")


def _check_control(params: Mapping[str, str]) -> None:
    engine = params.get("engine")
    if not engine:
        raise RefusedError(400, "Missing query `engine` parameter.")
    if engine not in _KNOWN:
        raise RefusedError(400, f"Unsupported `{engine[:200]}` search engine.")
    if unknown := sorted(params.keys() - _KNOWN[engine]):
        raise RefusedError(400, f"Unsupported `{unknown[0][:200]}` parameter.")
    if _flag(params, "async"):
        if _flag(params, "no_cache"):
            raise RefusedError(400, "`no_cache` and `async` parameters can't be used together.")
        raise refuse("true", "async")
    _flag(params, "no_cache")
    _choice(params, "output", ("json",))


def _need(params: Mapping[str, str], name: str) -> str:
    if given := params.get(name, "").strip():
        return given
    raise RefusedError(400, f"Missing query `{name}` parameter.")


def _choice(params: Mapping[str, str], name: str, choices: Container[str]) -> str | None:
    given = params.get(name)
    if not given:
        return None
    if given not in choices:
        raise refuse(given, name)
    return given


def _flag(params: Mapping[str, str], name: str) -> bool:
    given = params.get(name) or "false"
    if given not in ("true", "false"):
        raise refuse(given, name)
    return given == "true"


def _date(params: Mapping[str, str], name: str) -> int | None:
    given = params.get(name)
    if not given:
        return None
    if re.fullmatch(r"[0-9]{8}", given):
        try:
            return int(datetime.strptime(given, "%Y%m%d").replace(tzinfo=UTC).timestamp())
        except ValueError:
            pass
    raise refuse(given, name)
