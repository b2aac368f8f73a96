"""The form of a variant's review: saved, and the run that waits for it in Prefect resumed."""

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response

from adspark.errors import AdSparkError, BusyError, InvalidQueryError
from adspark.models import AdVariant, ReviewReason, VariantStatus
from adspark.variants.reviews.decisions import Decision, read_decisions
from adspark.variants.reviews.store import Review, save_review
from adspark.variants.store import read_variant
from deployments.gallery.access.visitor import ChangerDep
from deployments.gallery.forms import Form, TypedFormDep
from deployments.gallery.notices import lead_to
from deployments.gallery.numbers import Number
from deployments.gallery.prefect_server import open_prefect
from deployments.gallery.resources import PagesDep
from deployments.gallery.routes.variants.page import write_page
from orchestration.runs.variant_runs import answer_review

router = APIRouter(include_in_schema=False)

_RATINGS = ("1", "2", "3", "4", "5")
_DECISIONS = {"": None, "approve": True, "reject": False}
_REASONS = {one.value: one for one in ReviewReason}
_SAID = {True: "approved", False: "rejected"}
# By what was decided before, of a review without a decision.
_STILL = {Decision.APPROVED: "saved_approved", Decision.REJECTED: "saved_rejected"}


@router.post("/variants/{variant_id}/review")
async def review_variant(
    pages: PagesDep, visitor: ChangerDep, form: TypedFormDep, variant_id: Number
) -> Response:
    """Save the visitor's review."""
    session = pages.session
    variant = await read_variant(session, variant_id=variant_id)
    page = f"/variants/{variant_id}"
    if variant.status != VariantStatus.COMPLETED:
        return lead_to(page, "variant_moved_on")
    problems: dict[str, str] = {}
    try:
        review = _read_review(form, visitor.user_id)
        seen_at = _read_moment(form.written("seen_at"))
        await save_review(session, variant=variant, review=review, seen_at=seen_at)
        await session.commit()
    except InvalidQueryError as error:
        problems = {error.field: error.sentence}
        if error.field == "accepts_closeness":
            problems = {error.field: pages.texts("review.accept_first")}
        elif error.field == "overrule_reason" and not form.written("overrule_reason").strip():
            problems = {error.field: pages.texts("review.overrule_first")}
    except BusyError:
        problems = {"": pages.texts("review.changed_meanwhile")}
    if problems:
        await session.rollback()
        variant = await read_variant(session, variant_id=variant_id)
        return await write_page(pages, variant, typed=_typed(form), problems=problems)
    if review.is_approved is None:
        decisions = await read_decisions(session, ids=[variant_id])
        said = _STILL.get(decisions.get(variant_id, Decision.WAITING), "saved")
    else:
        said = _SAID[review.is_approved] if await _resume(variant, review) else "no_run"
    return lead_to(page, f"variant_{said}")


async def _resume(variant: AdVariant, review: Review) -> bool:
    """Let the run that waits for this review end; whether none waits any more."""
    if variant.review_run_id is None:
        return True
    try:
        async with open_prefect():
            await answer_review(variant.review_run_id, review)
    except AdSparkError:  # Prefect is away
        return False
    return True


def _read_review(form: Form, user_id: int) -> Review:
    """Raises InvalidQueryError, which names the field."""
    rating, decision = form.text("rating"), form.text("decision")
    comment, reasons = form.text("comment"), form.texts("reason")
    if rating and rating not in _RATINGS:
        raise InvalidQueryError("rating", "must be 1 to 5.")
    if decision not in _DECISIONS:
        raise InvalidQueryError("decision", f"{decision[:40]!r} is none; approve or reject it.")
    if unknown := next((one for one in reasons if one not in _REASONS), None):
        known = ", ".join(_REASONS)
        raise InvalidQueryError("reason", f"{unknown[:40]!r} is not one of {known}.")
    return Review(
        user_id=user_id,
        is_approved=_DECISIONS[decision],
        rating=int(rating) if rating else None,
        comment=comment,
        accepts_closeness="accepts_closeness" in form,
        reasons=[_REASONS[one] for one in reasons],
        overrule_reason=form.text("overrule_reason"),
    )


def _read_moment(written: str) -> datetime | None:
    try:
        return datetime.fromisoformat(written) if written else None
    except ValueError:
        return datetime.min


def _typed(form: Form) -> dict[str, object]:
    """What was sent, as it is shown again."""
    rating = form.written("rating")
    return {
        "rating": int(rating) if rating in _RATINGS else None,
        "comment": form.written("comment"),
        "overrule_reason": form.written("overrule_reason"),
        "accepts_closeness": "accepts_closeness" in form,
        "reasons": [one for one in form.all_written("reason") if one in _REASONS],
    }
