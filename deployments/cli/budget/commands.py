"""`adspark budget`: what searching costs, by watch and by day, and what the month will come to."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.archive.counts import count_archive
from adspark.errors import AdSparkError
from adspark.serpapi.client import SerpApiClient
from adspark.serpapi.payloads import AccountPayload
from adspark.settings import Settings
from adspark.watches.budgets import read_budget
from adspark.watches.sharing.use import read_user_shares
from deployments.cli.budget.documents import BudgetDocument
from deployments.cli.budget.tables import print_report
from deployments.cli.database import act_in_session, current_settings
from deployments.cli.options import JsonOption
from deployments.terminal.output import print_json, print_warning
from deployments.terminal.progress import progress


def budget(as_json: JsonOption = False) -> None:
    """Show searches billed, cached, left and foreseen, and what the archive of pictures takes."""
    with progress("Adding up what searches cost"):
        report = asyncio.run(_read())
    print_json(report) if as_json else print_report(report)


async def _read() -> BudgetDocument:
    report = await act_in_session(_read_stored)
    if account := await fetch_account(current_settings()):
        report.searches_left = account.total_searches_left
        report.searches_per_month = account.searches_per_month
        report.plan = account.plan_name
    return report


async def _read_stored(session: AsyncSession) -> BudgetDocument:
    report = await read_budget(session)
    report.archive = await count_archive(session)
    return BudgetDocument.of(report, users=await read_user_shares(session))


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
