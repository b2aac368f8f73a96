"""What `adspark ads` and `adspark advertisers` print with `--json`."""

from typing import Literal

from pydantic import Field, computed_field

from adspark.creatives.details import DetailsSummary
from adspark.export.summary import ExportSummary
from adspark.library.ads.report import AdReport
from adspark.library.ads.similar import SimilarAd
from adspark.library.advertisers.named import FoundAdvertisers
from adspark.library.advertisers.stored import AdvertiserReport, AdvertiserRow
from adspark.library.marks.tags import TagRow
from adspark.library.search.page import AdPage
from deployments.cli.ads.domain_search import DomainAdvertisers
from deployments.terminal.documents import Document


class FoundAds(Document, AdPage):
    """A page of a search."""

    SHAPE = "ads-found/1"
    COMMANDS = ("ads search",)


class AdDocument(Document, AdReport):
    """Everything that is stored about an ad."""

    SHAPE = "ad/1"
    COMMANDS = ("ads show",)

    @computed_field(description="Whether its words are known, where from, and why not.")  # type: ignore[prop-decorator]
    @property
    def words(self) -> str:
        return super().words


class SimilarAdDocument(SimilarAd):
    """An ad that is like another one, and why."""

    @computed_field(description="What the two have in common.")  # type: ignore[prop-decorator]
    @property
    def why(self) -> str:
        return super().why


class SimilarAdsDocument(Document):
    """Ads that are like one, the most alike first."""

    SHAPE = "ads-similar/1"
    COMMANDS = ("ads similar",)

    ads: list[SimilarAdDocument]
    notes: list[str] = Field(description="What could not be compared.")


class TagList(Document):
    """The tags that a user sees."""

    SHAPE = "tag-list/1"
    COMMANDS = ("ads tag",)

    tags: list[TagRow]


class TagChanged(Document):
    """A tag that ads were given, or that was taken from them."""

    SHAPE = "tag-changed/1"
    COMMANDS = ("ads tag",)

    changed: list[str] = Field(description="Ads that have it now and had it not, or the reverse.")


class MarkChanged(Document):
    """A note or title that was written or removed."""

    SHAPE = "ad-mark-changed/1"
    COMMANDS = ("ads note", "ads title")

    ad_creative_id: str
    mark: Literal["note", "title"]
    is_removed: bool


class AdsExported(Document, ExportSummary):
    """What was exported."""

    SHAPE = "ads-exported/1"
    COMMANDS = ("ads export",)

    @computed_field(description="In one line.")  # type: ignore[prop-decorator]
    @property
    def headline(self) -> str:
        return super().headline


class DetailsDocument(Document, DetailsSummary):
    """What looking up details came to."""

    SHAPE = "ads-details/1"
    COMMANDS = ("ads details",)

    ads: list[str] = Field(description="That were looked up.")
    known: int = Field(description="Of those named, with details already.")


class AdvertiserList(Document):
    """The stored advertisers."""

    SHAPE = "advertiser-list/1"
    COMMANDS = ("advertisers list",)

    advertisers: list[AdvertiserRow]


class AdvertisersFound(Document, FoundAdvertisers):
    """Advertisers of a name or domain, the best match first."""

    SHAPE = "advertisers-found/1"
    COMMANDS = ("advertisers find",)


class AdvertisersSearched(Document, DomainAdvertisers):
    """Who advertises for a domain, with `--search`."""

    SHAPE = "advertisers-searched/1"
    COMMANDS = ("advertisers find",)


class AdvertiserDocument(Document, AdvertiserReport):
    """Everything that is stored about an advertiser."""

    SHAPE = "advertiser/1"
    COMMANDS = ("advertisers show",)


class AdvertisersCompared(Document):
    """Advertisers beside each other."""

    SHAPE = "advertisers-compared/1"
    COMMANDS = ("advertisers compare",)

    advertisers: list[AdvertiserReport]
