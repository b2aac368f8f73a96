"""`adspark variant check` and `review`: what brand rules and people say of a variant."""

from typing import Annotated
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from typer import Option

from adspark.errors import InvalidQueryError
from adspark.media.store import MediaStore
from adspark.settings import media_url
from adspark.validation.bounds import RATING
from adspark.variants.checking import check_stored
from adspark.variants.reviews.store import Review, save_review
from adspark.variants.store import read_variant, summary_of
from deployments.cli.database import current_settings, in_session
from deployments.cli.options import JsonOption
from deployments.cli.ranges import ranged
from deployments.cli.server import call_server
from deployments.cli.users.option import user_option
from deployments.cli.variants import options
from deployments.cli.variants.documents import VariantChecked, VariantReviewed
from deployments.cli.variants.tables import print_check
from deployments.environment.running_stack import find_api_url
from deployments.terminal.choices import one_of
from deployments.terminal.output import print_json, print_line


def check(variant: options.VariantId, as_json: JsonOption = False) -> None:
    """Check a finished variant by the brand rules that are in force now."""
    media = MediaStore(media_url(current_settings()))
    found = in_session(
        lambda session: check_stored(session, variant_id=variant, media=media), commits=True
    )
    if as_json:
        print_json(VariantChecked(variant_id=variant, check=found))
    elif found is None:
        print_line(f"{_without_rules(variant)}; set some with: adspark rules set FILE")
    else:
        print_check(found)


def _without_rules(variant: int) -> str:
    """That there are no rules, and which check of the variant stays."""
    found = in_session(lambda session: read_variant(session, variant_id=variant))
    kept = summary_of(found).rule_check
    if kept is None:
        return "There are no brand rules"
    return f"There are no brand rules now; the check of {kept.checked_at:%Y-%m-%d} stays"


def review(
    variant: options.VariantId,
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
    if not approve:
        for option, is_given in (
            ("--accept-closeness", accept_closeness),
            ("--overrule", overrule is not None),
        ):
            if is_given:
                raise InvalidQueryError(option, "belongs to --approve; add it, or leave this out.")
    given = Review(
        user_id=user,
        is_approved=decision,
        rating=rating,
        comment=comment,
        accepts_closeness=accept_closeness,
        overrule_reason=overrule,
    )

    async def act(session: AsyncSession) -> UUID | None:
        found = await read_variant(session, variant_id=variant)
        await save_review(session, variant=found, review=given)
        return found.review_run_id

    run_id = in_session(act, commits=True, acts_for=[user])
    if run_id is not None and decision is not None:
        _answer(run_id, given)
    if as_json:
        print_json(VariantReviewed(variant_id=variant, user_id=user, is_approved=decision))
        return
    print_line(f"Variant {variant} is {_describe(given)} by user {user}.")


def _describe(given: Review) -> str:
    """What was said, in the words of a sentence."""
    if given.is_approved is not None:
        return "approved" if given.is_approved else "rejected"
    said = ["rated"] if given.rating is not None else []
    said += ["commented on"] if given.comment else []
    return " and ".join(said)


def _answer(run_id: UUID, given: Review) -> None:
    """Let the run that waits for this review end, where a server runs."""
    if find_api_url() is None:
        return
    from orchestration.runs.variant_runs import answer_review  # noqa: PLC0415  (slow)

    call_server(lambda _: answer_review(run_id, given))
