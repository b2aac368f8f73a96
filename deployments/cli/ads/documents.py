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


class FoundAds(Document, AdPage, shape="ads-found/1", commands=("ads search",)):
    """A page of a search."""


class AdDocument(Document, AdReport, shape="ad/1", commands=("ads show",)):
    """Everything that is stored about an ad."""

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


class SimilarAdsDocument(Document, shape="ads-similar/1", commands=("ads similar",)):
    """Ads that are like one, the most alike first."""

    ads: list[SimilarAdDocument]
    notes: list[str] = Field(description="What could not be compared.")


class TagList(Document, shape="tag-list/1", commands=("ads tag",)):
    """The tags that a user sees."""

    tags: list[TagRow]


class TagChanged(Document, shape="tag-changed/1", commands=("ads tag",)):
    """A tag that ads were given, or that was taken from them."""

    changed: list[str] = Field(description="Ads that have it now and had it not, or the reverse.")


class MarkChanged(Document, shape="ad-mark-changed/1", commands=("ads note", "ads title")):
    """A note or title that was written or removed."""

    ad_creative_id: str
    mark: Literal["note", "title"]
    is_removed: bool


class AdsExported(Document, ExportSummary, shape="ads-exported/1", commands=("ads export",)):
    """What was exported."""

    @computed_field(description="In one line.")  # type: ignore[prop-decorator]
    @property
    def headline(self) -> str:
        return super().headline


class DetailsDocument(Document, DetailsSummary, shape="ads-details/1", commands=("ads details",)):
    """What looking up details came to."""

    ads: list[str] = Field(description="That were looked up.")
    known: int = Field(description="Of those named, with details already.")


class AdvertiserList(Document, shape="advertiser-list/1", commands=("advertisers list",)):
    """The stored advertisers."""

    advertisers: list[AdvertiserRow]


class AdvertisersFound(
    Document, FoundAdvertisers, shape="advertisers-found/1", commands=("advertisers find",)
):
    """Advertisers of a name or domain, the best match first."""


class AdvertisersSearched(
    Document, DomainAdvertisers, shape="advertisers-searched/1", commands=("advertisers find",)
):
    """Who advertises for a domain, with `--search`."""


class AdvertiserDocument(
    Document, AdvertiserReport, shape="advertiser/1", commands=("advertisers show",)
):
    """Everything that is stored about an advertiser."""


class AdvertisersCompared(
    Document, shape="advertisers-compared/1", commands=("advertisers compare",)
):
    """Advertisers beside each other."""

    advertisers: list[AdvertiserReport]
