"""Arguments and options that several commands of `adspark watch` share."""

from typing import Annotated

from typer import Argument, Option

from adspark.validation.bounds import (
    DETAILS_PER_SWEEP,
    ENDED_AFTER_DAYS,
    INTERVAL_MINUTES,
    LARGEST_ID,
    MONTHLY_BUDGET,
    WATCH_PAGES,
)

Which = Annotated[str, Argument(metavar="NAME_OR_ID", help="As in adspark watch list.")]
PoliticalOption = Annotated[
    bool, Option("--political-ads", help="Only political ads; needs a region.")
]
AllAdsOption = Annotated[bool, Option("--all-ads", help="Not only political ads.")]
EveryOption = Annotated[
    int | None,
    Option(
        metavar="MINUTES",
        min=INTERVAL_MINUTES.least,
        max=INTERVAL_MINUTES.most,
        help="Between two checks; at first 60.",
    ),
]
PagesOption = Annotated[
    int | None,
    Option(
        min=WATCH_PAGES.least,
        max=WATCH_PAGES.most,
        help="Pages a check, so searches, at most; at first 5.",
    ),
]
BudgetOption = Annotated[
    int | None,
    Option(
        min=MONTHLY_BUDGET.least,
        max=MONTHLY_BUDGET.most,
        help="Billed searches a month at most; at first without a bound.",
    ),
]
EndedOption = Annotated[
    int | None,
    Option(
        metavar="DAYS",
        min=ENDED_AFTER_DAYS.least,
        max=ENDED_AFTER_DAYS.most,
        help="Not shown for so long: ended; at first 7.",
    ),
]
DetailsOption = Annotated[
    int | None,
    Option(
        min=DETAILS_PER_SWEEP.least,
        max=DETAILS_PER_SWEEP.most,
        help="New ads a check looked up, one search each; at first 0.",
    ),
]
UserOption = Annotated[int | None, Option(min=1, max=LARGEST_ID, help="Whose watch it is.")]
