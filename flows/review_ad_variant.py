"""Wait for a person's review of a variant; the form is in Prefect's UI, at the suspended run.

Blocks: adspark-database/adspark. Limits: after a day (ADSPARK_REVIEW_TIME_LIMIT) it ends, and the
review stays open. Tables: ad_variant, variant_feedback.

The run is suspended while it waits: it holds neither a process nor a place in its pool, and begins
anew when it is resumed.
"""

import itertools
from typing import Annotated, Any

from prefect import flow
from prefect.flow_runs import asuspend_flow_run
from prefect.input import RunInput
from pydantic import Field

from adspark.db.engine import Database
from adspark.errors import InvalidQueryError
from adspark.media.store import MediaStore
from adspark.models import AdVariant
from adspark.settings import get_settings, media_url
from adspark.validation.bounds import COMMENT, ID, RATING
from adspark.variants.report import write_variant
from adspark.variants.reviews.store import Review, list_reviews, save_review
from adspark.variants.store import read_variant, summary_of
from blocks.adspark_database import connect_database
from flows.endings import PLAIN_JSON, completed
from flows.parameters import label, names_parameter
from orchestration.limits.retry_policy import retried_task

_WORDS = {True: "approved", False: "rejected", None: "the review is left open"}
_PICTURE_WIDTH = 170  # pixels; the form is narrow


def _without_default(schema: dict[str, Any]) -> None:
    """A default of nothing would be sent as nothing, which the plain field does not take."""
    schema.pop("default", None)


def _optional(description: str) -> Any:  # noqa: ANN401  (as pydantic's own Field)
    return Field(description=description, json_schema_extra=_without_default)


class VariantReview(RunInput):
    """The form; its optional fields show at once what they take."""

    # Not one choice of three: the UI's form opens no list of choices at a click.
    approve: Annotated[bool, Field(description="It may be used.")] = False
    reject: Annotated[bool, Field(description="It may not. Neither of the two: undecided.")] = False
    rating: Annotated[int | None, RATING, _optional("1 (poor) to 5 (great).")] = None
    comment: Annotated[str | None, COMMENT, _optional("What to keep, what to change.")] = None
    accepts_closeness: Annotated[
        bool, Field(description="I know that it is close to the original, and approve it.")
    ] = False
    overrule_reason: Annotated[
        str | None,
        COMMENT,
        _optional("Why it is approved although it breaks brand rules; wanted where one failed."),
    ] = None
    user_id: Annotated[
        int | None, ID, _optional("Who you are; empty: who requested the variant.")
    ] = None


@flow(name="review-ad-variant", persist_result=True, result_serializer=PLAIN_JSON)
async def review_ad_variant(variant_id: Annotated[int, ID, label("Variant id")]) -> Review:
    """Request a review of a finished variant, and save it.

    Args:
        variant_id: The variant's number, as in `adspark variant list`.
    """
    async with connect_database() as database:
        with names_parameter("variant_id"):
            variant = await _read(database, variant_id)
        mistake = ""
        for number in itertools.count(1):
            given = await _wait_for_review(variant, number, mistake)
            try:
                review = await _save(database, variant, _review(given, variant))
                break
            except InvalidQueryError as error:
                mistake = str(error)
    return completed(review, f"variant {variant_id}: {_WORDS[review.is_approved]}")


@retried_task()
async def _read(database: Database, variant_id: int) -> AdVariant:
    async with database.session() as session:
        return await read_variant(session, variant_id=variant_id)


@retried_task()
async def _save(database: Database, variant: AdVariant, review: Review) -> Review:
    """Save a review; what says nothing means one that its user has given elsewhere."""
    async with database.session() as session:
        if review.says_something:
            await save_review(session, variant=variant, review=review)
            await session.commit()
            return review
        for one in await list_reviews(session, variant_id=variant.id):
            if one.user_id == review.user_id:
                return Review.model_validate(one.model_dump(include=set(Review.model_fields)))
    return review


async def _wait_for_review(variant: AdVariant, number: int, mistake: str) -> VariantReview:
    """Suspend the run until somebody has filled in the form."""
    media = MediaStore(media_url(get_settings()))
    page = await write_variant(media, summary_of(variant), width=_PICTURE_WIDTH)
    problem = f"**Not saved: {mistake}**\n\n" if mistake else ""
    form = VariantReview.with_initial_data(description=problem + page)
    return await asuspend_flow_run(wait_for_input=form, key=f"review-{number}")


def _review(given: VariantReview, variant: AdVariant) -> Review:
    if given.approve and given.reject:
        raise InvalidQueryError("approve", "approve it or reject it, not both.")
    return Review(
        user_id=given.user_id or variant.user_id,
        is_approved=given.approve if given.approve or given.reject else None,
        rating=given.rating,
        comment=given.comment or None,
        accepts_closeness=given.accepts_closeness,
        overrule_reason=given.overrule_reason,
    )
