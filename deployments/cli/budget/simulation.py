"""`adspark budget --simulate`: a month of sweeps on paper, of given or of the stored watches."""

from collections.abc import Mapping, Sequence

from rich.markup import escape

from adspark.errors import InvalidQueryError
from adspark.models import DEFAULT_WEIGHT
from adspark.settings import DEFAULT_SEARCHES_PER_MINUTE, Settings
from adspark.text.counts import counted
from adspark.text.terminal import plain
from adspark.watches.simulation.report import SimulationReport
from adspark.watches.simulation.watches import SearchLimits, WatchGroup
from adspark.watches.sweep_store import SEARCHING
from deployments.terminal.output import out, print_line
from deployments.terminal.tables import table

_HOURS = 120  # minutes from which a delay is shown in hours


def make_groups(watches: Sequence[int], options: Mapping[str, Sequence[int]]) -> list[WatchGroup]:
    """The groups of so many watches each, each of a user of its own.

    Options (`interval`, `pages` and `weight`) are of each group, or one of all, or none.

    Raises:
        InvalidQueryError: an option is given for some of the groups only.
    """
    for name, given in options.items():
        if given and not watches:
            raise InvalidQueryError(name, "belongs to --watches; the stored ones have their own.")
        if len(given) > 1 and len(given) != len(watches):
            raise InvalidQueryError(
                name,
                f"is given {len(given)} times for {counted(len(watches), 'group')} of --watches; "
                f"give it once for all, or once for each.",
            )

    def of(name: str, place: int, default: int) -> int:
        given = options[name]
        return default if not given else given[0] if len(given) == 1 else given[place]

    return [
        WatchGroup(
            user_id=place + 1,
            watches=count,
            interval_minutes=of("interval", place, 60),
            searches_a_check=of("pages", place, 1),
            weight=of("weight", place, DEFAULT_WEIGHT),
        )
        for place, count in enumerate(watches)
    ]


def make_limits(
    settings: Settings, *, limit: int | None, per_hour: int | None, plan: int | None
) -> SearchLimits:
    """The limits of a month.

    Args:
        settings: whose limits hold where none is given.
        limit: searches a minute.
        per_hour: searches an hour; None: any number.
        plan: searches a month; None: any number.
    """
    usual = settings.searches_per_minute
    return SearchLimits(
        searches_per_minute=limit or (DEFAULT_SEARCHES_PER_MINUTE if usual == "account" else usual),
        searches_per_hour=per_hour,
        searches_per_month=plan,
        sweep_minutes=SEARCHING * settings.sweep_time_limit / 60,
    )


def print_simulation(report: SimulationReport) -> None:
    """The month by group and by user, and what starves."""
    rows = [
        {
            "watches": f"{one.watches:,} of {_user(one.user_id, one.user)}",
            "every": _minutes(one.interval_minutes),
            "checks": one.checks,
            "searches": one.searches,
            "p50": _minutes(one.delay_p50),
            "p95": _minutes(one.delay_p95),
            "worst": _minutes(one.delay_worst),
        }
        for one in report.groups
    ]
    if rows:
        out.print(table("A month of sweeps; delay of checks", rows, wraps="watches"))
    users = [
        {
            "user": _user(one.user_id, one.user),
            "weight": one.weight,
            "searches": one.searches,
            "share": f"{one.share:.0%}",
        }
        for one in report.users
    ]
    if len(users) > 1:
        out.print(table("By user", users, wraps="user"))
    print_line(
        f"{counted(report.searches, 'search')} of the {report.wanted:,} that "
        f"{counted(report.watches, 'watch')} would make without limits. {_limits(report.limits)}"
    )
    if report.spent_on is not None:
        print_line(f"[yellow]The month's searches are used up on day {report.spent_on}.[/]")
    for one in report.groups:
        whose = f"{escape(_user(one.user_id, one.user))} (every {_minutes(one.interval_minutes)})"
        if one.starved_from is not None:
            print_line(f"[yellow]From day {one.starved_from} on[/] no watch of {whose} is checked.")
        elif one.waiting:
            print_line(
                f"At the month's end {one.waiting:,} of {counted(one.watches, 'watch')} of {whose} "
                f"{'waits' if one.waiting == 1 else 'wait'}."
            )


def _user(number: int, name: str | None) -> str:
    return f"user {number}" if name is None else f"{number} {plain(name)}"


def _limits(limits: SearchLimits) -> str:
    bounds = (
        (limits.searches_per_minute, "a minute"),
        (limits.searches_per_hour, "an hour"),
        (limits.searches_per_month, "a month"),
    )
    return "Limits: " + ", ".join(f"{n:,} {unit}" for n, unit in bounds if n is not None) + "."


def _minutes(minutes: int | None) -> str | None:
    if minutes is None:
        return None
    return f"{minutes} min" if minutes < _HOURS else f"{minutes / 60:.0f} h"
