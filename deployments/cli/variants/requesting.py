"""`adspark variant request`, `retry` and `cancel`: generations, which cost money.

Requests are rows in the database of the running stack, else of the configured one; a worker
claims them.
"""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession
from typer import Option

from adspark.errors import InvalidQueryError
from adspark.models import AdVariant
from adspark.text.counts import counted
from adspark.text.terminal import plain
from adspark.users.remedies import for_user
from adspark.variants.batches.plan import BatchRequest, plan_batch
from adspark.variants.lists import find_new_creatives
from adspark.variants.requests import (
    VariantRequest,
    check_request,
    check_requests,
    request_variants,
)
from adspark.variants.state import VariantState, is_retry_paid
from adspark.variants.store import read_variant
from adspark.watches.stored import find_watch
from deployments.cli.database import act_in_session, in_session
from deployments.cli.options import JsonOption, YesOption
from deployments.cli.ranges import IDS, ranged
from deployments.cli.server import call_server
from deployments.cli.users.option import user_option
from deployments.cli.variants import options
from deployments.cli.variants.documents import VariantCancelled, VariantRetried, VariantsRequested
from deployments.cli.variants.limits import warn_of_pause
from deployments.cli.variants.prompt_check import check_prompt
from deployments.cli.variants.stopping import stop
from deployments.cli.variants.waiting import check_can_wait, wait_for
from deployments.environment.running_stack import find_api_url
from deployments.terminal.output import print_json, print_line, print_warning
from deployments.terminal.questions import confirm


def request(
    prompt: Annotated[str, Option("--prompt", "-p", help="What the variant should be like.")],
    original_ad_ids: options.OriginalAds = None,
    watch: options.NewAdsOfWatch = None,
    user: Annotated[int, user_option(help="Who wants them.")] = 1,
    workspace: options.Workspace = None,
    review: options.Review = False,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Say how many generations, request none.")
    ] = False,
    of: Annotated[
        int | None, ranged(IDS, metavar="ID", help="Of this completed variant, not of an ad.")
    ] = None,
    yes: YesOption = False,
    wait: Annotated[bool, Option("--wait", help="Wait for the ends of all.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Request a variant of each ad; each is one generation, which costs money."""
    if wait and not dry_run:
        check_can_wait()
    wanted = VariantRequest(
        original_ad_id="",
        prompt=prompt,
        user_id=user,
        workspace_id=workspace,
        wants_review=review,
        parent_id=of,
    )
    wanted = check_request(wanted)
    check_prompt(wanted.prompt)
    if of is not None:
        original_ad_ids = [_read_parent(of, original_ad_ids or [], watch)]
    ids, there = _wanted_ads(original_ad_ids or [], watch, wanted)
    notes = _explain(ids, there, watch, user)
    for note in () if as_json else notes:
        print_line(escape(plain(note)))
    requests = [wanted.model_copy(update={"original_ad_id": one}) for one in ids]
    in_session(lambda session: check_requests(session, requests), acts_for=[user])
    if dry_run or not ids:
        _say_none(len(ids), notes, as_json=as_json)
        return
    if len(ids) > 1 and not yes:
        confirm(f"{counted(len(ids), 'generation')}, each paid for. Request them?")
    made = in_session(lambda session: request_variants(session, requests=requests), commits=True)
    run_ids = _start(made)
    if wait and run_ids:
        wait_for(made, run_ids, as_json=as_json)
        return
    if run_ids:
        warn_of_pause()
    if as_json:
        print_json(
            VariantsRequested(
                variants=list(made), started=len(run_ids), generations=len(made), notes=notes
            )
        )
    else:
        _say_requested(made, len(run_ids))


def retry(variant: options.VariantId, as_json: JsonOption = False) -> None:
    """Try a failed or cancelled variant again; what was paid and not fetched is not paid again."""
    found = in_session(lambda session: read_variant(session, variant_id=variant))
    is_paid = is_retry_paid(found)
    if is_paid:
        check_prompt(found.prompt)
    in_session(lambda session: VariantState(session, found).retry(), commits=True)
    started = len(_start([variant], is_retry=True))
    if started:
        warn_of_pause()
    if as_json:
        done = VariantRetried(variant_id=variant, is_new_generation=is_paid, started=started)
        print_json(done)
        return
    costs = "a new generation" if is_paid else "the same generation, resumed"
    print_line(f"Variant {variant}: {costs}.")
    _say_requested([variant], started)


def cancel(variant: options.VariantId, as_json: JsonOption = False) -> None:
    """End a variant that nobody wants any more, with its generation and its run."""

    async def act(session: AsyncSession) -> tuple[bool, AdVariant]:
        found = await read_variant(session, variant_id=variant)
        was_open = await VariantState(session, found).cancel()
        return was_open, await read_variant(session, variant_id=variant)

    was_open, found = in_session(act, commits=True)
    problems = stop([variant], submitted=found.asked_at is not None) if was_open else []
    if as_json:
        print_json(VariantCancelled(variant_id=variant, changed=was_open, problems=problems))
        return
    result = "cancelled" if was_open else "not open any more; nothing to cancel"
    print_line(f"Variant {variant} is {result}.")
    for problem in problems:
        print_warning(plain(problem))


def _wanted_ads(
    ids: Sequence[str], watch: str | None, wanted: VariantRequest
) -> tuple[list[str], int]:
    """The ads, all stored, and how many have a variant of this prompt: of a watch's new ads those
    are left out, ads that were named get another.
    """
    options.check_ads_or_watch(ids, watch)

    async def act(session: AsyncSession) -> tuple[list[str], int]:
        if not watch:
            ads = tuple(dict.fromkeys(ids))
            of = BatchRequest(ads=ads, prompts=(wanted.prompt,), user_id=wanted.user_id)
            there = (await plan_batch(session, of)).already_there
            return list(ads), 0 if wanted.parent_id else there
        found = await find_watch(session, name_or_id=watch, user_id=None)
        return await find_new_creatives(
            session, watch_id=found.id, prompt=wanted.prompt, user_id=wanted.user_id
        )

    return in_session(act)


def _read_parent(variant: int, ids: Sequence[str], watch: str | None) -> str:
    """The ad of a variant of which another is wanted."""
    if ids or watch:
        raise InvalidQueryError("of", "is of a variant; name neither ads nor a watch beside it.")
    parent = in_session(lambda session: read_variant(session, variant_id=variant))
    return parent.original_ad_id


def _explain(ids: Sequence[str], there: int, watch: str | None, user: int) -> list[str]:
    """Which ads have a variant of this prompt, and why there is none."""
    have = "has" if there == 1 else "have"
    if there and watch:
        return [f"{counted(there, 'new ad')} of it {have} a variant of this prompt already."]
    if there:
        another = "another" if there == 1 else "another of each"
        already = f"{counted(there, 'ad')} {have} a variant of this prompt already"
        return [f"{already}; {another} is generated, and paid for."]
    if ids:
        return []
    return [
        f"Watch {watch} has no new ads: what its first look found is known from the start, and no "
        f"news. For one of those, name the ad: adspark variant request CR…{for_user(user)}"
    ]


def _say_none(generations: int, notes: list[str], *, as_json: bool) -> None:
    """That nothing was requested, and why not."""
    if as_json:
        print_json(VariantsRequested(variants=[], started=0, generations=generations, notes=notes))
        return
    print_line(f"{counted(generations, 'generation')}; nothing was requested.")


def _say_requested(variants: Sequence[int], started: int) -> None:
    listed = ", ".join(map(str, variants))
    if started == len(variants):
        print_line(f"Requested {listed}, queued; see: adspark variant show {variants[0]}")
    else:
        print_line(f"Requested {listed}: claimed once the stack runs (adspark up).")


def _start(variants: Sequence[int], *, is_retry: bool = False) -> list[UUID]:
    """Start runs that generate them, where a server runs; else generate-pending-variants does."""
    if find_api_url() is None:
        return []
    from orchestration.runs.variant_runs import start_generations  # noqa: PLC0415  (slow)

    return call_server(
        lambda _: act_in_session(
            lambda session: start_generations(session, variants, is_retry=is_retry)
        )
    )
