"""What every command that requests variants takes."""

from typing import Annotated

from typer import Argument, Option

from adspark.validation.stored import clean_ad_id
from deployments.cli.ranges import IDS, ranged

OriginalAds = Annotated[
    list[str] | None, Argument(parser=clean_ad_id, help="Stored ads: CR and 20 digits each.")
]
NewAdsOfWatch = Annotated[
    str | None, Option("--watch", help="All new ads of this watch: its number or name.")
]
Workspace = Annotated[int | None, ranged(IDS, help="The workspace they belong to.")]
Review = Annotated[bool, Option("--review", help="Request a person's review of each.")]
