"""`adspark batch`: request variants of many ads or by many prompts, follow, pause and compare them.

A batch is rows in the database of the running stack, else of the configured one; workers claim its
variants like all others.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated
from uuid import uuid4

import typer
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession
from typer import Option

from adspark.errors import InvalidQueryError
from adspark.text.counts import counted, it_or_them
from adspark.text.terminal import plain
from adspark.users.remedies import for_user
from adspark.variants.batches.lists import (
    BatchStatus,
    BatchSummary,
    list_batches,
    list_ranked,
    read_batch,
)
from adspark.variants.batches.plan import (
    MOST_GENERATIONS,
    BatchRequest,
    NothingToRequestError,
    check_batch,
    create_batch,
    list_new_ads,
)
from adspark.variants.batches.store import cancel_batch, set_paused
from adspark.variants.reviews.decisions import Decision, read_decisions
from adspark.variants.store import VariantSummary
from adspark.watches.stored import find_watch
from deployments.cli.batches.documents import BatchChanged, BatchList, BatchReport, BatchRequested
from deployments.cli.batches.foresight import foresee, preview
from deployments.cli.batches.tables import print_batch, print_batches, print_plan
from deployments.cli.database import act_in_session, in_session
from deployments.cli.options import JsonOption, YesOption
from deployments.cli.ranges import IDS, ranged_argument
from deployments.cli.server import call_server
from deployments.cli.users.option import user_option
from deployments.cli.variants import options
from deployments.cli.variants.limits import warn_of_pause
from deployments.cli.variants.prompt_check import check_prompt
from deployments.cli.variants.stopping import stop
from deployments.environment.running_stack import find_api_url
from deployments.terminal.output import print_json, print_line, print_warning
from deployments.terminal.questions import confirm

_SHOWN = 20  # rows of a list, by default

BatchId = Annotated[int, ranged_argument(IDS, metavar="ID", help="The batch's number.")]
LimitOption = Annotated[int, Option(min=1, max=MOST_GENERATIONS, help="How many are listed.")]

app = typer.Typer()


@app.command()
def create(
    prompts: Annotated[
        list[str],
        Option("--prompt", "-p", help="What the variants should be like; several make a grid."),
    ],
    original_ad_ids: options.OriginalAds = None,
    watch: options.NewAdsOfWatch = None,
    user: Annotated[int, user_option(help="Who wants them.")] = 1,
    workspace: options.Workspace = None,
    review: options.Review = False,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Say how many generations and how long, request none.")
    ] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Request a variant of each ad by each prompt, but for those that there are already."""
    request = check_batch(
        BatchRequest(
            ads=tuple(_find_ads(original_ad_ids or [], watch, user)),
            prompts=tuple(prompts),
            user_id=user,
            workspace_id=workspace,
            wants_review=review,
        )
    )
    for prompt in request.prompts:
        check_prompt(prompt)
    plan, foreseen = preview(request)
    if not as_json:
        print_plan(plan, foreseen)
    batch_id, started = None, 0
    if plan.generations and not dry_run:
        if not yes:
            number = plan.generations
            which = f"{counted(number, 'generation')}, {'each ' if number > 1 else ''}paid for"
            confirm(f"{which}. Request {it_or_them(number)}?")
        batch_id = _create(request, plan.generations)
        if batch_id is None:
            plan, foreseen = preview(request)
            if not as_json:
                print_plan(plan, foreseen)
        else:
            started = _start(batch_id)
    if as_json:
        more = {"batch_id": batch_id, "started": started, "forecast": foreseen}
        print_json(BatchRequested.of(plan, **more))
    elif batch_id is None:
        print_line("Nothing was requested.")
    else:
        when = "workers claim it" if started else "claimed once the stack runs (adspark up)"
        if foreseen.limits.paused_pool:
            when = "claimed once its pool is resumed"
        print_line(f"Requested batch {batch_id}: {when}; see: adspark batch show {batch_id}")


@app.command("list")
def list_all(
    user: Annotated[int | None, user_option(help="Whose they are.")] = None,
    limit: LimitOption = _SHOWN,
    as_json: JsonOption = False,
) -> None:
    """List the batches, newest first, with how far each is."""
    found = in_session(lambda session: list_batches(session, user_id=user, limit=limit))
    print_json(BatchList(batches=found)) if as_json else print_batches(found, user)


@app.command()
def show(batch: BatchId, limit: LimitOption = _SHOWN, as_json: JsonOption = False) -> None:
    """Show how far a batch is, and its variants, the best first."""

    async def act(
        session: AsyncSession,
    ) -> tuple[BatchSummary, list[VariantSummary], dict[int, Decision]]:
        found = await read_batch(session, batch_id=batch)
        ranked = await list_ranked(session, batch_id=batch, limit=limit)
        return found, ranked, await read_decisions(session, ids=[one.id for one in ranked])

    found, ranked, decisions = in_session(act)
    is_going_on = found.open and found.status is BatchStatus.RUNNING
    foreseen = foresee(found.open, is_requested=True) if is_going_on else None
    if as_json:
        more = {"ranked": ranked, "forecast": foreseen}
        print_json(BatchReport.of(found, **more))
    else:
        print_batch(found, ranked, decisions, foreseen)


@app.command()
def pause(batch: BatchId, as_json: JsonOption = False) -> None:
    """Let nothing more of a batch be submitted; what was submitted is fetched."""
    changed, found = _change(batch, is_paused=True)
    waiting = found.open - found.submitted
    if as_json:
        _print_changed(batch, changed=changed, variants=waiting)
        return
    wait = "waits" if waiting == 1 else "wait"
    print_line(
        f"Batch {batch} {'is' if changed else 'was'} paused: {counted(waiting, 'variant')} "
        f"{wait}, {found.submitted} submitted before will be fetched."
    )


@app.command()
def resume(batch: BatchId, as_json: JsonOption = False) -> None:
    """Let a paused batch go on."""
    changed, found = _change(batch, is_paused=False)
    if found.open:
        _start(batch)
        warn_of_pause()
    if as_json:
        _print_changed(batch, changed=changed, variants=found.open)
        return
    goes = "goes on" if changed else "was not paused"
    is_claimed = find_api_url() is not None or not found.open
    later = "" if is_claimed else ", claimed once the stack runs (adspark up)"
    print_line(f"Batch {batch} {goes}: {counted(found.open, 'variant')} open{later}.")


@app.command()
def cancel(batch: BatchId, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """End a batch with all its open variants and their generations; those completed stay."""
    found = in_session(lambda session: read_batch(session, batch_id=batch))
    if found.open and not yes:
        which = f"{counted(found.open, 'open variant')} of batch {batch}"
        confirm(f"{which}. Cancel {it_or_them(found.open)}?")
    ended = in_session(lambda session: cancel_batch(session, batch_id=batch), commits=True)
    problems = stop(ended.begun, submitted=len(ended.submitted))
    was_open = ended.variants > 0
    if as_json:
        _print_changed(batch, changed=was_open, variants=ended.variants, problems=problems)
        return
    cancelled = f"cancelled, and {counted(ended.variants, 'variant')} with it"
    result = cancelled if was_open else "not open any more; nothing to cancel"
    print_line(f"Batch {batch} is {result}.")
    for problem in problems:
        print_warning(plain(problem))


def _change(batch: int, *, is_paused: bool) -> tuple[bool, BatchSummary]:
    """Whether that changed the batch, and how far it is then."""

    async def act(session: AsyncSession) -> tuple[bool, BatchSummary]:
        changed = await set_paused(session, batch_id=batch, is_paused=is_paused)
        return changed, await read_batch(session, batch_id=batch)

    return in_session(act, commits=True)


def _find_ads(ids: Sequence[str], watch: str | None, user: int) -> Sequence[str]:
    options.check_ads_or_watch(ids, watch)
    if not watch:
        return ids

    async def act(session: AsyncSession) -> Sequence[str]:
        found = await find_watch(session, name_or_id=watch, user_id=None)
        return await list_new_ads(session, watch_id=found.id)

    found = in_session(act)
    if not found:
        call = f"adspark batch create CR…{for_user(user)}"
        raise InvalidQueryError("watch", f"{escape(plain(watch))} has no new ads; name ads: {call}")
    return found


def _create(request: BatchRequest, confirmed: int) -> int | None:
    """Request it; None: another process was quicker, and all its variants are there."""
    key = uuid4()
    with suppress(NothingToRequestError):
        return in_session(
            lambda session: create_batch(session, request, key=key, confirmed=confirmed),
            commits=True,
        )
    return None


def _start(batch_id: int) -> int:
    """Start runs, where a server runs; else generate-pending-variants does."""
    if find_api_url() is None:
        return 0
    from orchestration.runs.batch_runs import start_batch  # noqa: PLC0415  (slow)

    return call_server(
        lambda _: act_in_session(lambda session: start_batch(session, batch_id=batch_id))
    )


def _print_changed(
    batch_id: int, *, changed: bool, variants: int, problems: Sequence[str] = ()
) -> None:
    print_json(
        BatchChanged(batch_id=batch_id, changed=changed, variants=variants, problems=list(problems))
    )
