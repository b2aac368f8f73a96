"""What several commands take that request variants or look at them."""

from collections.abc import Sequence
from typing import Annotated

from typer import Argument, BadParameter, Option

from adspark.errors import InvalidQueryError
from adspark.text.terminal import plain
from adspark.validation.stored import clean_ad_id, is_ad_id
from deployments.cli.ranges import IDS, ranged, ranged_argument
from deployments.cli.users.option import user_option

OriginalAds = Annotated[
    list[str] | None, Argument(parser=clean_ad_id, help="Stored ads: CR and 20 digits each.")
]
NewAdsOfWatch = Annotated[
    str | None, Option("--watch", help="All new ads of this watch: its number or name.")
]
Workspace = Annotated[int | None, ranged(IDS, help="The workspace they belong to.")]
Review = Annotated[bool, Option("--review", help="Request a person's review of each.")]
VariantId = Annotated[int, ranged_argument(IDS, metavar="ID", help="The variant's number.")]
Whose = Annotated[int | None, user_option(help="Whose they are.")]


def ad_id(written: str) -> str:
    """The id of an ad, also within its address; BadParameter where there is none."""
    if not is_ad_id(found := clean_ad_id(written)):
        raise BadParameter(
            f"{plain(written)[:40]!r} is not an ad id: CR and 20 digits, as in the ad's address in "
            "the Transparency Center."
        )
    return found


def check_ads_or_watch(ids: Sequence[str], watch: str | None) -> None:
    """Raise InvalidQueryError unless either ads are named or a watch."""
    if bool(ids) == bool(watch):
        raise InvalidQueryError(
            "original_ad_ids", "name ads, or a watch with --watch; one of them."
        )
