"""Arguments and options that several commands of `adspark watch` share."""

from dataclasses import dataclass
from typing import Annotated

from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession
from typer import Argument, Option

from adspark.library.advertisers.choice import ChosenAdvertiser, choose_advertiser
from adspark.text.terminal import plain
from adspark.validation.bounds import (
    DETAILS_PER_SWEEP,
    ENDED_AFTER_DAYS,
    INTERVAL_MINUTES,
    MONTHLY_BUDGET,
    WATCH_PAGES,
)
from adspark.watches.definition import WatchFields, pick_fields
from deployments.cli.database import in_session
from deployments.cli.option_groups import takes_options
from deployments.cli.ranges import ranged
from deployments.cli.search_options import (
    AdvertiserIds,
    FormatOption,
    PlatformOption,
    RegionOption,
    TextOption,
    refuse_empty,
)
from deployments.cli.users.option import user_option
from deployments.terminal.choices import one_of
from deployments.terminal.output import print_line

Which = Annotated[str, Argument(metavar="NAME_OR_ID", help="As in adspark watch list.")]
EveryOption = Annotated[
    int | None,
    ranged(INTERVAL_MINUTES, "--every", metavar="MINUTES", help="Between two checks; at first 60."),
]
PagesOption = Annotated[
    int | None, ranged(WATCH_PAGES, help="Pages a look, so searches, at most; at first 5.")
]
BudgetOption = Annotated[
    int | None,
    ranged(
        MONTHLY_BUDGET,
        "--budget",
        help="Billed searches a month at most; at first without a bound.",
    ),
]
UserOption = Annotated[int | None, user_option(help="Whose watch it is.")]


@dataclass(frozen=True)
class WatchFieldOptions:
    """What may be said of a watch but for its name and its user; None: nothing is."""

    advertiser_ids: AdvertiserIds = None
    advertiser: Annotated[
        list[str] | None,
        Option(
            metavar="NAME",
            callback=refuse_empty,
            help="A stored advertiser by name, domain or AR number; may be given again for "
            "another.",
        ),
    ] = None
    text: TextOption = None
    region: RegionOption = None
    platform: PlatformOption = None
    creative_format: FormatOption = None
    political_ads: Annotated[
        bool, Option("--political-ads", help="Only political ads; needs a region.")
    ] = False
    all_ads: Annotated[bool, Option("--all-ads", help="Not only political ads.")] = False
    interval_minutes: EveryOption = None
    max_pages: PagesOption = None
    monthly_budget: BudgetOption = None
    ended_after_days: Annotated[
        int | None,
        ranged(
            ENDED_AFTER_DAYS,
            "--ended-after",
            metavar="DAYS",
            help="Not shown for so long: ended; at first 7.",
        ),
    ] = None
    details_per_sweep: Annotated[
        int | None,
        ranged(
            DETAILS_PER_SWEEP,
            "--details",
            help="New ads that a look has looked up, one search each; at first 0.",
        ),
    ] = None

    def to_fields(self, *, as_json: bool) -> WatchFields:
        """The fields of a watch; the advertisers that are named are looked up, and shown.

        Raises:
            InvalidQueryError: an advertiser is not known, or two options exclude each other.
        """
        ids = _find_advertiser_ids(self.advertiser_ids, self.advertiser, as_json=as_json)
        political = one_of("--political-ads", self.political_ads, "--all-ads", self.all_ads)
        return pick_fields(vars(self) | {"advertiser_ids": ids, "political_ads": political})


takes_watch_options = takes_options("options", WatchFieldOptions)
"""Gives a command these options in place of its parameter `options`."""


def _find_advertiser_ids(
    ids: list[str] | None, names: list[str] | None, *, as_json: bool
) -> list[str] | None:
    """The ids, and those of the advertisers that are named, each of which is shown.

    Raises:
        InvalidQueryError: a name is that of none, or of several; says which.
    """
    if not names:
        return ids

    async def act(session: AsyncSession) -> list[ChosenAdvertiser]:
        return [await choose_advertiser(session, name=name) for name in names]

    chosen = in_session(act)
    for name, one in zip(names, chosen, strict=True):
        if not as_json:
            print_line(f"Advertiser {escape(plain(one.describe(name)))}.")
    return [*(ids or []), *(one.advertiser_id for one in chosen)]
