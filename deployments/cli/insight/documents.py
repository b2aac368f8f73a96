"""What `adspark insight` prints with `--json`."""

from datetime import date

from adspark.insight.campaigns import Campaigns
from adspark.insight.figures import LongestRow, MixRow, PeriodRow, RegionRow, ShareRow
from adspark.insight.snapshot import LibraryOnDay
from adspark.insight.survival import Survival
from deployments.terminal.documents import Document


class TimelineDocument(Document):
    """Launches and endings by day, week or month."""

    SHAPE = "insight-timeline/1"
    COMMANDS = ("insight timeline",)

    periods: list[PeriodRow]


class MixDocument(Document):
    """Formats, sizes and platforms."""

    SHAPE = "insight-mix/1"
    COMMANDS = ("insight mix",)

    mix: list[MixRow]


class RegionsDocument(Document):
    """Regions that were entered and left."""

    SHAPE = "insight-regions/1"
    COMMANDS = ("insight regions",)

    regions: list[RegionRow]


class LongestDocument(Document):
    """The ads that are shown for the longest time."""

    SHAPE = "insight-longest/1"
    COMMANDS = ("insight longest",)

    ads: list[LongestRow]


class SurvivalDocument(Document, Survival):
    """How long ads last."""

    SHAPE = "insight-survival/1"
    COMMANDS = ("insight survival",)


class ShareDocument(Document):
    """Advertisers' shares of the creatives seen running on a day."""

    SHAPE = "insight-share/1"
    COMMANDS = ("insight share",)

    day: date
    shares: list[ShareRow]


class CampaignsDocument(Document, Campaigns):
    """Near-duplicates."""

    SHAPE = "insight-campaigns/1"
    COMMANDS = ("insight campaigns",)


class LibraryDocument(Document, LibraryOnDay):
    """The ads that ran on a day."""

    SHAPE = "insight-library/1"
    COMMANDS = ("insight library",)
