"""`adspark ads details`: look up details of stored ads; what it costs is told before."""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any

from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession
from typer import Argument, Option

from adspark.creatives.details import DetailsSummary
from adspark.errors import InvalidQueryError
from adspark.library.ads.details import DetailsPlan, plan_details
from adspark.text.counts import counted
from adspark.validation.bounds import DETAILS_AT_ONCE
from adspark.validation.stored import check_storable
from adspark.watches.admission import searches_left
from adspark.watches.budgets import BudgetReport, read_budget
from adspark.watches.stored import find_watch
from deployments.cli.ads.documents import DetailsDocument
from deployments.cli.budget.commands import fetch_account
from deployments.cli.database import act_in_session, current_settings
from deployments.cli.options import EndsWithJsonOption, YesOption
from deployments.cli.ranges import ranged
from deployments.cli.runs.run import run_here
from deployments.terminal.output import print_json, print_line, print_note
from deployments.terminal.questions import confirm

_MOST = 20  # ads of a watch, by default


def details(
    ads: Annotated[
        list[str] | None, Argument(metavar="AD", help="CR and 20 digits each; or --watch.")
    ] = None,
    watch: Annotated[
        str | None,
        Option(help="Its ads without details, also those known from the start: number or name."),
    ] = None,
    most: Annotated[
        int | None, ranged(DETAILS_AT_ONCE, help="Ads of the watch, so searches; at first 20.")
    ] = None,
    yes: YesOption = False,
    as_json: EndsWithJsonOption = False,
) -> None:
    """Look up copy, landing page, countries and payer of stored ads, a search each, once.

    It runs here and now, without a worker; the searches are in the ledger and the limits of all.
    """
    plan, report = asyncio.run(_read(ads or [], watch, most))
    if plan.ads:
        print_note(_cost(plan, report), style="none")
        if not yes:
            confirm("Look up?")
        summary = _run(plan)
    else:
        summary = DetailsSummary()
    if as_json:
        print_json(DetailsDocument.of(summary, ads=plan.ads, known=plan.known))
    elif not plan.ads:
        print_line(f"Nothing to look up: {_known(plan)}.")
    else:
        print_line(escape(f"{summary.headline}; look at one with: adspark ads show {plan.ads[0]}"))


async def _read(
    ads: list[str], watch: str | None, most: int | None
) -> tuple[DetailsPlan, BudgetReport]:
    """What is to be looked up, and what this month costs."""
    if most is not None and watch is None:
        raise InvalidQueryError("most", "is of a watch's ads; give --watch too, or leave it out.")
    check_storable("watch", watch)

    async def act(session: AsyncSession) -> tuple[DetailsPlan, BudgetReport]:
        watch_id = watch and (await find_watch(session, name_or_id=watch)).id
        plan = await plan_details(session, ads=ads, watch_id=watch_id or None, most=most or _MOST)
        return plan, await read_budget(session)

    plan, report = await act_in_session(act)
    if plan.ads and (account := await fetch_account(current_settings())):
        report.searches_left = account.total_searches_left
        left, shortage = searches_left(account)
        if left is not None and left < len(plan.ads):
            raise InvalidQueryError(
                "most" if watch else "ads",
                f"{_searches(len(plan.ads))} would be needed, and there are {shortage}; "
                "ask for fewer.",
            )
    return plan, report


def _cost(plan: DetailsPlan, report: BudgetReport) -> str:
    """What it would cost, in a line."""
    number = len(plan.ads)
    left_out = [_known(plan)] if plan.known else []
    if plan.left:
        left_out.append(f"{plan.left} more without, beyond --most")
    if plan.over_budget:
        left_out.append(f"{plan.over_budget} beyond the watch's budget")
    known = f" ({'; '.join(left_out)})" if left_out else ""
    account = report.searches_left
    left = "" if account is None else f"; the account has {account:,} left"
    return (
        f"Details of {counted(number, 'ad')} cost {_searches(number)} at most{known}. This month: "
        f"{report.billed:,} billed, forecast {report.forecast + number:,} with that{left}."
    )


def _searches(number: int) -> str:
    return counted(number, "search")


def _known(plan: DetailsPlan) -> str:
    if not plan.known:
        return "there is no ad without details"
    return f"{counted(plan.known, 'ad')} looked up before"


def _run(plan: DetailsPlan) -> DetailsSummary:
    """Run the flow for no more ads than were told."""
    if plan.watch_id is None:
        parameters: dict[str, Any] = {"ads": plan.ads}
    else:
        parameters = {"watch_id": plan.watch_id, "most": len(plan.ads)}

    def start() -> Coroutine[Any, Any, DetailsSummary]:
        from flows.fetch_details import fetch_details  # noqa: PLC0415  (slow)

        call: Coroutine[Any, Any, DetailsSummary] = fetch_details(**parameters)
        return call

    return run_here(start)
