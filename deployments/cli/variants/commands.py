"""`adspark variant`: request variants of stored ads, show, review, retry and cancel them.

Requests are rows in the database of the running stack, else of the configured one; a worker
claims them.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import typer
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession
from typer import Option

from adspark.errors import InvalidQueryError, UnusableContentError
from adspark.media.store import MediaStore
from adspark.models import AdVariant, VariantStatus
from adspark.settings import media_url
from adspark.text.counts import counted
from adspark.text.terminal import plain
from adspark.validation.bounds import RATING
from adspark.validation.stored import clean_ad_id
from adspark.variants.checking import check_stored
from adspark.variants.lists import find_new_creatives, list_variants
from adspark.variants.outcomes.approvals import read_outcomes
from adspark.variants.requests import (
    VariantRequest,
    check_originals,
    check_request,
    check_requests,
    request_variants,
)
from adspark.variants.reviews import Review, list_reviews, read_statistics, save_review
from adspark.variants.store import (
    VariantState,
    VariantSummary,
    is_generation_over,
    read_variant,
    summary_of,
)
from adspark.variants.waiting import read_waiting
from adspark.watches.store import find_watch
from deployments.cli.database import act_in_session, current_settings, in_session
from deployments.cli.options import JsonOption, YesOption
from deployments.cli.ranges import IDS, ranged, ranged_argument
from deployments.cli.server import call_server, prefect_api_url
from deployments.cli.users.option import user_option
from deployments.cli.variants import options
from deployments.cli.variants.documents import (
    VariantCancelled,
    VariantChecked,
    VariantFigures,
    VariantList,
    VariantOutcomes,
    VariantPicture,
    VariantReport,
    VariantRetried,
    VariantReviewed,
    VariantsRequested,
)
from deployments.cli.variants.exporting import export
from deployments.cli.variants.prompt_check import check_prompt
from deployments.cli.variants.tables import (
    print_check,
    print_outcomes,
    print_statistics,
    print_variant,
    print_variants,
)
from deployments.environment.running_stack import find_api_url
from deployments.terminal.choices import one_of
from deployments.terminal.output import out, print_json, print_line, print_note
from deployments.terminal.questions import confirm

_SHOWN = 20  # variants of a list, by default
_MOST_SHOWN = 10_000

VariantId = Annotated[int, ranged_argument(IDS, metavar="ID", help="The variant's number.")]
WhoseOption = Annotated[int | None, user_option(help="Whose they are.")]

app = typer.Typer(
    help="Variants: new versions of stored ads, made by a workflow and reviewed by people.",
    no_args_is_help=True,
)


@app.command()
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
    wait: Annotated[bool, Option("--wait", help="Wait for the end of one.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Request a variant of each ad; each is one generation, which costs money."""
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
    ids, left_out = _wanted_ads(original_ad_ids or [], watch, wanted)
    notes = _why_not_all(ids, left_out, watch)
    for note in () if as_json else notes:
        print_line(escape(plain(note)))
    requests = [wanted.model_copy(update={"original_ad_id": one}) for one in ids]
    in_session(lambda session: check_requests(session, requests))
    if dry_run or not ids:
        _say_none(len(ids), notes, as_json=as_json)
        return
    if len(ids) > 1 and not yes:
        confirm(f"{counted(len(ids), 'generation')}, each paid for. Request them?")
    made = in_session(lambda session: request_variants(session, requests=requests), commits=True)
    run_ids = _start(made)
    if wait and len(made) == 1 and run_ids:
        _follow(run_ids[0])
        show(made[0], as_json=as_json)
    elif as_json:
        print_json(
            VariantsRequested(
                variants=list(made), started=len(run_ids), generations=len(made), notes=notes
            )
        )
    else:
        _say_requested(made, len(run_ids))


@app.command("list")
def list_all(
    status: Annotated[VariantStatus | None, Option(help="Only these.")] = None,
    user: WhoseOption = None,
    ad: Annotated[str | None, Option(parser=clean_ad_id, help="Of this original.")] = None,
    limit: Annotated[int, Option(min=1, max=_MOST_SHOWN, help="How many, newest first.")] = _SHOWN,
    as_json: JsonOption = False,
) -> None:
    """List the variants, newest first, and the reviews that wait for a person."""

    async def act(session: AsyncSession) -> tuple[list[VariantSummary], list[int]]:
        found = await list_variants(
            session, status=status, user_id=user, original_ad_id=ad, limit=limit
        )
        return found, await read_waiting(session, user_id=user)

    found, waiting = in_session(act)
    document = VariantList(variants=found, reviews_waiting=waiting)
    print_json(document) if as_json else print_variants(found, waiting)


@app.command()
def show(variant: VariantId, as_json: JsonOption = False) -> None:
    """Show all about one variant: prompt, copy, pictures, reviews."""
    summary = summary_of(_read(variant))
    reviews = in_session(lambda session: list_reviews(session, variant_id=variant))
    document = VariantReport.of(summary, reviews=reviews)
    print_json(document) if as_json else print_variant(summary, reviews, _media())


@app.command("open")
def open_picture(
    variant: VariantId,
    original: Annotated[bool, Option("--original", help="The original's picture.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print where a variant's picture is and, in a terminal, open it in the system's viewer."""
    summary = summary_of(_read(variant))
    path = summary.original_path if original else summary.image_path
    if path is None:
        raise UnusableContentError(f"There is no such picture: {summary.headline.rstrip('.')}.")
    place = _media().locate(path)
    if as_json:
        print_json(VariantPicture(variant_id=variant, place=place))
        return
    print_line(escape(place))
    if out.is_terminal:
        typer.launch(place)


@app.command()
def retry(variant: VariantId, as_json: JsonOption = False) -> None:
    """Try a failed or cancelled variant again; what was paid and not fetched is not paid again."""
    found = _read(variant)
    is_over = is_generation_over(found)
    if is_over or found.asked_at is None:  # it is requested anew
        check_prompt(found.prompt)
    in_session(lambda session: VariantState(session, found).retry(is_over=is_over), commits=True)
    started = len(_start([variant], is_retry=True))
    if as_json:
        done = VariantRetried(variant_id=variant, is_new_generation=is_over, started=started)
        print_json(done)
        return
    costs = "a new generation" if is_over else "the same generation, resumed"
    print_line(f"Variant {variant}: {costs}.")
    _say_requested([variant], started)


@app.command()
def cancel(variant: VariantId, as_json: JsonOption = False) -> None:
    """End a variant that nobody wants any more, with its generation."""
    from orchestration.runs.variant_runs import cancel_variant  # noqa: PLC0415  (slow)

    was_open = call_server(lambda _: cancel_variant(variant))
    if as_json:
        print_json(VariantCancelled(variant_id=variant, changed=was_open))
        return
    result = "cancelled" if was_open else "not open any more; nothing to cancel"
    print_line(f"Variant {variant} is {result}.")


@app.command()
def check(variant: VariantId, as_json: JsonOption = False) -> None:
    """Check a finished variant by the brand rules that are in force now."""
    found = in_session(
        lambda session: check_stored(session, variant_id=variant, media=_media()), commits=True
    )
    if as_json:
        print_json(VariantChecked(variant_id=variant, check=found))
    elif found is None:
        print_line("There are no brand rules; set some with: adspark rules set FILE")
    else:
        print_check(found)


@app.command()
def review(
    variant: VariantId,
    approve: Annotated[bool, Option("--approve", help="It is good.")] = False,
    reject: Annotated[bool, Option("--reject", help="It is not; neither leaves it open.")] = False,
    rating: Annotated[int | None, ranged(RATING, help="1 (poor) to 5 (great).")] = None,
    comment: Annotated[str | None, Option(help="What to keep, what to change.")] = None,
    accept_closeness: Annotated[
        bool, Option("--accept-closeness", help="Approve although it is close to the original.")
    ] = False,
    overrule: Annotated[
        str | None, Option(help="Why you approve it although it breaks brand rules.")
    ] = None,
    user: Annotated[int, user_option(help="Who you are.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Review a finished variant; repeat it to change the review."""
    decision = one_of("--approve", approve, "--reject", reject)
    given = Review(
        user_id=user,
        is_approved=decision,
        rating=rating,
        comment=comment,
        accepts_closeness=accept_closeness,
        overrule_reason=overrule,
    )
    if not given.says_something:
        raise InvalidQueryError("review", "say something: --approve, --reject, --rating, --comment")

    async def act(session: AsyncSession) -> UUID | None:
        found = await read_variant(session, variant_id=variant)
        await save_review(session, variant=found, review=given)
        return found.review_run_id

    run_id = in_session(act, commits=True)
    if run_id is not None and decision is not None:
        _answer(run_id, given)
    if as_json:
        print_json(VariantReviewed(variant_id=variant, user_id=user, is_approved=decision))
        return
    word = {True: "approved", False: "rejected", None: "commented on"}[decision]
    print_line(f"Variant {variant} is {word} by user {user}.")


app.command()(export)


@app.command()
def stats(user: WhoseOption = None, as_json: JsonOption = False) -> None:
    """Show how variants fare: approval, rating, time, failures by cause."""
    figures = in_session(lambda session: read_statistics(session, user_id=user))
    print_json(VariantFigures.of(figures)) if as_json else print_statistics(figures)


@app.command()
def outcomes(user: WhoseOption = None, as_json: JsonOption = False) -> None:
    """Show what is approved, by prompt, advertiser and reviewer, and how far reviewers agree."""
    found = in_session(lambda session: read_outcomes(session, user_id=user))
    print_json(VariantOutcomes.of(found)) if as_json else print_outcomes(found)


def _wanted_ads(
    ids: Sequence[str], watch: str | None, wanted: VariantRequest
) -> tuple[list[str], int]:
    """The ads, all stored, and how many new ones of the watch are left out."""
    if bool(ids) == bool(watch):
        raise InvalidQueryError("original_ad_ids", "name ads, or a watch with --watch.")

    async def act(session: AsyncSession) -> tuple[list[str], int]:
        if not watch:
            await check_originals(session, ids)
            return list(dict.fromkeys(ids)), 0
        found = await find_watch(session, name_or_id=watch, user_id=None)
        return await find_new_creatives(
            session, watch_id=found.id, prompt=wanted.prompt, user_id=wanted.user_id
        )

    return in_session(act)


def _read_parent(variant: int, ids: Sequence[str], watch: str | None) -> str:
    """The ad of a variant of which another is wanted."""
    if ids or watch:
        raise InvalidQueryError("of", "is of a variant; name neither ads nor a watch beside it.")
    return _read(variant).original_ad_id


def _why_not_all(ids: Sequence[str], left_out: int, watch: str | None) -> list[str]:
    """Why ads of a watch are left out."""
    if left_out:
        have = "has" if left_out == 1 else "have"
        return [f"{counted(left_out, 'new ad')} of it {have} a variant of this prompt already."]
    if ids:
        return []
    return [
        f"Watch {watch} has no new ads: what its first look found is known from the start, and no "
        "news. For one of those, name the ad: adspark variant request CR…"
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
        them = "it" if started == 1 else "them"
        see = f"adspark variant show {variants[0]}"
        print_line(f"Requested {listed}: a worker claims {them}; see: {see}")
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


def _follow(run_id: UUID) -> None:
    from deployments.cli.runs.follow import Event, follow_run  # noqa: PLC0415  (slow)

    def print_event(event: Event) -> None:
        print_note(event.text)

    asyncio.run(follow_run(prefect_api_url(), run_id, print_event))


def _answer(run_id: UUID, given: Review) -> None:
    """Let the run that waits for this review end, where a server runs."""
    if find_api_url() is None:
        return
    from orchestration.runs.variant_runs import answer_review  # noqa: PLC0415  (slow)

    call_server(lambda _: answer_review(run_id, given))


def _read(variant: int) -> AdVariant:
    return in_session(lambda session: read_variant(session, variant_id=variant))


def _media() -> MediaStore:
    return MediaStore(media_url(current_settings()))
