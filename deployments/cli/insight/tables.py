"""Insight on the terminal."""

from collections.abc import Mapping, Sequence
from datetime import date

from rich.markup import escape

from adspark.insight.campaigns import Campaigns
from adspark.insight.figures import LongestRow, MixRow, Period, PeriodRow, RegionRow, ShareRow
from adspark.insight.snapshot import LibraryOnDay
from adspark.insight.survival import Survival
from adspark.text.counts import counted
from adspark.text.terminal import fit, plain
from deployments.terminal.output import out, print_line
from deployments.terminal.tables import table

_NAME_WIDTH = 40  # characters of an advertiser's name
_WORDS_WIDTH = 60  # of a headline
_TOLD = (7, 14, 30, 60, 90, 180, 365)  # days after which it is told how many ads are left


def print_timeline(rows: Sequence[PeriodRow], by: Period, limit: int) -> None:
    """A line for each period.

    Args:
        rows: a period each.
        by: the length of a period.
        limit: how many are shown, the latest.
    """
    written = "%Y-%m" if by is Period.MONTH else "%Y-%m-%d"
    cells = [
        {by.value: f"{row.begins:{written}}", **row.model_dump(exclude={"begins"})} for row in rows
    ]
    _print("Launches and endings", cells, empty="none in this time")
    _say_limit(rows, limit)


def print_mix(rows: Sequence[MixRow]) -> None:
    """A line for each format, size and platform."""
    cells = [
        {
            **row.model_dump(),
            "value": row.value.replace("x", " × ") if row.kind == "size" else plain(row.value),
        }
        for row in rows
    ]
    _print("Mix", cells)


def print_regions(rows: Sequence[RegionRow]) -> None:
    """A line for each region."""
    cells = [
        {
            "region": row.name,
            "ads": row.ads,
            "running": row.running,
            "entered": row.entered_on and str(row.entered_on),
            "left": row.left_on and str(row.left_on),
            "with details": row.ads_with_details,
        }
        for row in rows
    ]
    _print("Regions", cells)
    if any(row.ads_with_details < row.ads for row in rows):
        print_line("Of ads without details, the days are those of the ad, wherever it was shown.")


def print_longest(rows: Sequence[LongestRow], limit: int) -> None:
    """A line for each ad."""
    cells = [
        {
            "ad": row.ad_creative_id,
            "format": row.format.value,
            "first shown": str(row.first_day),
            "last shown": str(row.last_day),
            "days running": row.days_running,
            "runs": "yes" if row.is_running else "no",
        }
        for row in rows
    ]
    _print("Longest running", cells)
    _say_limit(rows, limit)


def print_survival(curve: Survival) -> None:
    """Shares of ads that last longer than some spans, and the median."""
    cells = [
        {"days running": days, "still running": f"{share:.0%}"}
        for days in _TOLD
        if (share := curve.after(days)) is not None
    ]
    _print("Ads that last longer (Kaplan-Meier)", cells)
    if curve.steps:
        half = "more than half have not ended" if curve.median_days_running is None else (
            f"half have ended after {counted(curve.median_days_running, 'day')}"
        )  # fmt: skip
        running = f"{curve.still_running:,} of them still run and count as censored"
        print_line(f"{counted(curve.ads, 'ad')}, {running}; {half}.")


def print_shares(rows: Sequence[ShareRow], day: date, limit: int) -> None:
    """A line for each advertiser.

    Args:
        rows: an advertiser each.
        day: on which their ads ran.
        limit: how many are shown, those with the most.
    """
    cells = [
        {
            "advertiser": fit(row.advertiser, _NAME_WIDTH),
            "running": row.running,
            "share of creatives seen": f"{row.share_of_creatives_seen:.1%}",
        }
        for row in rows
    ]
    _print(f"Creatives seen running on {day}", cells, empty=f"none ran on {day}")
    _say_limit(rows, limit)


def print_campaigns(found: Campaigns, number: int) -> None:
    """A line for each campaign, and what could not be compared."""
    cells = [
        {
            "first ad": one.ads[0],
            "versions": one.versions,
            "running": one.running,
            "first shown": one.first_day and str(one.first_day),
            "last shown": one.last_day and str(one.last_day),
        }
        for one in found.campaigns
    ]
    if cells:
        out.print(table("Campaigns of several versions", cells))
    shown = f", {len(cells)} shown" if number > len(cells) else ""
    print_line(
        f"{counted(number, 'campaign')}{shown}; {counted(found.compared, 'ad')} compared, "
        f"{found.unknown:,} not, for neither picture nor three words are known."
    )


def print_library(found: LibraryOnDay) -> None:
    """A line for each ad that ran on the day."""
    cells = [
        {
            "ad": one.ad_creative_id,
            "format": one.format.value,
            "first shown": str(one.first_day),
            "last shown": str(one.last_day),
            "headline": fit(one.headline or "", _WORDS_WIDTH) or None,
        }
        for one in found.ads
    ]
    _print(f"Ads on {found.day}", cells, wraps="headline", empty=f"none ran on {found.day}")
    if found.total > len(cells):
        print_line(f"{counted(found.total, 'ad')}, {len(cells)} shown.")


def _say_limit(rows: Sequence[object], limit: int) -> None:
    """That there may be more rows than are shown."""
    if len(rows) == limit:
        first = "first is" if limit == 1 else f"first {limit:,} are"
        print_line(f"The {first} shown; more: --limit")


def _print(
    title: str,
    cells: Sequence[Mapping[str, object]],
    *,
    wraps: str = "",
    empty: str = "nothing is stored of it",
) -> None:
    if cells:
        out.print(table(title, cells, wraps=wraps))
    else:
        print_line(f"{escape(title)}: {empty}.")
