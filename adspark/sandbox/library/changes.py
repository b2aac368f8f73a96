"""Changes to the ads of a running sandbox, as tests ask for them: remove, add, alter."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from adspark.sandbox.library.catalogue import FAR_FUTURE, Row
from adspark.sandbox.library.recorded import drop_nonces

_LARGEST_SIDE = 20_000  # pixels

_AdvertiserId = Annotated[str, Field(pattern=r"^AR[0-9]{20}$")]
_CreativeId = Annotated[str, Field(pattern=r"^CR[0-9]{20}$")]
_Text = Annotated[str, Field(min_length=1)]
_Address = Annotated[str, Field(pattern=r"^(/|https?://)")]
_Side = Annotated[int, Field(ge=1, le=_LARGEST_SIDE)]
_Count = Annotated[int, Field(ge=0)]
_Moment = Annotated[int, Field(ge=0, lt=FAR_FUTURE)]
_Format = Literal["text", "image", "video"]


class AlteredRow(BaseModel):
    """Fields of a row of `ad_creatives[]` and their new values; None drops a field.

    Addresses stay as they are given; one that begins with `/` lies on the sandbox itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    advertiser: _Text | None = None
    format: _Format | None = None
    image: _Address | None = None
    link: _Address | None = None
    width: _Side | None = None
    height: _Side | None = None
    target_domain: _Text | None = None
    total_days_shown: _Count | None = None
    first_shown: _Moment | None = None
    last_shown: _Moment | None = None
    details_link: _Address | None = None
    serpapi_details_link: _Address | None = None
    minimum_views_count: _Count | None = None
    maximum_views_count: _Count | None = None
    minimum_budget_spent: _Text | None = None
    maximum_budget_spent: _Text | None = None

    @field_validator("advertiser", "format")
    @classmethod
    def _stays(cls, value: str | None) -> str:
        if value is None:
            raise ValueError("every row has one, so it cannot be dropped")
        return value

    @field_validator("link")
    @classmethod
    def _has_no_nonces(cls, value: str | None) -> str | None:
        return value and drop_nonces(value)


class AddedRow(AlteredRow):
    """A row of `ad_creatives[]`; its `target_domain` decides which text finds it."""

    advertiser_id: _AdvertiserId
    ad_creative_id: _CreativeId
    advertiser: _Text
    format: _Format


class RemoveAd(BaseModel):
    """Takes an ad out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Literal["remove"]
    ad_creative_id: _CreativeId

    def apply(self, _: Row) -> None:
        """Nothing is left of the row."""


class AddAd(BaseModel):
    """Puts an ad in, instead of one with the same creative id if there is one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Literal["add"]
    row: AddedRow

    @property
    def ad_creative_id(self) -> str:
        return self.row.ad_creative_id

    def apply(self, _: Row) -> Row:
        """The new row."""
        return self.row.model_dump(exclude_none=True)


class AlterAd(BaseModel):
    """Gives fields of an ad other values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Literal["alter"]
    ad_creative_id: _CreativeId
    row: AlteredRow

    def apply(self, row: Row) -> Row:
        """The row with the new values."""
        changed = row | self.row.model_dump(exclude_unset=True)
        return {name: value for name, value in changed.items() if value is not None}


Change = Annotated[RemoveAd | AddAd | AlterAd, Field(discriminator="action")]
CHANGES = TypeAdapter(list[Change])
