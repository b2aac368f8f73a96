"""The parts of what is stored about an ad: details, regions, events, pictures, variants."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from adspark.models import EventKind, PictureStatus, ReadingStatus, VariantStatus
from adspark.serpapi.regions import region_name


class AdDetails(BaseModel):
    """What was bought of an ad."""

    answered_at: datetime | None
    headline: str | None
    snippet: str | None
    call_to_action: str | None
    landing_url: str | None
    funded_by: str | None
    variations: list[dict[str, Any]]
    searches_billed: int
    searches_cached: int
    error: str | None
    is_claimed: bool = Field(default=False, description="It is being looked up just now.")


class AdRegion(BaseModel):
    """A country that the ad was shown in."""

    region: str = Field(description="SerpApi code.")
    first_shown: date | None
    last_shown: date | None
    times_shown: str | None

    @property
    def name(self) -> str:
        """The country's name."""
        return region_name(self.region)


class AdEvent(BaseModel):
    """What a watch noticed of the ad."""

    kind: EventKind
    occurred_at: datetime
    watch_id: int
    watch: str
    content_hash: str = Field(description="Of the version that it was then.")


class AdWatch(BaseModel):
    """A watch that found the ad."""

    id: int
    name: str
    first_matched_at: datetime
    last_matched_at: datetime
    ended_at: datetime | None


class AdVariantLine(BaseModel):
    """A variant of the ad; `image_path` and `thumbnail_path` are the places of its picture in the
    media store."""

    id: int
    status: VariantStatus
    title: str | None
    description: str | None = Field(description="The copy.")
    image_path: str | None
    thumbnail_path: str | None
    is_approved: bool | None = Field(
        description="By who decided last; False: rejected. None: open."
    )
    requested_at: datetime


class AdNote(BaseModel):
    """A note on the ad that another user shares."""

    user_id: int
    user: str | None = Field(description="Name of the user.")
    note: str


class AdPicture(BaseModel):
    """A version of the ad's picture, with the words that were read from it.

    `path` and `thumbnail` are its places in the media store, where it is kept.
    """

    is_current: bool
    content_hash: str = Field(description="Of the version, as events name it.")
    status: PictureStatus
    path: str | None
    thumbnail: str | None
    width: int | None
    height: int | None
    first_seen_at: datetime
    failure: str | None
    reading: ReadingStatus | None = Field(description="How far it is; None: it is not wanted.")
    lines: list[str] = Field(description="That were read, from top to bottom.")
    language: str | None
    confidence: float | None = Field(description="From 0 to 1.")
