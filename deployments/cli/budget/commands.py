"""`adspark budget`: what searching costs, by watch and by day, and what the month will come to."""

import asyncio
from typing import Annotated, Any

from sqlalchemy.ext.asyncio import AsyncSession
from typer import Option

from adspark.archive.counts import count_archive
from adspark.errors import AdSparkError, InvalidQueryError
from adspark.serpapi.client import SerpApiClient
from adspark.serpapi.payloads import AccountPayload
from adspark.settings import Settings
from adspark.validation.bounds import (
    INTERVAL_MINUTES,
    RATE,
    SEARCHES,
    USER_WEIGHT,
    WATCH_PAGES,
    WATCHES_AT_ONCE,
    Range,
)
from adspark.watches.budgets import read_budget
from adspark.watches.sharing.use import read_user_shares
from adspark.watches.simulation.month import simulate
from adspark.watches.simulation.watches import read_groups
from deployments.cli.budget.documents import BudgetDocument, SimulationDocument
from deployments.cli.budget.simulation import make_groups, make_limits, print_simulation
from deployments.cli.budget.tables import print_report
from deployments.cli.database import act_in_session, current_settings
from deployments.cli.options import JsonOption
from deployments.cli.ranges import ranged
from deployments.terminal.output import print_json, print_warning
from deployments.terminal.progress import progress


def _repeated(within: Range, help: str) -> Any:  # noqa: A002, ANN401
    return Option(min=within.least, max=within.most, help=help)


def budget(
    simulated: Annotated[
        bool, Option("--simulate", help="Simulate a month of sweeps instead; nothing is searched.")
    ] = False,
    watches: Annotated[
        list[int] | None,
        _repeated(WATCHES_AT_ONCE, "So many watches of a user, instead of those stored."),
    ] = None,
    interval: Annotated[
        list[int] | None, _repeated(INTERVAL_MINUTES, "Minutes between two checks; 60.")
    ] = None,
    pages: Annotated[list[int] | None, _repeated(WATCH_PAGES, "Searches a check; 1.")] = None,
    weight: Annotated[list[int] | None, _repeated(USER_WEIGHT, "Of the user; 1.")] = None,
    limit: Annotated[int | None, ranged(RATE, help="Searches a minute; as configured.")] = None,
    per_hour: Annotated[int | None, ranged(SEARCHES, help="Searches an hour; any number.")] = None,
    plan: Annotated[
        int | None, ranged(SEARCHES, help="Searches a month; the account's, if the watches are.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show searches billed, cached, left and foreseen, and what the archive of pictures takes.

    With --simulate: what a month of sweeps would spend, how late watches would be checked, and
    which would starve. --interval, --pages and --weight hold for all --watches, or are given as
    often: the first for the first, and so on.
    """
    options = {"interval": interval or [], "pages": pages or [], "weight": weight or []}
    if simulated:
        with progress("Simulating a month"):
            groups = make_groups(watches or [], options) or asyncio.run(act_in_session(read_groups))
            limits = make_limits(current_settings(), limit=limit, per_hour=per_hour, plan=plan)
            if not watches and plan is None:
                limits.searches_per_month = asyncio.run(_read_plan())
            month = SimulationDocument.of(simulate(groups, limits))
        print_json(month) if as_json else print_simulation(month)
        return
    bounds = {"limit": limit, "per-hour": per_hour, "plan": plan}
    for name, given in {"watches": watches, **options, **bounds}.items():
        if given not in (None, []):
            raise InvalidQueryError(name, "belongs to a simulation; add --simulate.")
    with progress("Adding up what searches cost"):
        report = asyncio.run(_read())
    print_json(report) if as_json else print_report(report)


async def _read_plan() -> int | None:
    account = await fetch_account(current_settings())
    return account.searches_per_month if account else None


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
