"""What `adspark insight` prints with `--json`."""

from datetime import date

from adspark.insight.campaigns import Campaigns
from adspark.insight.figures import LongestRow, MixRow, PeriodRow, RegionRow, ShareRow
from adspark.insight.snapshot import LibraryOnDay
from adspark.insight.survival import Survival
from deployments.terminal.documents import Document


class TimelineDocument(Document, shape="insight-timeline/1", commands=("insight timeline",)):
    """Launches and endings by day, week or month."""

    periods: list[PeriodRow]


class MixDocument(Document, shape="insight-mix/1", commands=("insight mix",)):
    """Formats, sizes and platforms."""

    mix: list[MixRow]


class RegionsDocument(Document, shape="insight-regions/1", commands=("insight regions",)):
    """Regions that were entered and left."""

    regions: list[RegionRow]


class LongestDocument(Document, shape="insight-longest/1", commands=("insight longest",)):
    """The ads that are shown for the longest time."""

    ads: list[LongestRow]


class SurvivalDocument(
    Document, Survival, shape="insight-survival/1", commands=("insight survival",)
):
    """How long ads last."""


class ShareDocument(Document, shape="insight-share/1", commands=("insight share",)):
    """Advertisers' shares of the creatives seen running on a day."""

    day: date
    shares: list[ShareRow]


class CampaignsDocument(
    Document, Campaigns, shape="insight-campaigns/1", commands=("insight campaigns",)
):
    """Near-duplicates."""


class LibraryDocument(
    Document, LibraryOnDay, shape="insight-library/1", commands=("insight library",)
):
    """The ads that ran on a day."""
