"""Arguments and options that several commands of `adspark watch` share."""

from typing import Annotated

from typer import Argument, Option

from adspark.validation.bounds import (
    DETAILS_PER_SWEEP,
    ENDED_AFTER_DAYS,
    INTERVAL_MINUTES,
    MONTHLY_BUDGET,
    WATCH_PAGES,
)
from deployments.cli.ranges import ranged
from deployments.cli.users.option import user_option

Which = Annotated[str, Argument(metavar="NAME_OR_ID", help="As in adspark watch list.")]
PoliticalOption = Annotated[
    bool, Option("--political-ads", help="Only political ads; needs a region.")
]
AllAdsOption = Annotated[bool, Option("--all-ads", help="Not only political ads.")]
EveryOption = Annotated[
    int | None,
    ranged(INTERVAL_MINUTES, "--every", metavar="MINUTES", help="Between two checks; at first 60."),
]
PagesOption = Annotated[
    int | None, ranged(WATCH_PAGES, help="Pages a check, so searches, at most; at first 5.")
]
BudgetOption = Annotated[
    int | None,
    ranged(
        MONTHLY_BUDGET,
        "--budget",
        help="Billed searches a month at most; at first without a bound.",
    ),
]
EndedOption = Annotated[
    int | None,
    ranged(
        ENDED_AFTER_DAYS,
        "--ended-after",
        metavar="DAYS",
        help="Not shown for so long: ended; at first 7.",
    ),
]
DetailsOption = Annotated[
    int | None,
    ranged(
        DETAILS_PER_SWEEP,
        "--details",
        help="New ads a check looked up, one search each; at first 0.",
    ),
]
UserOption = Annotated[int | None, user_option(help="Whose watch it is.")]
