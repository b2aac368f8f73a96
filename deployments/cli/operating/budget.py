"""`adspark budget`: what searching costs, by watch and by day, and what the month will come to."""

import asyncio

from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.archive.counts import count_archive
from adspark.errors import AdSparkError
from adspark.serpapi.client import SerpApiClient
from adspark.serpapi.payloads import AccountPayload
from adspark.settings import Settings
from adspark.text.counts import counted
from adspark.watches.budgets import BudgetReport, read_budget
from deployments.cli.database import act_in_session, current_settings
from deployments.cli.operating.budget_documents import BudgetDocument
from deployments.cli.options import JsonOption
from deployments.terminal.output import out, print_json, print_line, print_warning, table
from deployments.terminal.progress import progress

_BAR = 40  # characters of the longest day's bar


def budget(as_json: JsonOption = False) -> None:
    """Show searches billed, cached, left and foreseen, and what the archive of pictures takes."""
    with progress("Adding up what searches cost"):
        report = asyncio.run(_read())
    print_json(BudgetDocument.of(report)) if as_json else _print(report)


async def _read() -> BudgetReport:
    report = await act_in_session(_read_stored)
    if account := await fetch_account(current_settings()):
        report.searches_left = account.total_searches_left
        report.searches_per_month = account.searches_per_month
        report.plan = account.plan_name
    return report


async def _read_stored(session: AsyncSession) -> BudgetReport:
    report = await read_budget(session)
    report.archive = await count_archive(session)
    return report


async def fetch_account(settings: Settings) -> AccountPayload | None:
    """The account, which is free to fetch; None where it cannot be had."""
    if settings.serpapi_key is None:
        return None
    try:
        async with SerpApiClient(
            settings.serpapi_key, base_url=settings.serpapi_url, timeout=settings.serpapi_timeout
        ) as client:
            return await client.account()
    except AdSparkError as error:
        print_warning(str(error))
        return None


def _left(report: BudgetReport) -> str:
    if report.searches_left is None:
        return "What the account has left is not known here (ADSPARK_SERPAPI_KEY)."
    plan = f" of {report.searches_per_month} ({report.plan})" if report.plan else ""
    return f"Left in the account: {report.searches_left}{escape(plan)}."


def _print(report: BudgetReport) -> None:
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
            f"[yellow]The account lacks {report.shortage} of them:[/] raise the plan, or give "
            f"watches longer intervals, fewer pages or a budget."
        )
    for one in report.watches:
        if one.left == 0 and one.is_active:
            print_line(
                f"[yellow]Watch {one.watch_id} ({escape(one.name or '')}) has spent its budget[/] "
                f"and waits for the next month."
            )
