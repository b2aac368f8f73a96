"""What `adspark budget` prints for people."""

from rich.markup import escape

from adspark.text.counts import counted
from adspark.text.terminal import plain
from deployments.cli.budget.documents import BudgetDocument
from deployments.cli.database import current_settings
from deployments.terminal.output import out, print_line
from deployments.terminal.tables import table

_BAR = 40  # characters of the longest day's bar


def _left(report: BudgetDocument) -> str:
    if report.searches_left is None:
        return "What the account has left is not known here (ADSPARK_SERPAPI_KEY)."
    plan = f" of {report.searches_per_month} ({report.plan})" if report.plan else ""
    return f"Left in the account: {report.searches_left}{escape(plan)}."


def print_report(report: BudgetDocument) -> None:
    """The month by watch, by user and by day, and what is foreseen."""
    if report.watches:
        rows = [
            {
                "watch": "searches of no watch"
                if one.watch_id is None
                else f"{one.watch_id}  {one.name}",
                "billed": one.billed,
                "cached": one.cached,
                "budget": one.monthly_budget,
                "left": one.left,
                "forecast": one.forecast,
            }
            for one in report.watches
        ]
        out.print(table("Searches this month, by watch", rows, wraps="watch"))
    if report.users:
        users = [
            {
                "user": f"{one.user_id}  {plain(one.name or '')}".rstrip(),
                "weight": one.weight,
                "share": f"{one.share:.0%}",
                "watches": one.watches,
                "due": one.due,
                "billed": one.billed,
            }
            for one in report.users
        ]
        out.print(table("Searches this month, by user", users, wraps="user"))
    if report.days:
        most = max(one.billed for one in report.days) or 1
        days = [
            {
                "day": one.day.isoformat(),
                "billed": one.billed,
                "cached": one.cached,
                " ": "█" * round(_BAR * one.billed / most),
            }
            for one in report.days
        ]
        out.print(table("By day", days))
    print_line(f"This month: {report.billed} billed, {report.cached} cached. {_left(report)}")
    print_line(f"Forecast for the month: {counted(report.forecast, 'search')}.")
    if report.archive is not None:
        most_bytes = current_settings().archive_bytes
        print_line(f"Archive: {report.archive.describe(most_bytes)}.")
    if report.shortage:
        print_line(
            f"[yellow]The account lacks {counted(report.shortage, 'search')} for that:[/] "
            f"raise the plan, or give watches longer intervals, fewer pages or a budget."
        )
    for one in report.watches:
        if one.left == 0 and one.is_active:
            watch = f"Watch {one.watch_id} ({escape(one.name or '')})"
            print_line(
                f"[yellow]{watch} has spent its budget[/] and waits for the next month."
                if one.monthly_budget
                else f"[yellow]{watch} has the budget 0[/], so that it is never checked; give it "
                f"more: adspark watch change {one.watch_id} --budget 100"
            )
