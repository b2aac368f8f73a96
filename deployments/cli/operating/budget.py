"""`adspark budget`: what searching costs, by watch and by day, and what the month will come to."""

import asyncio
from typing import Annotated

import typer
from rich.markup import escape

from adspark.db.configured import database_url
from adspark.db.engine import COMMAND_LOCK_TIMEOUT, Database
from adspark.errors import AdSparkError
from adspark.serpapi.client import SerpApiClient
from adspark.serpapi.payloads import AccountPayload
from adspark.settings import Settings, get_settings
from adspark.watches.budgets import BudgetReport, read_budget
from deployments.cli.current_database import current_settings
from deployments.terminal.output import err, out, print_json, table

_BAR = 40  # characters of the longest day's bar


def budget(
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show searches billed, cached and left, by watch and by day, and the month's forecast."""
    settings = current_settings(get_settings())
    with database_url(settings) as url:
        report = asyncio.run(_read(settings, url))
    if as_json:
        print_json(report)
    else:
        _print(report)


async def _read(settings: Settings, url: str) -> BudgetReport:
    async with (
        Database(url, lock_timeout=COMMAND_LOCK_TIMEOUT) as database,
        database.session() as session,
    ):
        report = await read_budget(session)
    if account := await _ask_account(settings):
        report.searches_left = account.total_searches_left
        report.searches_per_month = account.searches_per_month
        report.plan = account.plan_name
    return report


async def _ask_account(settings: Settings) -> AccountPayload | None:
    """The account, which is free to ask; its silence does not hide what was spent."""
    if settings.serpapi_key is None:
        return None
    try:
        async with SerpApiClient(
            settings.serpapi_key, base_url=settings.serpapi_url, timeout=settings.serpapi_timeout
        ) as client:
            return await client.account()
    except AdSparkError as error:
        err.print(f"[yellow]Warning:[/] {escape(str(error))}", soft_wrap=True)
        return None


def _print(report: BudgetReport) -> None:
    if report.watches:
        rows = [
            {
                "watch": "others (by hand, deleted)"
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
    out.print(f"This month: {report.billed} billed, {report.cached} cached. ", end="")
    if report.searches_left is None:
        out.print("What the account has left is not known here (ADSPARK_SERPAPI_KEY).")
    else:
        plan = f" of {report.searches_per_month} ({report.plan})" if report.plan else ""
        out.print(f"Left in the account: {report.searches_left}{escape(plan)}.")
    out.print(f"Forecast for the month: {report.forecast} searches.", soft_wrap=True)
    if report.shortage:
        out.print(
            f"[yellow]The account lacks {report.shortage} of them:[/] raise the plan, or give "
            f"watches longer intervals, fewer pages or a budget.",
            soft_wrap=True,
        )
    for one in report.watches:
        if one.left == 0 and one.is_active:
            out.print(
                f"[yellow]Watch {one.watch_id} ({escape(one.name or '')}) has spent its budget[/] "
                f"and waits for the next month.",
                soft_wrap=True,
            )
