"""What the ad-details engine sends, parsed at the door: variations, regions, who paid.

Source: https://serpapi.com/google-ads-transparency-center-ad-details-api. What a variation lacks
or spells oddly is left out; a creative's copy is never a reason to fail.
"""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from adspark.errors import ServiceRefusedError
from adspark.serpapi.payload_fields import moment_if_any
from adspark.serpapi.responses import NO_RESULTS
from adspark.text.storable import UNSTORABLE

_LONGEST_TEXT = 10_000  # characters
_MOST_VARIATIONS = 50
_MOST_PARTS = 300  # of a list: of regions there are 239
# SerpApi's words for a creative without details, and for one that it does not find.
_NO_DETAILS = (NO_RESULTS, "Failed to retrieve data")


def _day(value: object) -> date | None:
    """A day as YYYYMMDD, which is what comes, or as epoch seconds, which is documented."""
    found = moment_if_any(value)
    return found.date() if found else None


def _text(value: object) -> str | None:
    if not isinstance(value, str) or not (stripped := UNSTORABLE.sub("", value).strip()):
        return None
    return stripped[:_LONGEST_TEXT]


def _address(value: object) -> str | None:
    found = _text(value)
    return found if found and found.startswith(("http://", "https://")) else None


def _texts(value: object) -> list[str]:
    parts = value if isinstance(value, list) else []
    return [found for part in parts[:_MOST_PARTS] if (found := _text(part))]


def _objects(value: object) -> list[Any]:
    parts = value if isinstance(value, list) else []
    return [part for part in parts[:_MOST_PARTS] if isinstance(part, dict)]


_Text = Annotated[str | None, BeforeValidator(_text)]
_Texts = Annotated[list[str], BeforeValidator(_texts)]
_Address = Annotated[str | None, BeforeValidator(_address)]
_Day = Annotated[date | None, BeforeValidator(_day)]


class NoDetailsError(ServiceRefusedError):
    """There are no details of a creative."""


class VariationPayload(BaseModel):
    """One variation of a creative; only the copy and the addresses of it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    title: _Text = None
    headline: _Text = None
    long_headline: _Text = None
    snippet: _Text = None
    call_to_action: _Text = None
    visible_link: _Text = None
    link: _Address = None
    image: _Address = None
    thumbnail: _Address = None
    video_link: _Address = None
    video_duration: _Text = None
    advertiser_name: _Text = None
    address: _Text = None
    sitelink_texts: _Texts = Field(default_factory=list)
    sitelink_descriptions: _Texts = Field(default_factory=list)


class RegionPayload(BaseModel):
    """A country that the creative was shown in; days, and views as a range in words."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    region: Annotated[str, BeforeValidator(str), Field(pattern=r"^[0-9]{4,6}$")]
    first_shown: _Day = None
    last_shown: _Day = None
    times_shown: _Text = None


class DetailsPayload(BaseModel):
    """The answer for one creative."""

    funded_by: str | None = None
    regions: list[RegionPayload] = Field(default_factory=list)
    variations: list[VariationPayload] = Field(default_factory=list)

    def first(self, *fields: str) -> str | None:
        """The first text that any variation has in one of these fields."""
        texts = (getattr(one, field) for field in fields for one in self.variations)
        return next(filter(None, texts), None)


def says_no_details(error: str) -> bool:
    """Whether these words of SerpApi mean that a creative has no details."""
    return any(words in error for words in _NO_DETAILS)


def parse_details(body: dict[str, Any]) -> DetailsPayload:
    """The details in an answer that `search_information` says is one."""
    information = body["search_information"]
    regions = [
        part
        for part in _objects(information.get("regions"))
        if re.fullmatch(r"[0-9]{4,6}", str(part.get("region")))
    ]
    variations = _objects(body.get("ad_creatives"))[:_MOST_VARIATIONS]
    return DetailsPayload(
        funded_by=_text(information.get("ad_funded_by")),
        regions=[RegionPayload.model_validate(part) for part in regions],
        variations=[VariationPayload.model_validate(part) for part in variations],
    )
